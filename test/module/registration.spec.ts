import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BerbixConfigurationError,
  BerbixEvents,
  BerbixHealthService,
  BerbixModule,
  BerbixTokenService,
  BerbixTokenStore,
  BerbixTransactionService,
  BerbixVerificationService,
  BerbixWebhookService,
  InjectBerbix,
  getBerbixToken,
  type BerbixModuleAsyncOptions,
  type BerbixModuleOptions,
  type BerbixOptionsFactory,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { startModule, startSandbox } from '../support/services.js';

/** Like a vault or a database module in an application. */
@Injectable()
class Vault {
  static sandbox: BerbixSandbox;

  read(): string {
    return Vault.sandbox.apiSecret;
  }
}

@Module({ providers: [Vault], exports: [Vault] })
class VaultModule {}

@Injectable()
class OptionsFromVault implements BerbixOptionsFactory {
  constructor(@Inject(Vault) private readonly vault: Vault) {}

  createBerbixOptions(): BerbixModuleOptions {
    return { apiSecret: this.vault.read(), apiHost: Vault.sandbox.url };
  }
}

@Module({ imports: [VaultModule], providers: [OptionsFromVault], exports: [OptionsFromVault] })
class OptionsModule {}

const host = (): string => Vault.sandbox.url;

const STYLES: [string, () => BerbixModuleAsyncOptions][] = [
  [
    'useFactory',
    () => ({ useFactory: () => ({ apiSecret: Vault.sandbox.apiSecret, apiHost: host() }) }),
  ],
  [
    'an async useFactory',
    () => ({ useFactory: async () => ({ apiSecret: Vault.sandbox.apiSecret, apiHost: host() }) }),
  ],
  [
    'useFactory, inject and imports',
    () => ({
      imports: [VaultModule],
      inject: [Vault],
      useFactory: (vault: Vault) => ({ apiSecret: vault.read(), apiHost: host() }),
    }),
  ],
  [
    'useFactory with an optional dependency',
    () => ({
      inject: [{ token: 'absent', optional: true }],
      useFactory: (absent?: string) => ({
        apiSecret: absent ?? Vault.sandbox.apiSecret,
        apiHost: host(),
      }),
    }),
  ],
  [
    'extraProviders',
    () => ({
      extraProviders: [Vault],
      inject: [Vault],
      useFactory: (vault: Vault) => ({ apiSecret: () => vault.read(), apiHost: host() }),
    }),
  ],
  ['useClass', () => ({ imports: [VaultModule], useClass: OptionsFromVault })],
  ['useClass and extraProviders', () => ({ extraProviders: [Vault], useClass: OptionsFromVault })],
  ['useExisting', () => ({ imports: [OptionsModule], useExisting: OptionsFromVault })],
];

async function expectWorking(tokens: BerbixTokenService): Promise<void> {
  expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({
    code: 'BERBIX_INVALID_REFRESH_TOKEN',
    status: 401,
  });
}

describe('forRootAsync()', () => {
  it('exports every service', async () => {
    const services = [
      BerbixTokenStore,
      BerbixTokenService,
      BerbixTransactionService,
      BerbixVerificationService,
      BerbixWebhookService,
      BerbixEvents,
      BerbixHealthService,
    ] as Type[];
    const module = await Test.createTestingModule({
      imports: [BerbixModule.forRootAsync({ useFactory: () => ({ apiSecret: 's' }) })],
      providers: [{ provide: 'all', inject: services, useFactory: (...all: unknown[]) => all }],
    }).compile();
    const all: unknown[] = module.get('all');
    for (const [i, service] of services.entries()) expect(all[i]).toBeInstanceOf(service);
  });

  it.each(STYLES)('%s', async (_style, options) => {
    Vault.sandbox = await startSandbox();
    const module = await startModule(BerbixModule.forRootAsync(options()));
    await expectWorking(module.get(BerbixTokenService));
  });

  it.each([{}, { useFactory: () => ({ apiSecret: 'x' }), useClass: OptionsFromVault }])(
    'requires exactly one style, not %p',
    (options) => {
      expect(() => BerbixModule.forRootAsync(options)).toThrow(
        'exactly one of useFactory, useClass and useExisting',
      );
    },
  );

  class Forgetful {
    createBerbixOptions(): void {}
  }
  class Misspelt {
    createBerbixOption(): void {}
  }
  const accountOptions = async (): Promise<void> => {};

  it.each<[string, unknown]>([
    ['useFactory of BerbixModule.forRootAsync returned undefined', { useFactory: () => {} }],
    ['useFactory of BerbixModule.forRootAsync returned null', { useFactory: () => null }],
    ['useFactory of BerbixModule.forRootAsync returned string.', { useFactory: () => 'secret' }],
    ['useFactory of BerbixModule.forRootAsync returned a list', { useFactory: async () => [] }],
    ['useFactory (accountOptions) of BerbixModule', { useFactory: accountOptions }],
    ['Forgetful.createBerbixOptions of BerbixModule', { useClass: Forgetful }],
    ['Misspelt.createBerbixOptions must be a function', { useClass: Misspelt }],
    ['useFactory must be a function', { useFactory: { apiSecret: 's' } }],
    ['imports must be a list', { useFactory: () => ({}), imports: null }],
    ['extraProviders must be a list', { useFactory: () => ({}), extraProviders: {} }],
  ])('names the function that returns no options: %s', async (message, options) => {
    const boot = () => startModule(BerbixModule.forRootAsync(options as never));
    const error = await errorOf(boot, BerbixConfigurationError);
    expect(error.message).toContain(message);
  });

  const useFactory = (): BerbixModuleOptions => ({ apiSecret: 's' });

  it.each<[unknown, RegExp]>([
    [{ useFactory, isGlobl: true }, /no option named "isGlobl"\. It takes .*isGlobal/],
    [{ useFactory, acount: 'eu' }, /no option named "acount"\. It takes .*account/],
    [undefined, /forRootAsync must be an object/],
    [null, /forRootAsync must be an object/],
  ])('refuses %j', (options, message) => {
    const declare = (): unknown => BerbixModule.forRootAsync(options as BerbixModuleAsyncOptions);
    expect(declare).toThrow(BerbixConfigurationError);
    expect(declare).toThrow(message);
  });
});

