import { describe, expect, it } from '@jest/globals';
import { BerbixStoreError } from 'nestjs-berbix';
import type { StoredRecord } from 'nestjs-berbix/token-store';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore, type BerbixTokenStore } from '../../lib/token-store/index.js';
import { camelCased } from '../support/camel-cased.js';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import {
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  sharedPglite,
  uniquePrefix,
} from '../support/servers.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../support/services.js';

const ADA = { customerUid: 'ada' };

/** Remembers the tokens of a customer and reads them from the store. */
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

/** The error of using the store: not retryable, in time, and without a secret. */
async function failureOf(store: BerbixTokenStore): Promise<BerbixStoreError> {
  const error = await errorOf(useOf(store), BerbixStoreError);
  expect(error).toMatchObject({ reason: 'BAD_ANSWER', retryable: false });
  expect(error.message).not.toContain('canary');
  return error;
}

/** A store with wrong answers, which the functions make from the right ones. */
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

describe('the answers of a store', () => {
  it('are accepted if they are valid', async () => {
    await expect(useOf(answering({}))).resolves.toBe('canary-refresh');
  });

  it.each<[string, Record<string, (answer: never) => unknown>, RegExp]>([
    [
      'a version as text',
      { load: record(({ version }) => ({ version: String(version) })) },
      /load\(\) returned version as text instead of a whole number.*stringNumbers/,
    ],
    [
      'a version as bigint',
      { load: record(({ version }) => ({ version: BigInt(version) })) },
      /version as a bigint .*type parser/,
    ],
    [
      'half a lease epoch',
      { load: record(() => ({ leaseEpoch: 0.5 })) },
      /leaseEpoch as another number instead of a whole number\.$/,
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
    ['a negative lease', { load: record(() => ({ leasedForMs: -1 })) }, /leasedForMs/],
    [
      'a value that is null',
      { load: record(() => ({ value: null })) },
      /value as null .*undefined/,
    ],
    ['a note that is null', { load: record(() => ({ note: null })) }, /note as null/],
    ['null for no record', { load: (answer: unknown) => answer ?? null }, /load\(\) returned null/],
    [
      'the epoch of a lease as text',
      {
        lease: ({ leaseEpoch, now }: { leaseEpoch: number; now: number }) => ({
          leaseEpoch: `${leaseEpoch}`,
          now,
        }),
      },
      /lease\(\) returned leaseEpoch as text/,
    ],
    ['a lease that is true', { lease: () => true }, /lease\(\) returned a boolean/],
    [
      'a commit that is true',
      { commit: () => true },
      /commit\(\) returned the version as a boolean/,
    ],
    ['a commit as text', { commit: String }, /commit\(\) returned the version as text/],
  ])('are refused: %s', async (_, answers, message) => {
    expect((await failureOf(answering(answers))).message).toMatch(message);
  });

  it('are refused immediately after an exchange with a new refresh token, which is in the error', async () => {
    let isAsText = false;
    const store = answering({ commit: (version) => (isAsText ? String(version) : version) });
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, {
      store,
      timeoutMs: 20_000,
      totalTimeoutMs: 20_000,
    });
    const tokens = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ ...ADA, tokens }));
    isAsText = true;
    const body = { access_token: 'at', refresh_token: 'rt_new', expires_in: 3_600 };
    sandbox.faults.add({ kind: 'answer', body });
    const error = await errorOf(
      firstValueFrom(services.tokens.fresh(ADA, { refused: tokens.accessToken })),
      BerbixStoreError,
    );
    expect(error.reason).toBe('BAD_ANSWER');
    expect(error.tokens?.refreshToken).toBe('rt_new');
  });

  it.each(['1', 1, undefined])('are refused: %j from forget()', async (answer) => {
    const store = answering({ forget: () => answer });
    await useOf(store);
    const { tokens } = await startServices({ apiSecret: 'secret_test', store });
    const error = await errorOf(firstValueFrom(tokens.forget(ADA)), BerbixStoreError);
    expect(error.message).toMatch(/forget\(\) returned .* instead of true or false/);
  });
});

const onRedis = REDIS_URL === undefined ? describe.skip : describe;

onRedis('a client of Redis with stringNumbers', () => {
  it('are refused by the check, and by each use', async () => {
    const client = redisClient({ stringNumbers: true } as object);
    const store = new RedisTokenStore(client, { prefix: uniquePrefix() });
    for (const error of [await errorOf(store.check(), BerbixStoreError), await failureOf(store)]) {
      expect(error.message).toMatch(/^The token store \(Redis\).*stringNumbers/);
    }
  });
});

describe('a client of PostgreSQL', () => {
  it('with the right table and types is accepted', async () => {
    const { store } = await makeTable(await sharedPglite());
    await store.commit('key', 0, 'value');
    await expect(store.check()).resolves.toBeUndefined();
  });

  it('that renames columns is refused by the check, and by each use', async () => {
    const client = await sharedPglite();
    const { table } = await makeTable(client);
    const renaming: PostgresClient = {
      query: async (text, values) => {
        const { rows } = await client.query(text, values);
        return { rows: rows.map((row) => camelCased(row as object)) };
      },
    };
    const store = new PostgresTokenStore(renaming, { table });
    for (const error of [await errorOf(store.check(), BerbixStoreError), await failureOf(store)]) {
      expect(error.message).toMatch(/camelCase/);
    }
  });
});

const onServer = POSTGRES_URL === undefined ? describe.skip : describe;

onServer('a client of a PostgreSQL server', () => {
  it.each([
    ['float8', 701],
    ['int4', 23],
  ])('that returns %s as text is refused by the check, and by each use', async (_, type) => {
    const plain = postgresPool();
    const { table } = await makeTable(plain);
    const types = {
      getTypeParser: (oid: number, format: 'text') =>
        oid === type ? String : (pg.types.getTypeParser(oid, format) as unknown),
    };
    const odd = postgresPool({ types: types as never });
    const store = new PostgresTokenStore(odd, { table });
    for (const error of [await errorOf(store.check(), BerbixStoreError), await failureOf(store)]) {
      expect(error.message).toMatch(/as text .*for PostgreSQL, set no type parser/);
    }
  });
});
