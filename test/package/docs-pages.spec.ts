import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { ExpressAdapter } from '@nestjs/platform-express';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  BerbixInvalidAccessTokenError,
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  BerbixVerificationService,
  InMemoryTokenStore,
  type BerbixKeyProvider,
  type BerbixModuleOptions,
  type BerbixTokenStore,
} from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { firstValueFrom, throwError, type Observable } from 'rxjs';
import { Customers } from '../../examples/docs/customers.js';
import { encrypted } from '../../examples/docs/encryption/keys.js';
import { KmsKeys, encryptionBy } from '../../examples/docs/encryption/kms-keys.js';
import { reEncryptAll } from '../../examples/docs/encryption/re-encrypt.js';
import { berbixWithLoader } from '../../examples/docs/fresh/load.js';
import {
  VerificationModule as OwnTableModule,
  VerificationService,
} from '../../examples/docs/fresh/own-table.js';
import { withTokens } from '../../examples/docs/fresh/refused.js';
import { handOver } from '../../examples/docs/fresh/remember.js';
import { VerificationController } from '../../examples/docs/guard/controller.js';
import { RequireTokensOfSocket } from '../../examples/docs/guard/other-transports.js';
import { BerbixInPostgresModule } from '../../examples/docs/stores/postgres.js';
import { redisFor, storeIn } from '../../examples/docs/stores/redis.js';
import { TimedTokenStore } from '../../examples/docs/stores/timed.token-store.js';
import { adaAnHourLater } from '../../examples/docs/testing/dead-hour.js';
import { deliver } from '../../examples/docs/testing/deliver.js';
import { rejectedInUnitTest } from '../../examples/docs/testing/unit-test.js';
import { verifyAda } from '../../examples/docs/testing/whole-flow.js';
import { BeginController } from '../../examples/docs/verification/begin.js';
import { erase } from '../../examples/docs/verification/forget.js';
import { beginHosted } from '../../examples/docs/verification/hosted.js';
import { createApp } from '../../examples/docs/verification/main.js';
import { PeriodicReview } from '../../examples/docs/verification/re-verify.js';
import { ResultController, nameOf } from '../../examples/docs/verification/result.js';
import { Statuses } from '../../examples/docs/verification/statuses.js';
import { HooksController } from '../../examples/docs/verification/webhooks.controller.js';
import { errorOf } from '../support/errors.js';
import { PLATFORMS, listen } from '../support/platforms.js';
import { POSTGRES_URL, REDIS_URL, postgresPool, uniquePrefix } from '../support/servers.js';
import { closeAfterTest, servicesFor, startModule, startSandbox } from '../support/services.js';
import { everyViewOf } from '../support/sinks.js';

// Has tests of its own, as a page shows them.
await import('../../examples/docs/stores/timed.token-store.spec.js');

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

/** A sandbox, to which the environment leads. */
async function sandboxOfEnvironment(options?: BerbixSandboxOptions): Promise<BerbixSandbox> {
  const sandbox = await startSandbox(options);
  process.env['BERBIX_API_SECRET'] = sandbox.apiSecret;
  process.env['BERBIX_API_HOST'] = sandbox.url;
  return sandbox;
}

const berbixOf = (sandbox: BerbixSandbox, options?: Partial<BerbixModuleOptions>) =>
  BerbixModule.forRoot({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url, ...options });

/** A customer who has begun, with nothing but the refresh token in the application's table. */
async function begun(sandbox: BerbixSandbox, customers: Customers): Promise<void> {
  const { transactions } = await servicesFor(sandbox);
  const { sdk: templateKey } = sandbox.templateKeys;
  const tokens = await firstValueFrom(transactions.create({ customerUid: 'ada', templateKey }));
  await customers.save('ada', tokens.refreshToken);
}

const exchangesOf = (sandbox: BerbixSandbox): number =>
  [...sandbox.requests].filter(({ path }) => path === '/v0/tokens').length;

