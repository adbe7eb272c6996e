import { describe, expect, it } from '@jest/globals';
import type { BerbixStoreError, StoredRecord } from 'nestjs-berbix';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore, type BerbixTokenStore } from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import {
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  sharedPglite,
  uniquePrefix,
} from '../support/servers.js';
import { closeAfterTest, startServices } from '../support/services.js';
import { makeTable } from './postgres.support.js';
import { storeErrorOf } from './steps.support.js';

const ADA = { customerUid: 'ada' };

/** The tokens of a customer, remembered and asked for over the store. */
async function useOf(store: BerbixTokenStore): Promise<string> {
  const { tokens } = await startServices({ apiSecret: 'secret_test', store });
  const remembered = {
    refreshToken: 'canary-refresh',
    accessToken: 'canary-access',
    expiresAt: new Date(Date.now() + 3_600_000),
    lifetimeMs: 3_600_000,
    transactionId: '1',
  };
  await firstValueFrom(tokens.remember({ ...ADA, tokens: remembered as never }));
  return (await firstValueFrom(tokens.fresh(ADA))).refreshToken;
}

/** How the use of the store fails: for good, soon, and without a secret. */
async function failureOf(store: BerbixTokenStore): Promise<BerbixStoreError> {
  const error = await storeErrorOf(useOf(store));
  expect(error).toMatchObject({ reason: 'BAD_ANSWER', retryable: false });
  expect(error.message).not.toContain('canary');
  return error;
}

/** A store with other answers: as the functions make them of the right ones. */
function answering(answers: Record<string, (answer: never) => unknown>): BerbixTokenStore {
  const store = new InMemoryTokenStore();
  const methods = Object.entries(answers).map(([name, change]) => [
    name,
    async (...step: never[]) =>
      change((await (store[name as 'load'] as (...all: never[]) => unknown)(...step)) as never),
  ]);
  return changed(store, Object.fromEntries(methods) as Partial<BerbixTokenStore>);
}

const record =
  (change: (record: StoredRecord) => object) =>
  (answer: StoredRecord | undefined): unknown =>
    answer && { ...answer, ...change(answer) };

describe('what a store answers', () => {
  it('is taken as it is where it is right', async () => {
    await expect(useOf(answering({}))).resolves.toBe('canary-refresh');
  });

  it.each<[string, Record<string, (answer: never) => unknown>, RegExp]>([
    [
      'a version as text',
      { load: record(({ version }) => ({ version: String(version) })) },
      /load\(\) gave version as text instead of a whole number.*stringNumbers/,
    ],
    [
      'a version as bigint',
      { load: record(({ version }) => ({ version: BigInt(version) })) },
      /version as a bigint .*type parser/,
    ],
    [
      'half a fence',
      { load: record(() => ({ fence: 0.5 })) },
      /fence as another number instead of a whole number\.$/,
    ],
    [
      'a clock as text',
      { load: record(({ now }) => ({ now: String(now) })) },
      /now as text .*float8/,
    ],
    [
      'a clock that is a Date',
      { load: record(({ now }) => ({ now: new Date(now) })) },
      /an? object/,
    ],
    [
      'a lease without its end',
      { load: record(() => ({ leasedForMs: undefined })) },
      /leasedForMs as undefined instead of a number\..*camelCase/,
    ],
    ['a lease until NaN', { load: record(() => ({ leasedForMs: NaN })) }, /leasedForMs as NaN/],
    ['less than no lease', { load: record(() => ({ leasedForMs: -1 })) }, /leasedForMs/],
    [
      'a value that is null',
      { load: record(() => ({ value: null })) },
      /value as null .*undefined/,
    ],
    ['a note that is null', { load: record(() => ({ note: null })) }, /note as null/],
    ['null for no record', { load: (answer: unknown) => answer ?? null }, /load\(\) gave null/],
    [
      'a fence of a lease as text',
      { lease: ({ fence, now }: { fence: number; now: number }) => ({ fence: `${fence}`, now }) },
      /lease\(\) gave fence as text/,
    ],
    ['a lease that is true', { lease: () => true }, /lease\(\) gave a boolean/],
    ['a commit that is true', { commit: () => true }, /commit\(\) gave the version as a boolean/],
    ['a commit as text', { commit: String }, /commit\(\) gave the version as text/],
  ])('is not believed: %s', async (_, answers, message) => {
    expect((await failureOf(answering(answers))).message).toMatch(message);
  });

  it.each(['1', 1, undefined])('is not believed: %j from forget()', async (answer) => {
    const store = answering({ forget: () => answer });
    await useOf(store);
    const { tokens } = await startServices({ apiSecret: 'secret_test', store });
    const error = await storeErrorOf(firstValueFrom(tokens.forget(ADA)));
    expect(error.message).toMatch(/forget\(\) gave .* instead of true or false/);
  });
});

const onRedis = REDIS_URL === undefined ? describe.skip : describe;

onRedis('a client of Redis with stringNumbers', () => {
  it('is refused when asked, and with each use', async () => {
    const client = redisClient({ stringNumbers: true } as object);
    closeAfterTest(async () => client.disconnect());
    const store = new RedisTokenStore(client, { prefix: uniquePrefix() });
    for (const error of [await storeErrorOf(store.check()), await failureOf(store)]) {
      expect(error.message).toMatch(/^The token store \(Redis\).*stringNumbers/);
    }
  });
});

describe('a client of PostgreSQL', () => {
  it('with the right table and types is good', async () => {
    const { store } = await makeTable(await sharedPglite());
    await store.commit('key', 0, 'value');
    await expect(store.check()).resolves.toBeUndefined();
  });

  it('that renames columns is refused when asked, and with each use', async () => {
    const client = await sharedPglite();
    const { table } = await makeTable(client);
    const camelCased: PostgresClient = {
      query: async (text, values) => {
        const { rows } = await client.query(text, values);
        return { rows: rows.map((row) => renamed(row as object)) };
      },
    };
    const store = new PostgresTokenStore(camelCased, { table });
    for (const error of [await storeErrorOf(store.check()), await failureOf(store)]) {
      expect(error.message).toMatch(/camelCase/);
    }
  });
});

const onServer = POSTGRES_URL === undefined ? describe.skip : describe;

onServer('a client of a PostgreSQL server', () => {
  it.each([
    ['float8', 701],
    ['int4', 23],
  ])('that gives %s as text is refused when asked, and with each use', async (_, type) => {
    const plain = postgresPool();
    closeAfterTest(() => plain.end());
    const { table } = await makeTable(plain);
    const types = {
      getTypeParser: (oid: number, format: 'text') =>
        oid === type ? String : (pg.types.getTypeParser(oid, format) as unknown),
    };
    const odd = postgresPool({ types: types as never });
    closeAfterTest(() => odd.end());
    const store = new PostgresTokenStore(odd, { table });
    for (const error of [await storeErrorOf(store.check()), await failureOf(store)]) {
      expect(error.message).toMatch(/as text .*for PostgreSQL, set no type parser/);
    }
  });
});

function renamed(row: object): object {
  const entries = Object.entries(row).map(([name, value]) => [
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    value as unknown,
  ]);
  return Object.fromEntries(entries) as object;
}
