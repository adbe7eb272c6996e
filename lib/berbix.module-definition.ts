import { DiscoveryModule } from '@nestjs/core';
import type { DynamicModule, InjectionToken, Provider, Type } from '@nestjs/common';
import type {
  BerbixModuleAsyncOptions,
  BerbixModuleExtras,
  BerbixModuleOptions,
  BerbixOptionsFactory,
} from './berbix.options.js';
import {
  getBerbixTokenServiceToken,
  getBerbixTokenStoreToken,
  getBerbixTransactionServiceToken,
  getBerbixVerificationServiceToken,
  getBerbixWebhookServiceToken,
} from './berbix.injection-tokens.js';
import { BerbixConfigurationError } from './errors/index.js';
import { registrationProviders } from './berbix.registration.js';
import {
  BERBIX_OPTIONS,
  BerbixHttp,
  ConcealedOptions,
  accountProvider,
  onlyKnown,
} from './http/index.js';
import {
  CheckedStore,
  InMemoryTokenStore,
  SealedRecords,
  checkedEncryption,
  type BerbixTokenStore,
} from './token-store/index.js';
import {
  BERBIX_TOKEN_OPTIONS,
  BerbixTokenService,
  openStore,
  openRecords,
  type BerbixTokenAccountOptions,
} from './tokens/index.js';
import { BerbixTransactionService } from './transactions/index.js';
import { BerbixVerificationService } from './verification/index.js';
import { BERBIX_WEBHOOK_SETTINGS, WebhookSettings, webhookProviders } from './webhooks/index.js';

type Options = ConcealedOptions<BerbixModuleOptions>;

/** What the account without a name is called in the store. */
const NAMELESS = 'default';

const OPTION_NAMES = [
  'apiSecret',
  'apiHost',
  'timeoutMs',
  'totalTimeoutMs',
  'retry',
  'http',
  'allowInsecure',
  'store',
  'storeTimeoutMs',
  'encryption',
  'loadTokens',
  'onRotation',
  'freshness',
  'webhooks',
] satisfies (keyof BerbixModuleOptions)[];

const ASYNC_OPTION_NAMES = [
  'useFactory',
  'useClass',
  'useExisting',
  'inject',
  'imports',
  'extraProviders',
  'name',
  'isGlobal',
] satisfies (keyof BerbixModuleAsyncOptions)[];

/** The dynamic module of one account. */
export function defineModule(module: Type, options: BerbixModuleAsyncOptions): DynamicModule {
  onlyKnown('BerbixModule.forRootAsync', options, ASYNC_OPTION_NAMES);
  const { name, isGlobal = false, imports = [], extraProviders = [] } = options;
  for (const [option, value] of Object.entries({ imports, extraProviders })) {
    if (!Array.isArray(value)) throw new BerbixConfigurationError(`${option} must be a list.`);
  }
  checkExtras({ name, isGlobal });
  const store = getBerbixTokenStoreToken(name);
  const tokens = getBerbixTokenServiceToken(name);
  const transactions = getBerbixTransactionServiceToken(name);
  const verifications = getBerbixVerificationServiceToken(name);
  const services = [
    store,
    tokens,
    transactions,
    verifications,
    getBerbixWebhookServiceToken(name),
  ] as InjectionToken[];
  return {
    module,
    global: isGlobal,
    imports: [DiscoveryModule, ...imports],
    providers: [
      ...extraProviders,
      ...optionsProviders(options),
      ...registrationProviders(name, services),
      ...tokenProviders(store, name),
      BerbixHttp,
      accountProvider(tokens, BerbixTokenService, [
        BerbixHttp,
        CheckedStore,
        SealedRecords,
        BERBIX_TOKEN_OPTIONS,
      ]),
      accountProvider(transactions, BerbixTransactionService, [BerbixHttp, tokens]),
      accountProvider(verifications, BerbixVerificationService, [
        tokens,
        transactions,
        SealedRecords,
      ]),
      {
        provide: BERBIX_WEBHOOK_SETTINGS,
        inject: [BERBIX_OPTIONS],
        useFactory: (account: Options) => new WebhookSettings(account.reveal().webhooks, name),
      },
      ...webhookProviders(name),
    ],
    exports: services as DynamicModule['exports'],
  };
}

/** The store, and what concerns tokens of the options. */
function tokenProviders(store: InjectionToken<BerbixTokenStore>, account = NAMELESS): Provider[] {
  return [
    {
      provide: store,
      inject: [BERBIX_OPTIONS],
      useFactory: (options: Options) => options.reveal().store ?? new InMemoryTokenStore(),
    },
    {
      provide: BERBIX_TOKEN_OPTIONS,
      inject: [BERBIX_OPTIONS],
      useFactory: (options: Options): BerbixTokenAccountOptions => {
        const { storeTimeoutMs, encryption, loadTokens, onRotation, freshness } = options.reveal();
        return { account, storeTimeoutMs, encryption, loadTokens, onRotation, freshness };
      },
    },
    {
      provide: CheckedStore,
      inject: [store, BERBIX_TOKEN_OPTIONS],
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
 * Nest's ConfigurableModuleBuilder would keep the options as they were given, API secret and all,
 * where `util.inspect` of the application finds them; here they pass through a factory that
 * conceals them.
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

/** @param called what the function that made the options is called by its author */
function checkOptions(options: unknown, called: string): Options {
  if (typeof options === 'string') return concealed({ apiSecret: options });
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const what = Array.isArray(options) ? 'a list' : options === null ? 'null' : typeof options;
    throw new BerbixConfigurationError(
      `${called} of BerbixModule.forRootAsync returned ${what}. It must return the options, such as { apiSecret }; an arrow function with braces needs \`return\`.`,
    );
  }
  onlyKnown('BerbixModule.forRoot', options, OPTION_NAMES);
  return concealed(options as BerbixModuleOptions);
}

function concealed(given: BerbixModuleOptions): Options {
  const { encryption, ...rest } = given;
  return new ConcealedOptions({ ...rest, encryption: encryption && checkedEncryption(encryption) });
}

function checkExtras({ name, isGlobal }: BerbixModuleExtras): void {
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new BerbixConfigurationError(
      'name must be a non-empty string, or left out for the only account.',
    );
  }
  if (name === NAMELESS) {
    throw new BerbixConfigurationError(
      `name must not be "${NAMELESS}": what the account without a name stores goes by that.`,
    );
  }
  if (typeof isGlobal !== 'boolean') {
    throw new BerbixConfigurationError('isGlobal must be true or false.');
  }
}