describe('docs/fresh-tokens.md', () => {
  it('keeps the refresh token in a table of the application', async () => {
    const sandbox = await sandboxOfEnvironment({ refreshToken: 'rotate' });
    const module = await Test.createTestingModule({ imports: [OwnTableModule] }).compile();
    closeAfterTest(() => module.close());
    const customers = module.get(Customers, { strict: false });
    await begun(sandbox, customers);
    const before = customers.refreshTokenOf('ada');
    for (let visit = 0; visit < 3; visit++) {
      const answer = await firstValueFrom(module.get(VerificationService).resume('ada'));
      expect(answer.clientToken).toBeTruthy();
    }
    expect(exchangesOf(sandbox)).toBe(1);
    expect(customers.refreshTokenOf('ada')).not.toBe(before);
  });

  it('hands over to the store', async () => {
    const sandbox = await startSandbox();
    const customers = new Customers();
    await begun(sandbox, customers);
    const { tokens } = await servicesFor(sandbox);
    expect((await firstValueFrom(handOver(tokens, customers, 'ada'))).accessToken).toBeTruthy();
    expect((await firstValueFrom(tokens.fresh({ customerUid: 'ada' }))).accessToken).toBeTruthy();
  });

  it('asks a loader, and tells of a new refresh token', async () => {
    const sandbox = await sandboxOfEnvironment({ refreshToken: 'rotate' });
    const module = await startModule(berbixWithLoader(new InMemoryTokenStore()));
    const customers = module.get(Customers, { strict: false });
    await begun(sandbox, customers);
    const tokens = module.get(BerbixTokenService);
    const fresh = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(customers.refreshTokenOf('ada')).toBe(fresh.refreshToken);
    const error = await errorOf(tokens.fresh({ customerUid: 'unknown' }));
    expect(error.code).toBe('BERBIX_NOT_FOUND');
  });

  it('makes a refused call once more, with another token', async () => {
    const sandbox = await startSandbox();
    const customers = new Customers();
    await begun(sandbox, customers);
    const { tokens } = await servicesFor(sandbox);
    const used: (string | undefined)[] = [];
    const refreshToken = customers.refreshTokenOf('ada');
    const call = ({ accessToken }: { accessToken: string | undefined }): Observable<never> => {
      used.push(accessToken);
      return throwError(() => new BerbixInvalidAccessTokenError('refused'));
    };
    const error = await errorOf(withTokens(tokens, refreshToken, call));
    // It came a moment ago: another would fare no better.
    expect(error).toMatchObject({ code: 'BERBIX_INVALID_ACCESS_TOKEN', retryable: true });
    expect(used).toHaveLength(1);
  });
});

/** The address of the server, with a schema for all that has none. */
function inSchema(schema: string): string {
  const url = new URL(POSTGRES_URL as string);
  url.searchParams.set('options', `-csearch_path=${schema}`);
  return url.href;
}

const onPostgres = POSTGRES_URL === undefined ? describe.skip : describe;
const onRedis = REDIS_URL === undefined ? describe.skip : describe;

onPostgres('docs/stores.md on PostgreSQL', () => {
  it('keeps tokens', async () => {
    const sandbox = await sandboxOfEnvironment();
    const pool = postgresPool();
    closeAfterTest(() => pool.end());
    const schema = `docs_${randomBytes(8).toString('hex')}`;
    await pool.query(`CREATE SCHEMA ${schema}`);
    closeAfterTest(() => pool.query(`DROP SCHEMA ${schema} CASCADE`));
    await pool.query(PostgresTokenStore.sql(`${schema}.berbix_tokens`));
    process.env['DATABASE_URL'] = inSchema(schema);
    process.env['BERBIX_ENCRYPTION_KEYS'] = `k1:${randomBytes(32).toString('base64')}`;
    const module = await startModule({ module: BerbixInPostgresModule });
    const verifications = module.get(BerbixVerificationService, { strict: false });
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(verifications.begin('ada', { templateKey }));
    const { rows } = await pool.query(`SELECT * FROM ${schema}.berbix_tokens ORDER BY key`);
    expect(rows.map(({ key }) => key)).toEqual([
      'default/customer/ada',
      expect.stringMatching(/^default\/transaction\/\d+$/),
    ]);
    for (const { value } of rows) expect(value).toMatch(/^b1\.k1\./);
  });
});

