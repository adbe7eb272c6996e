import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BerbixModule, BerbixTokenService, InMemoryTokenStore } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';
import type { BerbixTokenStore } from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import {
  freePort,
  REDIS_URL,
  redisClient,
  sharedPglite,
  uniquePrefix,
  uniqueTable,
} from '../support/servers.js';
import { closeAfterTest } from '../support/services.js';
import { silentServer } from '../token-store/silent-server.support.js';

/** Boots an application with the store; gives what it warned of. */
async function boot(store: BerbixTokenStore, storeTimeoutMs = 60_000) {
  const warnings: string[] = [];
  const warn = (message: unknown): void => void warnings.push(String(message));
  const logger: LoggerService = { log: () => {}, warn, error: warn };
  const encryption = { keys: { a: randomBytes(32) }, current: 'a' };
  const options = { apiSecret: 'secret_test', store, encryption, storeTimeoutMs };
  const module = await Test.createTestingModule({ imports: [BerbixModule.forRoot(options)] })
    .setLogger(logger)
    .compile();
  closeAfterTest(() => module.close());
  await module.init();
  return { warnings, tokens: module.get(BerbixTokenService) };
}

/** A pool of pg that fails rather than waits. */
function poolOn(port: number): pg.Pool {
  const pool = new pg.Pool({ host: '127.0.0.1', port, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {});
  closeAfterTest(() => pool.end());
  return pool;
}

describe('a store, when the application starts', () => {
  it('without its table stops the boot, and says how to make it', async () => {
    const table = uniqueTable();
    const booting = boot(new PostgresTokenStore(await sharedPglite(), { table }));
    await expect(booting).rejects.toMatchObject({
      code: 'BERBIX_STORE',
      reason: '42P01',
      message: expect.stringMatching(`The table ${table} is missing.*createTable.*token-table`),
    });
  });

  it.each(['version', 'fence', 'value', 'note', 'lease_until', 'remove_after'])(
    'with a table that has no %s stops the boot',
    async (column) => {
      const client = await sharedPglite();
      const table = uniqueTable();
      const store = new PostgresTokenStore(client, { table });
      await store.createTable();
      closeAfterTest(() => client.query(`DROP TABLE ${table}`));
      await client.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
      await expect(boot(store)).rejects.toMatchObject({ code: 'BERBIX_STORE', reason: '42703' });
    },
  );

  it('with its table is asked, and nothing is said', async () => {
    const client = await sharedPglite();
    const table = uniqueTable();
    const store = new PostgresTokenStore(client, { table });
    await store.createTable();
    closeAfterTest(() => client.query(`DROP TABLE ${table}`));
    expect((await boot(store)).warnings).toEqual([]);
  });

  it.each<[string, () => Promise<BerbixTokenStore>]>([
    ['PostgreSQL at a closed port', async () => new PostgresTokenStore(poolOn(await freePort()))],
    ['PostgreSQL that is silent', async () => new PostgresTokenStore(poolOn(await silentServer()))],
    [
      'Redis at a closed port',
      async () => {
        const url = `redis://127.0.0.1:${await freePort()}`;
        const client = redisClient({ enableOfflineQueue: false, maxRetriesPerRequest: 0 }, url);
        closeAfterTest(async () => client.disconnect());
        return new RedisTokenStore(client);
      },
    ],
  ])('that is down is a warning: %s', async (_, open) => {
    const { warnings, tokens } = await boot(await open(), 300);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^The application starts without its token store, .* 503 .*(Post|Redis)/,
      ),
    ]);
    const error = await errorOf(tokens.fresh({ customerUid: 'ada' }));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
  });

  it('that is still connecting is asked again', async () => {
    let calls = 0;
    const check = async (): Promise<void> => {
      if (++calls < 3) throw new Error("Stream isn't writeable and enableOfflineQueue is false");
    };
    const store = changed(new InMemoryTokenStore(), { check });
    expect((await boot(store)).warnings).toEqual([]);
    expect(calls).toBe(3);
  });

  it('that refuses for good stops the boot', async () => {
    const check = async (): Promise<void> => {
      throw Object.assign(new Error('canary'), { code: '42501' });
    };
    const booting = boot(changed(new InMemoryTokenStore(), { check }));
    await expect(booting).rejects.toMatchObject({ code: 'BERBIX_STORE', reason: '42501' });
  });
});

const onRedis = REDIS_URL === undefined ? describe.skip : describe;

onRedis('a store in Redis, when the application starts', () => {
  it('that answers in the wrong form stops the boot, and names the setting', async () => {
    const client = redisClient({ stringNumbers: true } as object);
    closeAfterTest(async () => client.disconnect());
    await expect(boot(new RedisTokenStore(client, { prefix: uniquePrefix() }))).rejects.toThrow(
      /stringNumbers/,
    );
  });

  it('is asked, and nothing is said', async () => {
    const client = redisClient();
    closeAfterTest(async () => client.disconnect());
    const store = new RedisTokenStore(client, { prefix: uniquePrefix(), durable: true });
    expect((await boot(store)).warnings).toEqual([]);
  });
});
