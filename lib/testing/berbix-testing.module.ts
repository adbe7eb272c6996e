import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BerbixEvents, EventBus, EventHandlers } from '../events/index.js';
import { BerbixHealthService } from '../health/index.js';
import { accountProvider, checkAccount, getBerbixToken } from '../options/index.js';
import { BerbixTokenStore, CheckedStore } from '../token-store/index.js';
import { BerbixTokenService, openStore } from '../tokens/index.js';
import { BerbixTransactionService } from '../transactions/index.js';
import { BerbixVerificationService } from '../verification/index.js';
import {
  BERBIX_WEBHOOK_SETTINGS,
  BerbixWebhookService,
  WebhookSettings,
  webhookProviders,
  type BerbixWebhookOptions,
} from '../webhooks/index.js';
import { FakeBerbix } from './fake-berbix.js';

/** The options of {@link BerbixTestingModule.forRoot}. */
export interface BerbixTestingOptions {
  /** @default new FakeBerbix(), which is provided under its class */
  berbix?: FakeBerbix | undefined;
  /** The account to replace, as passed to `BerbixModule.forRoot`. */
  account?: string | undefined;
  /** @default false */
  isGlobal?: boolean | undefined;
  /** The secrets of the webhooks, for `signBerbixWebhook`. */
  webhooks?: BerbixWebhookOptions | undefined;
}

/** A fake has no connections whose health could be checked. */
const HEALTHY: Pick<BerbixHealthService, 'check'> = {
  check: async () => ({ status: 'up', berbix: 'up', store: 'up' }),
};

/**
 * Replaces `BerbixModule` in unit tests: it provides the same services, with the same injection
 * tokens, over a {@link FakeBerbix}. Webhooks are checked and handled, and events emitted, as usual; the
 * health is always `up`.
 *
 * @example
 * ```ts
 * const berbix = new FakeBerbix();
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   // Your module that imports BerbixModule.
 *   .overrideModule(AccountModule)
 *   .useModule(BerbixTestingModule.forRoot({ berbix }))
 *   .compile();
 * ```
 */
@Module({})
export class BerbixTestingModule {
  /**
   * The module, to import or to override another one with. Import it once for each account of the
   * application.
   *
   * @throws {BerbixConfigurationError} for invalid webhook options
   */
  static forRoot(options: BerbixTestingOptions = {}): DynamicModule {
    const { berbix = new FakeBerbix(), isGlobal = false, webhooks } = options;
    const account = checkAccount('account', options.account);
    const services: [unknown, unknown][] = [
      [FakeBerbix, berbix],
      [getBerbixToken(BerbixTokenStore, account), berbix.store],
      [getBerbixToken(BerbixTokenService, account), berbix.tokens],
      [getBerbixToken(BerbixTransactionService, account), berbix.transactions],
      [getBerbixToken(BerbixVerificationService, account), berbix.verifications],
      [getBerbixToken(BerbixHealthService, account), HEALTHY],
    ];
    const providers = services.map(([provide, useValue]) => ({ provide, useValue }) as Provider);
    return {
      module: BerbixTestingModule,
      global: isGlobal,
      imports: [DiscoveryModule],
      providers: [
        ...providers,
        { provide: EventBus, useFactory: () => relayEvents(berbix, account) },
        EventHandlers,
        accountProvider(account, BerbixEvents, [EventBus]),
        { provide: BERBIX_WEBHOOK_SETTINGS, useValue: new WebhookSettings(webhooks, account) },
        {
          provide: CheckedStore,
          inject: [getBerbixToken(BerbixTokenStore, account), EventBus],
          useFactory: (store: BerbixTokenStore, events: EventBus) =>
            openStore(store, { account: 'fake' }, events),
        },
        ...webhookProviders(account),
      ],
      exports: [
        ...services.map(([token]) => token as symbol),
        getBerbixToken(BerbixWebhookService, account) as symbol,
        getBerbixToken(BerbixEvents, account) as symbol,
      ],
    };
  }
}

/** Relays the events of the fake, with the name of the account that it replaces. */
function relayEvents(berbix: FakeBerbix, account: string): EventBus {
  const bus = new EventBus(account);
  berbix.events.events$.subscribe((event) => bus.emit(event.kind, () => ({ ...event, account })));
  return bus;
}
