import type { DynamicModule, InjectionToken, Provider, Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BerbixMetrics } from './berbix.metrics.js';
import type {
  BerbixModuleAsyncOptions,
  BerbixModuleOptions,
  BerbixOptionsFactory,
} from './berbix.options.js';
import { registrationProviders } from './berbix.registration.js';
import { BerbixConfigurationError } from './errors/index.js';
import { BerbixEvents, EventBus, EventHandlers, ExchangeLog } from './events/index.js';
import { BerbixHealthService } from './health/index.js';
import { BerbixHttp } from './http/index.js';
import {
  BERBIX_OPTIONS,
  ConcealedOptions,
  accountProvider,
  checkAccount,
  checkBoolean,
  getBerbixToken,
  onlyKnown,
} from './options/index.js';
import {
  BerbixTokenStore,
  CheckedStore,
  InMemoryTokenStore,
  SealedRecords,
  checkedEncryption,
} from './token-store/index.js';
import {
  BERBIX_TOKEN_OPTIONS,
  BerbixTokenService,
  StoreReport,
  openStore,
  openRecords,
  type BerbixTokenAccountOptions,
} from './tokens/index.js';
import { BerbixTransactionService } from './transactions/index.js';
import { BerbixVerificationService } from './verification/index.js';
import {
  BERBIX_WEBHOOK_SETTINGS,
  BerbixWebhookService,
  WebhookSettings,
  webhookProviders,
} from './webhooks/index.js';

type Options = ConcealedOptions<BerbixModuleOptions>;

const OPTION_NAMES: Record<keyof BerbixModuleOptions, true> = {
  apiSecret: true,
  apiHost: true,
  timeoutMs: true,
  totalTimeoutMs: true,
  retry: true,
  http: true,
  allowInsecure: true,
  store: true,
  allowInMemoryStore: true,
  storeTimeoutMs: true,
  encryption: true,
  loadTokens: true,
  onRotation: true,
  freshness: true,
  webhooks: true,
};

const ASYNC_OPTION_NAMES: Record<keyof BerbixModuleAsyncOptions, true> = {
  useFactory: true,
  useClass: true,
  useExisting: true,
  inject: true,
  imports: true,
  extraProviders: true,
  account: true,
  isGlobal: true,
};

/** The dynamic module of one account. */
export function defineModule(module: Type, options: BerbixModuleAsyncOptions): DynamicModule {
  onlyKnown<BerbixModuleAsyncOptions>('BerbixModule.forRootAsync', options, ASYNC_OPTION_NAMES);
  const { isGlobal = false, imports = [], extraProviders = [] } = options;
  for (const [option, value] of Object.entries({ imports, extraProviders })) {
    if (!Array.isArray(value)) throw new BerbixConfigurationError(`${option} must be a list.`);
  }
  checkBoolean('isGlobal', isGlobal);
  const account = checkAccount('account', options.account);
  const store = getBerbixToken(BerbixTokenStore, account);
  const tokens = getBerbixToken(BerbixTokenService, account);
  const transactions = getBerbixToken(BerbixTransactionService, account);
  const services = [
    store,
    tokens,
    transactions,
    getBerbixToken(BerbixVerificationService, account),
    getBerbixToken(BerbixWebhookService, account),
    getBerbixToken(BerbixEvents, account),
    getBerbixToken(BerbixHealthService, account),
  ] as InjectionToken[];
  return {
    module,
    global: isGlobal,
    imports: [DiscoveryModule, ...imports],
    providers: [
      ...extraProviders,
      ...optionsProviders(options),
      ...registrationProviders(account, services),
      ...tokenProviders(store, account),
      { provide: EventBus, useFactory: () => new EventBus(account) },
      EventHandlers,
      ExchangeLog,
      accountProvider(account, BerbixMetrics, [EventBus, BerbixHttp, tokens]),
      accountProvider(account, BerbixEvents, [EventBus]),
      BerbixHttp,
      StoreReport,
      accountProvider(account, BerbixTokenService, [
        BerbixHttp,
        CheckedStore,
        SealedRecords,
        BERBIX_TOKEN_OPTIONS,
        EventBus,
      ]),
      accountProvider(account, BerbixHealthService, [BerbixHttp, CheckedStore, tokens]),
      accountProvider(account, BerbixTransactionService, [BerbixHttp, tokens]),
      accountProvider(account, BerbixVerificationService, [
        tokens,
        transactions,
        SealedRecords,
        EventBus,
      ]),
      {
        provide: BERBIX_WEBHOOK_SETTINGS,
        inject: [BERBIX_OPTIONS],
        useFactory: (given: Options) => new WebhookSettings(given.reveal().webhooks, account),
      },
      ...webhookProviders(account),
    ],
    exports: services as DynamicModule['exports'],
  };
}