describe('isGlobal', () => {
  @Injectable()
  class Consumer {
    constructor(@Inject(BerbixTokenService) readonly tokens: BerbixTokenService) {}
  }

  @Module({ providers: [Consumer] })
  class FeatureModule {}

  const compile = (
    isGlobal: boolean | undefined,
    asynchronous: boolean,
  ): ReturnType<typeof startModule> =>
    startModule(
      asynchronous
        ? BerbixModule.forRootAsync({ isGlobal, useFactory: () => ({ apiSecret: 's' }) })
        : BerbixModule.forRoot({ isGlobal, apiSecret: 's' }),
      { module: FeatureModule },
    );

  it.each([false, true])(
    'makes the services available everywhere (async: %p)',
    async (asynchronous) => {
      const module = await compile(true, asynchronous);
      expect(module.get(Consumer, { strict: false }).tokens).toBeInstanceOf(BerbixTokenService);
    },
  );

  it.each([false, true])('is off by default (async: %p)', async (asynchronous) => {
    await expect(compile(undefined, asynchronous)).rejects.toThrow("can't resolve dependencies");
  });

  it('must be a boolean', () => {
    expect(() => BerbixModule.forRoot({ apiSecret: 's', isGlobal: 'yes' as never })).toThrow(
      'isGlobal must be true or false',
    );
  });
});

describe('name', () => {
  @Injectable()
  class Consumer {
    constructor(
      @Inject(BerbixTokenService) readonly main: BerbixTokenService,
      @InjectBerbix(BerbixTokenService, 'eu') readonly eu: BerbixTokenService,
      @InjectBerbix(BerbixTokenService, 'us') readonly us: BerbixTokenService,
      @InjectBerbix(BerbixTransactionService, 'us') readonly transactions: BerbixTransactionService,
    ) {}
  }

  it('separates several accounts in one application', async () => {
    const [main, eu, us] = [await startSandbox(), await startSandbox(), await startSandbox()];
    const module = await Test.createTestingModule({
      imports: [
        BerbixModule.forRoot({ apiSecret: main.apiSecret, apiHost: main.url }),
        BerbixModule.forRoot({ account: 'eu', apiSecret: eu.apiSecret, apiHost: eu.url }),
        BerbixModule.forRootAsync({
          account: 'us',
          useFactory: () => ({ apiSecret: us.apiSecret, apiHost: us.url }),
        }),
      ],
      providers: [Consumer],
    }).compile();
    closeAfterTest(() => module.close());
    const consumer = module.get(Consumer);
    for (const [tokens, sandbox] of [
      [consumer.main, main],
      [consumer.eu, eu],
      [consumer.us, us],
    ] as const) {
      await expectWorking(tokens);
      expect(sandbox.requests.length).toBe(1);
    }
    expect(consumer.transactions).toBeInstanceOf(BerbixTransactionService);
    expect(module.get(getBerbixToken(BerbixTokenService, 'eu'), { strict: false })).toBe(
      consumer.eu,
    );
    expect(module.get(getBerbixToken(BerbixTransactionService, 'us'), { strict: false })).toBe(
      consumer.transactions,
    );
    expect(getBerbixToken(BerbixTokenService)).toBe(BerbixTokenService);
    expect(getBerbixToken(BerbixTransactionService)).toBe(BerbixTransactionService);
  });

  it('hides a named account from injections of the class', async () => {
    const module = Test.createTestingModule({
      imports: [BerbixModule.forRoot({ account: 'eu', apiSecret: 's' })],
      providers: [
        {
          provide: 'consumer',
          inject: [BerbixTokenService as Type],
          useFactory: (service: unknown) => service,
        },
      ],
    });
    await expect(module.compile()).rejects.toThrow("can't resolve dependencies");
  });

  it('must not be empty', () => {
    expect(() => BerbixModule.forRoot({ apiSecret: 's', account: '' })).toThrow(
      'account must be the name of an account. Omit it if there is only one.',
    );
    expect(() => InjectBerbix(BerbixTokenService, '')).toThrow('must be the name of an account');
  });

  it('is "default" without a name', async () => {
    const [withName, without] = [
      BerbixModule.forRoot({ apiSecret: 's', account: 'default' }),
      BerbixModule.forRoot('s'),
    ];
    const module = await Test.createTestingModule({ imports: [withName] }).compile();
    expect(module.get(getBerbixToken(BerbixTokenService, 'default'))).toBe(
      module.get(BerbixTokenService),
    );
    const both = Test.createTestingModule({ imports: [withName, without] });
    await expect(both.compile()).rejects.toThrow('registered more than once.');
  });

  it('is only for classes', () => {
    expect(() => InjectBerbix(undefined as never, 'eu')).toThrow('look for a circular import');
  });
});

describe('testing an application', () => {
  it('can override the service', async () => {
    const fake = { refresh: () => 'fake' };
    const module = await Test.createTestingModule({
      imports: [BerbixModule.forRoot('secret_test_x')],
    })
      .overrideProvider(BerbixTokenService)
      .useValue(fake)
      .compile();
    closeAfterTest(() => module.close());
    expect(module.get(BerbixTokenService)).toBe(fake);
  });
});
