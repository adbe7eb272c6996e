import { describe, expect, it } from '@jest/globals';
import {
  Injectable,
  Module,
  Scope,
  type DynamicModule,
  type InjectionToken,
  type Type,
} from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  BerbixConfigurationError,
  BerbixModule,
  BerbixTokenService,
  BerbixTokenStore,
  BerbixTransactionService,
  BerbixVerificationService,
  BerbixWebhookService,
  InMemoryTokenStore,
  getBerbixTokenServiceToken,
  getBerbixTokenStoreToken,
  getBerbixTransactionServiceToken,
  getBerbixVerificationServiceToken,
  getBerbixWebhookServiceToken,
  type BerbixModuleAsyncOptions,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { BerbixTestingModule, FakeBerbix } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { closeAfterTest, createTransaction, startSandbox } from '../support/services.js';

/** An application with these modules, for one test. */
async function start(
  imports: (Type | DynamicModule)[],
  options?: { moduleIdGeneratorAlgorithm?: 'reference' | 'deep-hash' },
) {
  @Module({ imports })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, {
    logger: false,
    abortOnError: false,
    ...options,
  });
  closeAfterTest(() => app.close());
  return app;
}

/** A feature of an application, with what it imports. */
function feature(...imports: DynamicModule[]): Type {
  @Module({ imports })
  class FeatureModule {}
  return FeatureModule;
}

describe('an account that is registered twice', () => {
  const eu = (apiSecret: string) => BerbixModule.forRoot({ name: 'eu', apiSecret });

  it.each<[string, (Type | DynamicModule)[], string]>([
    [
      'in two modules',
      [feature(BerbixModule.forRoot('secret_a')), feature(BerbixModule.forRoot('secret_a'))],
      'BerbixModule is registered more than once without a name.',
    ],
    [
      'with two secrets',
      [
        BerbixModule.forRoot('secret_a'),
        BerbixModule.forRootAsync({ useFactory: () => ({ apiSecret: 'secret_b' }) }),
      ],
      'BerbixModule is registered more than once without a name.',
    ],
    [
      'under one name with two secrets',
      [eu('secret_a'), feature(eu('secret_b'))],
      'BerbixModule is registered more than once with the name "eu".',
    ],
  ])('stops the boot: %s', async (_, imports, message) => {
    for (const moduleIdGeneratorAlgorithm of ['reference', 'deep-hash'] as const) {
      const booting = start(imports, { moduleIdGeneratorAlgorithm });
      await expect(booting).rejects.toThrow(BerbixConfigurationError);
      await expect(booting).rejects.toThrow(message);
      await expect(booting).rejects.not.toThrow('secret_');
    }
  });

  it('is one where several modules import the same dynamic module', async () => {
    for (const moduleIdGeneratorAlgorithm of ['reference', 'deep-hash'] as const) {
      const shared = BerbixModule.forRoot('secret_a');
      const app = await start([shared, feature(shared), feature(shared)], {
        moduleIdGeneratorAlgorithm,
      });
      expect(app.get(BerbixTokenService, { strict: false, each: true })).toHaveLength(1);
    }
  });

  it('is fine in another application of the process', async () => {
    const shared = BerbixModule.forRoot('secret_a');
    const [one, other] = [await start([shared]), await start([shared])];
    expect(one.get(BerbixTokenService)).not.toBe(other.get(BerbixTokenService));
  });
});

