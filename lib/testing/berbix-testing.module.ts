import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  getBerbixTokenServiceToken,
  getBerbixTokenStoreToken,
  getBerbixTransactionServiceToken,
  getBerbixVerificationServiceToken,
  getBerbixWebhookServiceToken,
} from '../berbix.injection-tokens.js';
import { CheckedStore, type BerbixTokenStore } from '../token-store/index.js';
import { openStore } from '../tokens/index.js';
import {
  BERBIX_WEBHOOK_SETTINGS,
  WebhookSettings,
  webhookProviders,
  type BerbixWebhookOptions,
} from '../webhooks/index.js';
import { FakeBerbix } from './fake-berbix.js';

/** Options of {@link BerbixTestingModule.forRoot}. */
export interface BerbixTestingOptions {
  /** @default new FakeBerbix(), which is found under its class */
  berbix?: FakeBerbix | undefined;
  /** Name of the account that it stands in for, as given to `BerbixModule.forRoot`. */
  name?: string | undefined;
  /** @default false */
  isGlobal?: boolean | undefined;
  /** Secrets of the webhooks, for `signBerbixWebhook`. */
  webhooks?: BerbixWebhookOptions | undefined;
}

/**
 * Stands in for `BerbixModule` in unit tests: the same services under the same tokens, over a
 * {@link FakeBerbix}. Webhooks are checked and handled as ever.
 *
 * @example
 * ```ts
 * const berbix = new FakeBerbix();
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   // The module of yours that has the account.
 *   .overrideModule(AccountModule)
 *   .useModule(BerbixTestingModule.forRoot({ berbix }))
 *   .compile();
 * ```
 */
@Module({})
export class BerbixTestingModule {
  /**
   * The module, to import or to put in the place of another. Import it once for each account that the
   * application has.
   *
   * @throws {BerbixConfigurationError} for webhook options that are wrong
   */
  static forRoot(options: BerbixTestingOptions = {}): DynamicModule {
    const { berbix = new FakeBerbix(), name, isGlobal = false, webhooks } = options;
    const services: [unknown, unknown][] = [
      [FakeBerbix, berbix],
      [getBerbixTokenStoreToken(name), berbix.store],
      [getBerbixTokenServiceToken(name), berbix.tokens],
      [getBerbixTransactionServiceToken(name), berbix.transactions],
      [getBerbixVerificationServiceToken(name), berbix.verifications],
    ];
    const providers = services.map(([provide, useValue]) => ({ provide, useValue }) as Provider);
    return {
      module: BerbixTestingModule,
      global: isGlobal,
      imports: [DiscoveryModule],
      providers: [
        ...providers,
        { provide: BERBIX_WEBHOOK_SETTINGS, useValue: new WebhookSettings(webhooks, name) },
        {
          provide: CheckedStore,
          inject: [getBerbixTokenStoreToken(name)],
          useFactory: (store: BerbixTokenStore) => openStore(store, { account: 'fake' }),
        },
        ...webhookProviders(name),
      ],
      exports: [
        ...services.map(([token]) => token as symbol),
        getBerbixWebhookServiceToken(name) as symbol,
      ],
    };
  }
}