/** The store and the token options. */
function tokenProviders(store: InjectionToken<BerbixTokenStore>, account: string): Provider[] {
  return [
    {
      provide: store,
      inject: [BERBIX_OPTIONS],
      useFactory: (options: Options) => {
        const { store: given = new InMemoryTokenStore() } = options.reveal();
        return given;
      },
    },
    {
      provide: BERBIX_TOKEN_OPTIONS,
      inject: [BERBIX_OPTIONS],
      useFactory: (options: Options) => {
        const {
          allowInMemoryStore,
          storeTimeoutMs,
          encryption,
          loadTokens,
          onRotation,
          freshness,
        } = options.reveal();
        return {
          account,
          allowInMemoryStore,
          storeTimeoutMs,
          encryption,
          loadTokens,
          onRotation,
          freshness,
        } satisfies Record<keyof BerbixTokenAccountOptions, unknown>;
      },
    },
    {
      provide: CheckedStore,
      inject: [store, BERBIX_TOKEN_OPTIONS, EventBus],
      useFactory: openStore,
    },
    {
      provide: SealedRecords,
      inject: [CheckedStore, BERBIX_TOKEN_OPTIONS],
      useFactory: openRecords,
    },
  ];
}

/**
 * Provides the options through a factory that conceals them. Nest's ConfigurableModuleBuilder would
 * keep them with the API secret where `util.inspect` of the application finds them (I10).
 */
function optionsProviders(options: BerbixModuleAsyncOptions): Provider[] {
  const styles = [options.useFactory, options.useClass, options.useExisting];
  if (styles.filter((style) => style !== undefined).length !== 1) {
    throw new BerbixConfigurationError(
      'BerbixModule.forRootAsync takes exactly one of useFactory, useClass and useExisting.',
    );
  }
  if (options.useFactory !== undefined) {
    const make = options.useFactory as (...args: unknown[]) => unknown;
    if (typeof make !== 'function') {
      throw new BerbixConfigurationError('useFactory must be a function that returns the options.');
    }
    const called = ['', 'useFactory'].includes(make.name)
      ? 'useFactory'
      : `useFactory (${make.name})`;
    return [
      {
        provide: BERBIX_OPTIONS,
        inject: options.inject ?? [],
        useFactory: async (...args: unknown[]) => checkOptions(await make(...args), called),
      },
    ];
  }
  const factory = (options.useExisting ?? options.useClass) as Type<BerbixOptionsFactory>;
  const provider: Provider = {
    provide: BERBIX_OPTIONS,
    inject: [factory],
    useFactory: async (made: Partial<BerbixOptionsFactory>) => {
      const called = `${String(factory.name)}.createBerbixOptions`;
      if (typeof made?.createBerbixOptions !== 'function') {
        throw new BerbixConfigurationError(
          `${called} must be a function that returns the options.`,
        );
      }
      return checkOptions(await made.createBerbixOptions(), called);
    },
  };
  return options.useClass === undefined ? [provider] : [factory, provider];
}

/** @param called the name of the function that returned the options, for the message */
function checkOptions(options: unknown, called: string): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const what = Array.isArray(options) ? 'a list' : options === null ? 'null' : typeof options;
    throw new BerbixConfigurationError(
      `${called} of BerbixModule.forRootAsync returned ${what}. It must return the options, such as { apiSecret }; an arrow function with braces needs \`return\`.`,
    );
  }
  onlyKnown<BerbixModuleOptions>('BerbixModule.forRoot', options, OPTION_NAMES);
  return concealed(options as BerbixModuleOptions);
}

function concealed(given: BerbixModuleOptions): Options {
  const { encryption, ...rest } = given;
  return new ConcealedOptions({ ...rest, encryption: encryption && checkedEncryption(encryption) });
}
