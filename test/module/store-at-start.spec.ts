import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BerbixModule,
  BerbixStoreError,
  BerbixTokenService,
  InMemoryTokenStore,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';
import type { BerbixTokenStore } from '../../lib/token-store/index.js';
import { camelCased } from '../support/camel-cased.js';
import { changed } from '../support/changed-store.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import {
  describeOnPostgres,
  describeOnRedis,
  freePort,
  makeTable,
  postgresPool,
  redisClient,
  sharedPglite,
  uniquePrefix,
  uniqueTable,
  silentServer,
} from '../support/servers.js';

const ENCRYPTION = { keys: { a: randomBytes(32) }, current: 'a' };

/** Boots an application with the store; returns its warnings and its other lines. */
async function boot(store: BerbixTokenStore, more: Partial<BerbixModuleOptions> = {}) {
  const warnings: string[] = [];
  const warn = (message: unknown): void => void warnings.push(String(message));
  const lines: string[] = [];
  const log = (message: unknown): void => void lines.push(String(message));
  const logger: LoggerService = { log, warn, error: warn };
  const usual = { apiSecret: 'secret_test', encryption: ENCRYPTION, storeTimeoutMs: 60_000 };
  const options = { ...usual, store, ...more };
  const module = await Test.createTestingModule({ imports: [BerbixModule.forRoot(options)] })
    .setLogger(logger)
    .compile();
  closeAfterTest(() => module.close());
  await module.init();
  return { warnings, lines, tokens: module.get(BerbixTokenService) };
}

/** A pool of pg that fails quickly instead of waiting. */
function poolOn(port: number): pg.Pool {
  const pool = new pg.Pool({ host: '127.0.0.1', port, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {});
  closeAfterTest(() => pool.end());
  return pool;
}

describe('a store when the application starts', () => {
  it('without its table stops the boot, and says how to create it', async () => {
    const table = uniqueTable();
    const booting = boot(new PostgresTokenStore(await sharedPglite(), { table }));
    await expect(booting).rejects.toMatchObject({
      code: 'BERBIX_STORE',
      reason: '42P01',
      message: expect.stringMatching(`The table ${table} is missing.*createTable.*table sql`),
    });
  });

  it.each(['version', 'lease_epoch', 'value', 'note', 'lease_until', 'remove_after'])(
    'with a table without %s stops the boot',
    async (column) => {
      const client = await sharedPglite();
      const { store, table } = await makeTable(client);
      await client.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
      await expect(boot(store)).rejects.toMatchObject({ code: 'BERBIX_STORE', reason: '42703' });
    },
  );

  it('with its table is checked, and causes no warning', async () => {
    const client = await sharedPglite();
    const { store } = await makeTable(client);
    expect((await boot(store)).warnings).toEqual([]);
  });

  it.each([
    ['survives this process', { shared: false, durable: true }, true],
    ['is shared', { shared: true, durable: false }, true],
    ['is the memory of this process', { shared: false, durable: false }, false],
  ])('that has plaintext causes a warning if it %s: %j', async (_, kind, isWarned) => {
    const store = changed(new InMemoryTokenStore(), kind);
    const { warnings } = await boot(store, { encryption: undefined });
    const warning = expect.stringMatching(/as plaintext: .* Set the option encryption\.$/);
    expect(warnings).toEqual(isWarned ? [warning] : []);
  });

  it.each([
    [
      { shared: false, durable: false },
      /: replicas do not share them, and a restart loses them\. /,
    ],
    [{ shared: false, durable: true }, /: replicas do not share them\. Set the option store/],
    [{ shared: true, durable: true }, / are stored in the memory of this process, encrypted\.$/],
  ])('is described in one line: %j', async (kind, line) => {
    const { lines } = await boot(changed(new InMemoryTokenStore(), kind));
    expect(lines.filter((each) => each.startsWith('Tokens are stored'))).toEqual([
      expect.stringMatching(line),
    ]);
  });

  it.each<[string, () => Promise<BerbixTokenStore>]>([
    ['PostgreSQL at a closed port', async () => new PostgresTokenStore(poolOn(await freePort()))],
    [
      'PostgreSQL that does not answer',
      async () => new PostgresTokenStore(poolOn(await silentServer())),
    ],
    [
      'Redis at a closed port',
      async () => {
        const url = `redis://127.0.0.1:${await freePort()}`;
        const client = redisClient({ enableOfflineQueue: false, maxRetriesPerRequest: 0 }, url);
        return new RedisTokenStore(client);
      },
    ],
  ])('that is down causes a warning: %s', async (_, open) => {
    const { warnings, tokens } = await boot(await open(), { storeTimeoutMs: 300 });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^The application starts without its token store, .* 503 .*(Post|Redis)/,
      ),
    ]);
    const error = await errorOf(tokens.fresh({ customerUid: 'ada' }));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
  });

  it('that is still connecting is checked again', async () => {
    let calls = 0;
    const check = async (): Promise<void> => {
      if (++calls < 3) throw new Error("Stream isn't writeable and enableOfflineQueue is false");
    };
    const store = changed(new InMemoryTokenStore(), { check });
    expect((await boot(store)).warnings).toEqual([]);
    expect(calls).toBe(3);
  });

  it('that refuses permanently stops the boot', async () => {
    const check = async (): Promise<void> => {
      throw Object.assign(new Error('canary'), { code: '42501' });
    };
    const booting = boot(changed(new InMemoryTokenStore(), { check }));
    await expect(booting).rejects.toMatchObject({ code: 'BERBIX_STORE', reason: '42501' });
  });
});

