import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BerbixConfigurationError,
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  InjectBerbixTokenService,
  InjectBerbixTransactionService,
  getBerbixTokenServiceToken,
  getBerbixTransactionServiceToken,
  type BerbixModuleAsyncOptions,
  type BerbixModuleOptions,
  type BerbixOptionsFactory,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { errorOf } from '../support/errors.js';
import { closeAfterTest, startModule, startSandbox } from '../support/services.js';

/** What a vault or a database module would be in an application. */
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
  it.each(STYLES)('%s', async (_style, options) => {
    Vault.sandbox = await startSandbox();
    const module = await startModule(BerbixModule.forRootAsync(options()));
    await expectWorking(module.get(BerbixTokenService));
  });

  it.each([{}, { useFactory: () => ({ apiSecret: 'x' }), useClass: OptionsFromVault }])(
    'wants one style, not %p',
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
    ['useFactory of BerbixModule.forRootAsync returned a list', { useFactory: async () => [] }],
    ['useFactory (accountOptions) of BerbixModule', { useFactory: accountOptions }],
    ['Forgetful.createBerbixOptions of BerbixModule', { useClass: Forgetful }],
    ['Misspelt.createBerbixOptions must be a function', { useClass: Misspelt }],
    ['useFactory must be a function', { useFactory: { apiSecret: 's' } }],
    ['imports must be a list', { useFactory: () => ({}), imports: null }],
    ['extraProviders must be a list', { useFactory: () => ({}), extraProviders: {} }],
  ])('names what gives no options: %s', async (message, options) => {
    const boot = (async () => startModule(BerbixModule.forRootAsync(options as never)))();
    const error = await boot.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BerbixConfigurationError);
    expect((error as Error).message).toContain(message);
  });

  const useFactory = (): BerbixModuleOptions => ({ apiSecret: 's' });

  it.each<[unknown, RegExp]>([
    [{ useFactory, isGlobl: true }, /no option named "isGlobl"\. It takes .*isGlobal/],
    [{ useFactory, nmae: 'eu' }, /no option named "nmae"\. It takes .*name/],
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

  it.each([false, true])('is off unless asked for (async: %p)', async (asynchronous) => {
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
      @InjectBerbixTokenService('eu') readonly eu: BerbixTokenService,
      @InjectBerbixTokenService('us') readonly us: BerbixTokenService,
      @InjectBerbixTransactionService('us') readonly transactions: BerbixTransactionService,
    ) {}
  }

  it('keeps several accounts apart in one application', async () => {
    const [main, eu, us] = [await startSandbox(), await startSandbox(), await startSandbox()];
    const module = await Test.createTestingModule({
      imports: [
        BerbixModule.forRoot({ apiSecret: main.apiSecret, apiHost: main.url }),
        BerbixModule.forRoot({ name: 'eu', apiSecret: eu.apiSecret, apiHost: eu.url }),
        BerbixModule.forRootAsync({
          name: 'us',
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
    expect(module.get(getBerbixTokenServiceToken('eu'), { strict: false })).toBe(consumer.eu);
    expect(module.get(getBerbixTransactionServiceToken('us'), { strict: false })).toBe(
      consumer.transactions,
    );
    expect(getBerbixTokenServiceToken()).toBe(BerbixTokenService);
    expect(getBerbixTransactionServiceToken()).toBe(BerbixTransactionService);
  });

  it('hides a named account from those who inject the class', async () => {
    const module = Test.createTestingModule({
      imports: [BerbixModule.forRoot({ name: 'eu', apiSecret: 's' })],
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
    expect(() => BerbixModule.forRoot({ apiSecret: 's', name: '' })).toThrow(
      'name must be a non-empty string',
    );
  });

  it('must not be the one under which the account without a name stores', () => {
    expect(() => BerbixModule.forRoot({ apiSecret: 's', name: 'default' })).toThrow(
      'name must not be "default"',
    );
  });
});

describe('testing an application', () => {
  it('allows to override the service', async () => {
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
