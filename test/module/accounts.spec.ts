import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, Scope, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
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
  InMemoryTokenStore,
  getBerbixToken,
  type BerbixModuleAsyncOptions,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { BerbixTestingModule, FakeBerbix } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { closeAfterTest } from '../support/closing.js';
import { createTransaction, startSandbox } from '../support/services.js';

class TestReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

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
  const eu = (apiSecret: string) => BerbixModule.forRoot({ account: 'eu', apiSecret });

  it.each<[string, (Type | DynamicModule)[], string]>([
    [
      'in two modules',
      [feature(BerbixModule.forRoot('secret_a')), feature(BerbixModule.forRoot('secret_a'))],
      'BerbixModule is registered more than once.',
    ],
    [
      'with two secrets',
      [
        BerbixModule.forRoot('secret_a'),
        BerbixModule.forRootAsync({ useFactory: () => ({ apiSecret: 'secret_b' }) }),
      ],
      'BerbixModule is registered more than once.',
    ],
    [
      'under one name with two secrets',
      [eu('secret_a'), feature(eu('secret_b'))],
      'BerbixModule is registered more than once for the account "eu".',
    ],
  ])('stops the boot: %s', async (_, imports, message) => {
    for (const moduleIdGeneratorAlgorithm of ['reference', 'deep-hash'] as const) {
      const booting = start(imports, { moduleIdGeneratorAlgorithm });
      await expect(booting).rejects.toThrow(BerbixConfigurationError);
      await expect(booting).rejects.toThrow(message);
      await expect(booting).rejects.not.toThrow('secret_');
    }
  });

  it('is one account if several modules import the same dynamic module', async () => {
    for (const moduleIdGeneratorAlgorithm of ['reference', 'deep-hash'] as const) {
      const shared = BerbixModule.forRoot('secret_a');
      const app = await start([shared, feature(shared), feature(shared)], {
        moduleIdGeneratorAlgorithm,
      });
      expect(app.get(BerbixTokenService, { strict: false, each: true })).toHaveLength(1);
    }
  });

  it('is allowed in another application of the process', async () => {
    const shared = BerbixModule.forRoot('secret_a');
    const [one, other] = [await start([shared]), await start([shared])];
    expect(one.get(BerbixTokenService)).not.toBe(other.get(BerbixTokenService));
  });
});

describe('a named account', () => {
  it('has every service, and records, events and metrics with its name', async () => {
    const reader = new TestReader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    try {
      const { apiSecret, url: apiHost, templateKeys } = await startSandbox();
      const app = await start([BerbixModule.forRoot({ account: 'eu', apiSecret, apiHost })]);
      const serviceOf = <T>(service: Type<T>): T => app.get(getBerbixToken(service, 'eu'));
      const told: string[] = [];
      serviceOf(BerbixEvents).events$.subscribe(({ kind, account }) =>
        told.push(`${account}: ${kind}`),
      );
      const verifications = serviceOf(BerbixVerificationService);
      await firstValueFrom(verifications.begin('ada', { templateKey: templateKeys.sdk }));
      const ada = { customerUid: 'ada' };
      expect(await firstValueFrom(serviceOf(BerbixTransactionService).fetch(ada))).toMatchObject(
        ada,
      );
      expect(await firstValueFrom(verifications.result('ada'))).toMatchObject({
        status: 'in_progress',
      });
      const health = await serviceOf(BerbixHealthService).check();
      expect(health).toEqual({ status: 'up', berbix: 'up', store: 'up' });
      const store = app.get(getBerbixToken(BerbixTokenStore, 'eu'));
      const accounts = (await store.keys('')).keys.map((key) => key.split('/')[0]);
      expect(new Set(accounts)).toEqual(new Set(['eu']));
      await setImmediate();
      expect(told).toEqual(['eu: verification.begun']);
      const { resourceMetrics } = await reader.collect();
      const gauges = resourceMetrics.scopeMetrics.flatMap((scope) =>
        scope.metrics
          .filter(({ descriptor }) => /cache|circuit|queue/.test(descriptor.name))
          .flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes)),
      );
      const eu = { 'berbix.account': 'eu' };
      expect(gauges).toEqual([eu, eu, eu]);
    } finally {
      metrics.disable();
    }
  });
});

describe('an account with a request-scoped provider in its options', () => {
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
      'a provider that depends on such a provider',
      { account: 'eu', extraProviders: [Tenant, Secrets], inject: [Secrets], useFactory },
      'The options of the account "eu" depend on Secrets, which is request-scoped or depends on a request-scoped provider',
    ],
    [
      'a class of options that depends on one',
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

  it('may have a transient provider, since the options are created once', async () => {
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

const SERVICES: Type[] = [
  BerbixTokenService,
  BerbixTokenStore as Type,
  BerbixTransactionService,
  BerbixVerificationService,
  BerbixWebhookService,
];

describe.each(SERVICES.map((service) => [service.name, service] as const))(
  'the %s of a named account',
  (_, service) => {
    const nameless = () => BerbixModule.forRoot('secret_a');
    const named = () => BerbixModule.forRoot({ account: 'eu', apiSecret: 'secret_b' });

    it('is never found under the class', async () => {
      for (const imports of [
        [nameless(), named()],
        [named(), nameless()],
        [BerbixTestingModule.forRoot(), BerbixTestingModule.forRoot({ account: 'eu' })],
      ]) {
        const app = await start(imports);
        const ofEu = app.get(getBerbixToken(service, 'eu'));
        expect(ofEu).toBeInstanceOf(service);
        expect(app.get(service)).toBeInstanceOf(service);
        expect(app.get(service)).not.toBe(ofEu);
        expect(app.get(service)).toBe(app.get(getBerbixToken(service)));
      }
      for (const imports of [[named()], [BerbixTestingModule.forRoot({ account: 'eu' })]]) {
        const app = await start(imports);
        expect(() => app.get(service)).toThrow('could not find');
      }
    });
  },
);

describe('the parts of a named account', () => {
  it('work together, and are overridden together', async () => {
    const sandbox = await startSandbox();
    const store = new InMemoryTokenStore();
    const module = await Test.createTestingModule({
      imports: [
        BerbixModule.forRoot('secret_of_another'),
        BerbixModule.forRoot({ account: 'eu', apiSecret: sandbox.apiSecret, apiHost: sandbox.url }),
      ],
    })
      .overrideProvider(getBerbixToken(BerbixTokenStore, 'eu'))
      .useValue(store)
      .compile();
    closeAfterTest(() => module.close());
    const transactions = module.get<BerbixTransactionService>(
      getBerbixToken(BerbixTransactionService, 'eu'),
    );
    const tokens = module.get<BerbixTokenService>(getBerbixToken(BerbixTokenService, 'eu'));
    const created = await createTransaction(sandbox, { module, tokens, transactions });
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    expect((await store.keys('')).keys.length).toBeGreaterThan(0);
  });

  it('are those of the fake in tests', async () => {
    const berbix = new FakeBerbix();
    const module = await Test.createTestingModule({
      imports: [BerbixTestingModule.forRoot({ berbix, account: 'eu' })],
    }).compile();
    expect(module.get(getBerbixToken(BerbixTokenService, 'eu'))).toBe(berbix.tokens);
    expect(module.get(getBerbixToken(BerbixTokenStore, 'eu'))).toBe(berbix.store);
  });
});