/** A pool whose rows have this type of PostgreSQL in another form. */
function poolWithParser(type: number, parse: (text: string) => unknown): pg.Pool {
  const types = {
    getTypeParser: (oid: number, format: 'text') =>
      oid === type ? parse : (pg.types.getTypeParser(oid, format) as unknown),
  };
  return postgresPool({ types: types as never });
}

/** A pool whose rows are changed. */
function poolWithRows(change: (rows: object[]) => object[]): PostgresClient {
  const pool = postgresPool();
  return {
    query: async (text, values) => ({ rows: change((await pool.query(text, values)).rows) }),
  };
}

const FLOAT8 = 701;
const INT4 = 23;

describeOnPostgres('a store in PostgreSQL, when the application starts', () => {
  it.each<[string, () => PostgresClient, RegExp]>([
    [
      'float8 as text',
      () => poolWithParser(FLOAT8, String),
      /now as text instead of a number\..* for PostgreSQL, set no type parser for .*float8/,
    ],
    [
      'float8 as an object of a decimal library',
      () => poolWithParser(FLOAT8, (digits) => ({ digits })),
      /now as an object instead of a number\..* set no type parser for .*float8/,
    ],
    [
      'integer as text',
      () => poolWithParser(INT4, String),
      /version as text instead of a whole number\..* set no type parser for integer \(int4\)/,
    ],
    [
      'camel-cased columns',
      () => poolWithRows((rows) => rows.map(camelCased)),
      /leaseEpoch as undefined .* set no option that turns lease_epoch into leaseEpoch/,
    ],
    ['no rows', () => poolWithRows(() => []), /returned no row for a SELECT that always has one/],
  ])('with %s stops the boot, and the setting is named', async (_, open, message) => {
    const { table } = await makeTable(postgresPool());
    const error = await errorOf(boot(new PostgresTokenStore(open(), { table })), BerbixStoreError);
    expect(error.message).toMatch(message);
  });
});

describeOnRedis('a store in Redis, when the application starts', () => {
  it('with answers of the wrong form stops the boot, and the setting is named', async () => {
    const client = redisClient({ stringNumbers: true } as object);
    await expect(boot(new RedisTokenStore(client, { prefix: uniquePrefix() }))).rejects.toThrow(
      /stringNumbers/,
    );
  });

  it('is checked, and causes no warning', async () => {
    const client = redisClient();
    const store = new RedisTokenStore(client, { prefix: uniquePrefix(), durable: true });
    expect((await boot(store)).warnings).toEqual([]);
  });
});