onRedis('docs/stores.md on Redis', () => {
  it('keeps tokens', async () => {
    const redis = redisFor(REDIS_URL ?? '');
    closeAfterTest(() => redis.quit());
    const prefix = uniquePrefix();
    const store = storeIn(redis, prefix);
    expect(store.durable).toBe(true);
    // Commands fail until it is connected, since none of them waits.
    await new Promise((resolve) => redis.once('ready', resolve));
    await store.commit('key', 0, 'value');
    expect((await store.load('key'))?.value).toBe('value');
    await redis.del(`${prefix}key`);
  });
});

describe('docs/stores.md', () => {
  it('times the steps of a store', async () => {
    const sandbox = await startSandbox();
    const steps: string[] = [];
    const store = new TimedTokenStore(new InMemoryTokenStore(), (step) => steps.push(step));
    const { module } = await servicesFor(sandbox, { store });
    const { sdk: templateKey } = sandbox.templateKeys;
    const verifications = module.get(BerbixVerificationService);
    await firstValueFrom(verifications.begin('ada', { templateKey }));
    expect(new Set(steps)).toEqual(new Set(['load', 'lease', 'commit']));
  });
});

/** A KMS that turns bits round. */
const kms = { decrypt: async (wrapped: Uint8Array) => wrapped.map((byte) => byte ^ 0xff) };

describe('docs/encryption.md', () => {
  async function keysIn(store: BerbixTokenStore): Promise<string[]> {
    const { keys } = await store.keys('default/');
    const records = await Promise.all(keys.map((key) => store.load(key)));
    return records.map((record) => record?.value?.split('.')[1] ?? '');
  }

  it('takes the keys from the environment', async () => {
    const sandbox = await sandboxOfEnvironment();
    process.env['BERBIX_ENCRYPTION_KEYS'] = `k1:${randomBytes(32).toString('base64')}`;
    const store = new InMemoryTokenStore();
    const module = await startModule(encrypted(store));
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    expect(await keysIn(store)).toEqual(['k1', 'k1']);
  });

  it('takes them from a KMS, and encrypts anew with the newest', async () => {
    const sandbox = await startSandbox();
    const store = new InMemoryTokenStore();
    const wrapped = new Map([['k1', randomBytes(32)]]);
    const keys = (): BerbixKeyProvider => new KmsKeys(kms, wrapped);
    const encryption = encryptionBy(keys());
    const { module, tokens } = await servicesFor(sandbox, { store, encryption });
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    wrapped.set('k2', randomBytes(32));
    const { log } = console;
    let printed = '';
    console.log = (text: string) => (printed = text);
    await reEncryptAll(store, keys()).finally(() => (console.log = log));
    expect(printed).toBe('2 of 2 values have another key now');
    expect(await keysIn(store)).toEqual(['k2', 'k2']);
    expect((await firstValueFrom(tokens.fresh({ customerUid: 'ada' }))).accessToken).toBeTruthy();
    await expect(new KmsKeys(kms, new Map()).current()).rejects.toThrow('There is no data key.');
  });
});

const asAda = { headers: { 'x-user': 'ada' } };

