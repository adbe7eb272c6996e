import type { DynamicModule, Provider, Type } from '@nestjs/common';
import type {
  BerbixModuleAsyncOptions,
  BerbixModuleExtras,
  BerbixModuleOptions,
  BerbixOptionsFactory,
} from './berbix.options.js';
import {
  getBerbixTokenServiceToken,
  getBerbixTransactionServiceToken,
} from './berbix.injection-tokens.js';
import { BerbixConfigurationError } from './errors/index.js';
import { BERBIX_HTTP_OPTIONS, BerbixHttp, onlyKnown } from './http/index.js';
import { BerbixTokenService } from './tokens/index.js';
import { BerbixTransactionService } from './transactions/index.js';

const OPTION_NAMES = [
  'apiSecret',
  'apiHost',
  'timeoutMs',
  'totalTimeoutMs',
  'retry',
  'http',
  'allowInsecure',
] satisfies (keyof BerbixModuleOptions)[];

/** The dynamic module of one account. */
export function defineModule(module: Type, options: BerbixModuleAsyncOptions): DynamicModule {
  const { name, isGlobal = false, imports = [], extraProviders = [] } = options;
  checkExtras({ name, isGlobal });
  const services: [unknown, Type][] = [
    [getBerbixTokenServiceToken(name), BerbixTokenService],
    [getBerbixTransactionServiceToken(name), BerbixTransactionService],
  ];
  const aliases = services
    .filter(([token, service]) => token !== service)
    .map(([token, service]) => ({ provide: token, useExisting: service }) as Provider);
  return {
    module,
    global: isGlobal,
    imports,
    providers: [
      ...extraProviders,
      ...optionsProviders(options),
      BerbixHttp,
      BerbixTokenService,
      BerbixTransactionService,
      ...aliases,
    ],
    exports: services.map(([token]) => token as symbol | Type),
  };
}

/**
 * Nest's ConfigurableModuleBuilder would keep the options as they were given, API secret and all,
 * where `util.inspect` of the application finds them; here they pass through a factory that hides
 * the secret.
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
    return [
      {
        provide: BERBIX_HTTP_OPTIONS,
        inject: options.inject ?? [],
        useFactory: async (...args: unknown[]) => checkOptions(await make(...args)),
      },
    ];
  }
  const factory = (options.useExisting ?? options.useClass) as Type<BerbixOptionsFactory>;
  const provider: Provider = {
    provide: BERBIX_HTTP_OPTIONS,
    inject: [factory],
    useFactory: async (made: BerbixOptionsFactory) =>
      checkOptions(await made.createBerbixOptions()),
  };
  return options.useClass === undefined ? [provider] : [factory, provider];
}

function checkOptions(options: unknown): BerbixModuleOptions {
  if (typeof options === 'string') return concealed({ apiSecret: options });
  onlyKnown('BerbixModule.forRoot', options, OPTION_NAMES);
  return concealed(options as BerbixModuleOptions);
}

/** Printed or turned into JSON, the options do not show the secret. */
function concealed({ apiSecret, ...rest }: BerbixModuleOptions): BerbixModuleOptions {
  return Object.defineProperty(rest as BerbixModuleOptions, 'apiSecret', {
    value: apiSecret,
    enumerable: false,
  });
}

function checkExtras({ name, isGlobal }: BerbixModuleExtras): void {
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new BerbixConfigurationError(
      'name must be a non-empty string, or left out for the only account.',
    );
  }
  if (typeof isGlobal !== 'boolean') {
    throw new BerbixConfigurationError('isGlobal must be true or false.');
  }
}