describe('an account with something request-scoped in its options', () => {
  @Injectable({ scope: Scope.REQUEST })
  class Tenant {}

  @Injectable()
  class Secrets {
    constructor(readonly tenant: Tenant) {}
  }
  Reflect.defineMetadata('design:paramtypes', [Tenant], Secrets);

  @Injectable()
  class Options {
    constructor(readonly secrets: Secrets) {}
    createBerbixOptions(): BerbixModuleOptions {
      return { apiSecret: 'secret_a' };
    }
  }
  Reflect.defineMetadata('design:paramtypes', [Secrets], Options);

  const useFactory = (): BerbixModuleOptions => ({ apiSecret: 'secret_a' });

  it.each<[string, BerbixModuleAsyncOptions, string]>([
    [
      'REQUEST',
      { inject: [REQUEST], useFactory },
      'The options depend on REQUEST, which is request-scoped',
    ],
    [
      'a provider that depends on such a one',
      { name: 'eu', extraProviders: [Tenant, Secrets], inject: [Secrets], useFactory },
      'The options of the account "eu" depend on Secrets, which is request-scoped or depends on something that is',
    ],
    [
      'a class of options that does',
      { extraProviders: [Tenant, Secrets], useClass: Options },
      'The options depend on Options, which is request-scoped or depends',
    ],
    [
      'a durable provider',
      {
        extraProviders: [
          { provide: 'tenant', scope: Scope.REQUEST, durable: true, useFactory: () => 'a' },
        ],
        inject: ['tenant'],
        useFactory,
      },
      'The options depend on tenant, which is request-scoped',
    ],
  ])('stops the boot: %s', async (_, options, message) => {
    const booting = start([BerbixModule.forRootAsync(options)]);
    await expect(booting).rejects.toThrow(BerbixConfigurationError);
    await expect(booting).rejects.toThrow(message);
  });

  it('is none where a provider is transient: the options are made once', async () => {
    let made = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {}
    const app = await start([
      BerbixModule.forRootAsync({
        extraProviders: [Transient],
        inject: [Transient],
        useFactory: () => ({ apiSecret: `secret_${++made}` }),
      }),
    ]);
    expect(app.get(BerbixTransactionService)).toBe(app.get(BerbixTransactionService));
    expect(made).toBe(1);
  });
});

const SERVICES: [name: string, service: Type, token: (name?: string) => InjectionToken][] = [
  ['BerbixTokenService', BerbixTokenService, getBerbixTokenServiceToken],
  ['BerbixTokenStore', BerbixTokenStore as Type, getBerbixTokenStoreToken],
  ['BerbixTransactionService', BerbixTransactionService, getBerbixTransactionServiceToken],
  ['BerbixVerificationService', BerbixVerificationService, getBerbixVerificationServiceToken],
  ['BerbixWebhookService', BerbixWebhookService, getBerbixWebhookServiceToken],
];

describe.each(SERVICES)('the %s of a named account', (_, service, tokenOf) => {
  const nameless = () => BerbixModule.forRoot('secret_a');
  const named = () => BerbixModule.forRoot({ name: 'eu', apiSecret: 'secret_b' });

  it('is never found under the class', async () => {
    for (const imports of [
      [nameless(), named()],
      [named(), nameless()],
      [BerbixTestingModule.forRoot(), BerbixTestingModule.forRoot({ name: 'eu' })],
    ]) {
      const app = await start(imports);
      const ofEu = app.get(tokenOf('eu'));
      expect(ofEu).toBeInstanceOf(service);
      expect(app.get(service)).toBeInstanceOf(service);
      expect(app.get(service)).not.toBe(ofEu);
      expect(app.get(service)).toBe(app.get(tokenOf()));
    }
    for (const imports of [[named()], [BerbixTestingModule.forRoot({ name: 'eu' })]]) {
      const app = await start(imports);
      expect(() => app.get(service)).toThrow('could not find');
    }
  });
});

describe('the parts of a named account', () => {
  it('work together, and are overridden together', async () => {
    const sandbox = await startSandbox();
    const store = new InMemoryTokenStore();
    const module = await Test.createTestingModule({
      imports: [
        BerbixModule.forRoot('secret_of_another'),
        BerbixModule.forRoot({ name: 'eu', apiSecret: sandbox.apiSecret, apiHost: sandbox.url }),
      ],
    })
      .overrideProvider(getBerbixTokenStoreToken('eu'))
      .useValue(store)
      .compile();
    closeAfterTest(() => module.close());
    const transactions = module.get<BerbixTransactionService>(
      getBerbixTransactionServiceToken('eu'),
    );
    const tokens = module.get<BerbixTokenService>(getBerbixTokenServiceToken('eu'));
    const created = await createTransaction(sandbox, { module, tokens, transactions });
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    expect((await store.keys('')).keys.length).toBeGreaterThan(0);
  });

  it('are those of the fake in a test', async () => {
    const berbix = new FakeBerbix();
    const module = await Test.createTestingModule({
      imports: [BerbixTestingModule.forRoot({ berbix, name: 'eu' })],
    }).compile();
    expect(module.get(getBerbixTokenServiceToken('eu'))).toBe(berbix.tokens);
    expect(module.get(getBerbixTokenStoreToken('eu'))).toBe(berbix.store);
  });
});