describe.each(PLATFORMS)('on %s', (_platform, adapter) => {
  /** An application with the controllers of the pages, for customers of an account. */
  async function backend(sandbox: BerbixSandbox): Promise<string> {
    const controllers = [BeginController, ResultController, VerificationController];
    return listen(Test.createTestingModule({ imports: [berbixOf(sandbox)], controllers }), adapter);
  }

  it('docs/guard.md and docs/verification: begins, guards, tells how it stands', async () => {
    const sandbox = await startSandbox();
    const url = await backend(sandbox);
    const get = (path: string, init: RequestInit = asAda): Promise<Response> =>
      fetch(`${url}${path}`, init);

    expect((await fetch(`${url}/verification/flags`)).status).toBe(401);
    expect((await get('/verification/flags')).status).toBe(404);
    expect(await (await get('/verification/status')).json()).toEqual({ status: 'not_started' });
    process.env['BERBIX_TEMPLATE_KEY'] = sandbox.templateKeys.sdk;
    const begin = await get('/verification', { method: 'POST', ...asAda });
    expect(await begin.json()).toMatchObject({ clientToken: expect.any(String), isResumed: false });
    expect(await (await get('/verification/status')).json()).toEqual({ status: 'in_progress' });
    expect(await (await get('/verification/flags')).json()).toEqual([]);
  });
});

