import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import {
  BerbixInvalidAccessTokenError,
  BerbixTokenService,
  BerbixVerificationService,
  InMemoryTokenStore,
  berbixConfig,
  type BerbixKeyProvider,
  type BerbixTokenStore,
} from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom, throwError, type Observable } from 'rxjs';
import { DataSource } from 'typeorm';
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
import { BerbixOverTypeOrmModule } from '../../examples/docs/stores/typeorm.js';
import { TimedTokenStore } from '../../examples/docs/stores/timed.token-store.js';
import { BeginController } from '../../examples/docs/verification/begin.js';
import { ResultController } from '../../examples/docs/verification/result.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { PLATFORMS, listen } from '../support/platforms.js';
import { quietNest } from '../support/sinks.js';
import { POSTGRES_URL, describeOnPostgres, postgresPool } from '../support/servers.js';
import { servicesFor, startModule, startSandbox } from '../support/services.js';
import { begun, berbixOf, sandboxOfEnvironment } from './support/docs.js';

quietNest();

// It has tests of its own, like those on the page.
await import('../../examples/docs/stores/timed.token-store.spec.js');

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

  it('hands tokens over to the store', async () => {
    const sandbox = await startSandbox();
    const customers = new Customers();
    await begun(sandbox, customers);
    const { tokens } = await servicesFor(sandbox);
    expect((await firstValueFrom(handOver(tokens, customers, 'ada'))).accessToken).toBeTruthy();
    expect((await firstValueFrom(tokens.fresh({ customerUid: 'ada' }))).accessToken).toBeTruthy();
  });

  it('calls a loader, and notifies of a new refresh token', async () => {
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

  it('repeats a refused call with another token', async () => {
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
    // The token is brand-new: another one would be refused too.
    expect(error).toMatchObject({ code: 'BERBIX_INVALID_ACCESS_TOKEN', retryable: true });
    expect(used).toHaveLength(1);
  });
});

/** The URL of the server, with the schema as its search path. */
function inSchema(schema: string): string {
  const url = new URL(POSTGRES_URL as string);
  url.searchParams.set('options', `-csearch_path=${schema}`);
  return url.href;
}

/** As TypeOrmModule of @nestjs/typeorm. */
function typeOrm(): DynamicModule {
  const useFactory = async (): Promise<DataSource> => {
    const url = process.env['DATABASE_URL'] ?? '';
    const source = await new DataSource({ type: 'postgres', url }).initialize();
    closeAfterTest(() => source.destroy());
    return source;
  };
  const provider = { provide: DataSource, useFactory };
  return { module: class {}, global: true, providers: [provider], exports: [DataSource] };
}

describeOnPostgres('docs/stores.md on PostgreSQL', () => {
  it.each<[string, () => ModuleMetadata['imports']]>([
    ['pg', () => [BerbixInPostgresModule]],
    ['TypeORM', () => [typeOrm(), BerbixOverTypeOrmModule]],
  ])('keeps tokens over %s', async (_, imports) => {
    const sandbox = await sandboxOfEnvironment();
    const pool = postgresPool();
    const schema = `docs_${randomBytes(8).toString('hex')}`;
    await pool.query(`CREATE SCHEMA ${schema}`);
    closeAfterTest(() => pool.query(`DROP SCHEMA ${schema} CASCADE`));
    await pool.query(PostgresTokenStore.sql(`${schema}.berbix_tokens`));
    process.env['DATABASE_URL'] = inSchema(schema);
    process.env['BERBIX_ENCRYPTION_KEYS'] = `k1:${randomBytes(32).toString('base64')}`;
    const module = await startModule({ module: class {}, imports: imports() ?? [] });
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

describe('docs/stores.md', () => {
  it('measures the steps of a store', async () => {
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

/** A KMS that inverts bits. */
const kms = { decrypt: async (wrapped: Uint8Array) => wrapped.map((byte) => byte ^ 0xff) };

describe('docs/encryption.md', () => {
  async function keysIn(store: BerbixTokenStore): Promise<string[]> {
    const { keys } = await store.keys('default/');
    const records = await Promise.all(keys.map((key) => store.load(key)));
    return records.map((record) => record?.value?.split('.')[1] ?? '');
  }

  it('uses keys from the environment', async () => {
    const sandbox = await sandboxOfEnvironment();
    process.env['BERBIX_ENCRYPTION_KEYS'] = `k1:${randomBytes(32).toString('base64')}`;
    const store = new InMemoryTokenStore();
    const module = await startModule(encrypted(store));
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    expect(await keysIn(store)).toEqual(['k1', 'k1']);
  });

  it('uses keys from a KMS, and re-encrypts with the newest', async () => {
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

describe.each(PLATFORMS)('on %s', (platform) => {
  /** An application with the controllers from the pages, for customers of an account. */
  async function backend(sandbox: BerbixSandbox): Promise<string> {
    const controllers = [BeginController, ResultController, VerificationController];
    const config = ConfigModule.forRoot({ isGlobal: true, load: [berbixConfig] });
    return listen(
      Test.createTestingModule({ imports: [config, berbixOf(sandbox)], controllers }),
      platform,
    );
  }

  it('docs/guard.md and docs/verification: begins, guards and answers the status', async () => {
    const sandbox = await sandboxOfEnvironment();
    process.env['BERBIX_TEMPLATE_KEY'] = sandbox.templateKeys.sdk;
    const url = await backend(sandbox);
    const get = (path: string, init: RequestInit = asAda): Promise<Response> =>
      fetch(`${url}${path}`, init);

    expect((await fetch(`${url}/verification/flags`)).status).toBe(401);
    expect((await get('/verification/flags')).status).toBe(404);
    expect(await (await get('/verification/status')).json()).toEqual({ status: 'not_started' });
    const begin = await get('/verification', { method: 'POST', ...asAda });
    expect(await begin.json()).toMatchObject({ clientToken: expect.any(String), isResumed: false });
    expect(await (await get('/verification/status')).json()).toEqual({ status: 'in_progress' });
    expect(await (await get('/verification/flags')).json()).toEqual([]);
  });
});

describe('docs/guard.md', () => {
  it('determines the customer of a socket by its connection', () => {
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