describe('docs/guard.md', () => {
  it('names the customer of a socket by its connection', () => {
    class Gateway {
      on(): void {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Gateway.prototype, 'on');
    RequireTokensOfSocket()(Gateway.prototype, 'on', descriptor as PropertyDescriptor);
    const { resolve } = Reflect.getMetadata('berbix:fresh-tokens', Gateway.prototype.on) as {
      resolve(message: unknown, context: unknown): unknown;
    };
    const context = {
      switchToWs: () => ({ getClient: () => ({ data: { user: { id: 'ada' } } }) }),
    };
    expect(resolve({ user: { id: 'eve' } }, context)).toEqual({ customerUid: 'ada' });
  });
});

describe('docs/verification', () => {
  async function verified(sandbox: BerbixSandbox): Promise<TestingModule> {
    const module = await Test.createTestingModule({
      imports: [berbixOf(sandbox)],
      providers: [PeriodicReview],
    }).compile();
    closeAfterTest(() => module.close());
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    const transactions = module.get(BerbixTransactionService);
    const result = { responsePayload: 'us-dl', overrideFields: { given_name: 'ADA' } } as const;
    await firstValueFrom(transactions.override({ customerUid: 'ada' }, result));
    return module;
  }

  it('begin-and-resume.md: is hosted', async () => {
    const sandbox = await startSandbox();
    const { module } = await servicesFor(sandbox);
    const verifications = module.get(BerbixVerificationService);
    const { hosted } = sandbox.templateKeys;
    const start = await firstValueFrom(beginHosted(verifications, 'ada', hosted));
    expect(start.hostedUrl).toMatch(/^http/);
  });

  it('begin-and-resume.md: takes up what was handed over, with whatever template', async () => {
    const sandbox = await startSandbox();
    const customers = new Customers();
    await begun(sandbox, customers);
    const { module, tokens } = await servicesFor(sandbox);
    await firstValueFrom(handOver(tokens, customers, 'ada'));
    const verifications = module.get(BerbixVerificationService);
    const start = await firstValueFrom(verifications.begin('ada', { templateKey: 'tpk_any' }));
    expect(start).toMatchObject({ isResumed: true, clientToken: expect.any(String) });
  });

  it('begin-and-resume.md: begins anew with another template, also after a finished one', async () => {
    const sandbox = await startSandbox();
    const verifications = (await verified(sandbox)).get(BerbixVerificationService);
    const { sdk, hosted } = sandbox.templateKeys;
    const again = errorOf(verifications.begin('ada', { templateKey: sdk }));
    expect((await again).code).toBe('BERBIX_CONFLICT');
    const start = await firstValueFrom(beginHosted(verifications, 'ada', hosted));
    expect(start.isResumed).toBe(false);
  });

  it('re-verify.md: begins again, and reads what was before', async () => {
    const sandbox = await startSandbox();
    const review = (await verified(sandbox)).get(PeriodicReview);
    expect(await firstValueFrom(review.actions('ada'))).toEqual(['accept']);
    await firstValueFrom(review.begin('ada', sandbox.templateKeys.sdk));
    expect(await firstValueFrom(review.actions('ada'))).toEqual(['accept', undefined]);
  });

  it('result.md: has the name of those who are accepted', async () => {
    const module = await verified(await startSandbox());
    const result = await firstValueFrom(module.get(BerbixVerificationService).result('ada'));
    expect(nameOf(result)).toMatch(/^ADA \w+$/);
    expect(nameOf({ ...result, status: 'review' })).toBeUndefined();
  });

  it('forget.md: says whether to try again', async () => {
    const sandbox = await startSandbox();
    const verifications = (await verified(sandbox)).get(BerbixVerificationService);
    sandbox.faults.add({ kind: 'status', status: 503, times: 10 });
    expect(await erase(verifications, 'ada')).toBe(false);
    sandbox.faults.clear();
    expect(await erase(verifications, 'ada')).toBe(true);
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('gone');
    await expect(erase(verifications, '')).rejects.toMatchObject({ code: 'BERBIX_INPUT' });
  });
});

describe('docs/verification/webhooks.md and docs/testing.md', () => {
  it('lets an hour pass', async () => {
    const sandbox = await startSandbox();
    const { module } = await servicesFor(sandbox);
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    await adaAnHourLater(module.createNestApplication(), sandbox);
    expect(sandbox.requests.to('POST', '/v0/tokens')).toHaveLength(1);
    expect(sandbox.requests.last?.path).toBe('/v0/transactions');
  });

  it('fakes a Berbix for unit tests', async () => {
    expect(await rejectedInUnitTest()).toBe('rejected');
  });

  async function hooksOf(
    sandbox: BerbixSandbox,
    make: () => Promise<INestApplication>,
  ): Promise<{ app: INestApplication; url: string }> {
    process.env['BERBIX_WEBHOOK_FINISHED_SECRET'] = sandbox.webhookSecrets.finished;
    process.env['BERBIX_WEBHOOK_STATUS_SECRET'] = `old,${sandbox.webhookSecrets.status}`;
    const app = await make();
    app.useLogger(false);
    closeAfterTest(() => app.close());
    await app.listen(0, '127.0.0.1');
    return { app, url: `http://127.0.0.1:${new URL(await app.getUrl()).port}` };
  }

  it('handles what is signed, once, whatever comes of it', async () => {
    const sandbox = await sandboxOfEnvironment();
    const { app, url } = await hooksOf(sandbox, createApp);
    await verifyAda(app, sandbox);
    expect(app.get(Statuses).get('ada')).toBe('accepted');
    expect([...sandbox.deliveries].every(({ delivered }) => delivered)).toBe(true);
    const hook = `${url}/webhooks/berbix/status`;
    expect(await deliver(hook, 'old', 'accept')).toBe(204);
    expect(await deliver(hook, 'another', 'accept')).toBe(401);
  });

  it.each(PLATFORMS)('takes them in a controller of its own, on %s', async (_name, adapter) => {
    const sandbox = await startSandbox();
    const secret = 'whs_test_mine';
    const { url } = await hooksOf(sandbox, async () => {
      const module = await Test.createTestingModule({
        imports: [berbixOf(sandbox, { webhooks: { finished: secret } })],
        controllers: [HooksController],
      }).compile();
      return module.createNestApplication(adapter() as ExpressAdapter, { rawBody: true });
    });
    expect(await deliver(`${url}/hooks/finished`, secret, 'accept')).toBe(204);
    expect(await deliver(`${url}/hooks/finished`, 'another', 'accept')).toBe(401);
  });

  it('shows no secret', async () => {
    const sandbox = await sandboxOfEnvironment();
    const { app } = await hooksOf(sandbox, createApp);
    const views = await everyViewOf(app.get(BerbixVerificationService));
    expect(views).not.toContain(sandbox.webhookSecrets.finished);
  });
});
