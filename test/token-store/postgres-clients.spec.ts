import { beforeAll, describe, expect, it } from '@jest/globals';
import { drizzle } from 'drizzle-orm/node-postgres';
import { BerbixConfigurationError, BerbixStoreError } from 'nestjs-berbix';
import {
  PostgresTokenStore,
  fromDrizzle,
  fromKysely,
  fromPrisma,
  fromTypeOrm,
  type KyselyDatabase,
  type PostgresClient,
  type PrismaDatabase,
} from 'nestjs-berbix/postgres';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import {
  POSTGRES_URL,
  describeOnPostgres,
  freePort,
  makeTable,
  postgresPool,
  uniqueTable,
} from '../support/servers.js';

const SERVER = POSTGRES_URL ?? 'postgres://127.0.0.1/none';

/** A pool of the driver, for libraries that need one. */
function pool(url: string): pg.Pool {
  return postgresPool({ connectionString: url, max: 3 });
}

function dataSource(url: string, poolSize = 3): DataSource {
  const source = new DataSource({ type: 'postgres', url, poolSize });
  closeAfterTest(async () => (source.isInitialized ? source.destroy() : undefined));
  return source;
}

async function connected(source: DataSource): Promise<DataSource> {
  return source.initialize();
}

/** Where Prisma has the SQLSTATE: since version 7, and before. */
const PRISMA_META: Record<string, (sqlState: unknown) => object> = {
  'from 7 on': (originalCode) => ({ driverAdapterError: { cause: { originalCode } } }),
  'before 7': (code) => ({ code, message: 'relation does not exist' }),
};

/**
 * Has the rows and the errors of a PrismaClient, which has to be generated from a schema. The real one
 * is in test/consumers/postgres-clients.
 */
function prismaLike(url: string, metaOf = PRISMA_META['from 7 on']): PrismaDatabase {
  const client = pool(url);
  return {
    $connect: async () => {},
    $queryRawUnsafe: <Rows>(text: string, ...values: unknown[]) =>
      client.query(text, values).then(
        ({ rows }) => rows as Rows,
        ({ code }: { code?: string }) => {
          const isSqlState = code?.length === 5;
          const meta = metaOf?.(isSqlState ? code : undefined);
          throw Object.assign(new Error('Raw query failed.'), { code: 'P2010', meta });
        },
      ),
  };
}

/** Has the answers of a Kysely without plugins; the real one, with a plugin, is there too. */
function kyselyLike(url: string): KyselyDatabase {
  const client = pool(url);
  return {
    isTransaction: false,
    withoutPlugins: () => ({
      executeQuery: async ({ sql, parameters }) => client.query(sql, [...parameters]),
    }),
  };
}

const CLIENTS: readonly [name: string, open: (url: string) => Promise<PostgresClient>][] = [
  ['TypeORM', async (url) => fromTypeOrm(await connected(dataSource(url)))],
  ['Drizzle', async (url) => fromDrizzle(drizzle({ client: pool(url) }))],
  ['Prisma', async (url) => fromPrisma(prismaLike(url))],
  ['Kysely', async (url) => fromKysely(kyselyLike(url))],
];

describeOnPostgres.each(CLIENTS)('a PostgresTokenStore over %s', (_name, open) => {
  let client: PostgresClient;
  let anotherClient: PostgresClient;

  beforeAll(async () => {
    client = await open(SERVER);
    anotherClient = await open(SERVER);
  });

  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const { store, table } = await makeTable(client);
    const another = new PostgresTokenStore(anotherClient, { table });
    await expect(run(store, another)).resolves.toBeUndefined();
  });

  it('passes the check, creates its table twice without harm, and says what to do if it is missing', async () => {
    const { store } = await makeTable(client);
    await store.createTable();
    await expect(store.check()).resolves.toBeUndefined();
    const missing = new PostgresTokenStore(client, { table: uniqueTable() });
    const error = await errorOf(missing.load('key'), BerbixStoreError);
    expect(error).toMatchObject({ code: 'BERBIX_STORE', reason: '42P01', retryable: false });
    expect(error.message).toContain('npx nestjs-berbix table sql');
  });

  it.each([
    ['42501', false],
    ['23514', false],
    ['40001', true],
    ['53300', true],
    ['57014', true],
    ['25006', true],
  ])('knows the SQLSTATE %s; worth a retry: %s', async (sqlState, retryable) => {
    const { store, table } = await makeTable(client);
    await failWithValue(client, table);
    const error = await errorOf(store.commit('key', 0, sqlState), BerbixStoreError);
    expect(error).toMatchObject({ reason: sqlState, retryable });
  });
});

/** Makes the server refuse each new row, with the value as the SQLSTATE. */
async function failWithValue(client: PostgresClient, table: string): Promise<void> {
  await client.query(`
    CREATE FUNCTION ${table}_fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = NEW.value; END $$`);
  await client.query(`
    CREATE TRIGGER fail BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_fail()`);
  closeAfterTest(() => client.query(`DROP FUNCTION ${table}_fail() CASCADE`));
}

describe('a server that is down', () => {
  const [, ...others] = CLIENTS;
  it.each(others)('is an outage, over %s', async (_name, open) => {
    const url = `postgres://postgres@127.0.0.1:${await freePort()}/test`;
    const store = new PostgresTokenStore(await open(url));
    const error = await errorOf(store.load('key'), BerbixStoreError);
    expect(error.retryable).toBe(true);
  });

  it('is an outage, over TypeORM that has not connected', async () => {
    const store = new PostgresTokenStore(fromTypeOrm(dataSource(SERVER)));
    expect((await errorOf(store.load('key'), BerbixStoreError)).retryable).toBe(true);
  });
});

describeOnPostgres('over TypeORM', () => {
  it('is not part of another open transaction', async () => {
    const source = await connected(dataSource(SERVER));
    const { store } = await makeTable(fromTypeOrm(source));
    const rollback = new Error('rolled back');
    const rolledBack = source.transaction(async () => {
      await store.commit('key', 0, 'value');
      throw rollback;
    });
    await expect(rolledBack).rejects.toBe(rollback);
    expect((await store.load('key'))?.value).toBe('value');
  });

  it('returns its connection, also after a failure', async () => {
    const client = fromTypeOrm(await connected(dataSource(SERVER, 1)));
    for (let call = 0; call < 3; call++) {
      await expect(client.query('SELECT 1/0')).rejects.toThrow('division by zero');
      expect(await client.query('SELECT $1::int AS one', [1])).toEqual({ rows: [{ one: 1 }] });
    }
  });
});

describeOnPostgres('over Drizzle', () => {
  it('is not part of a transaction: that is refused', async () => {
    await drizzle({ client: pool(SERVER) }).transaction(async (transaction) => {
      expect(() => fromDrizzle(transaction as never)).toThrow(/not a transaction/);
    });
  });

  it('passes the values of a query to a client like that of Postgres.js', async () => {
    const client = pool(SERVER);
    // The real one is in test/consumers/postgres-clients.
    const unsafe = async (text: string, values: never[]): Promise<unknown[]> =>
      (await client.query(text, values)).rows;
    const { query } = fromDrizzle({ $client: { unsafe } });
    expect(await query('SELECT $1::int AS one', [1])).toEqual({ rows: [{ one: 1 }] });
    expect(await query('SELECT 2 AS two')).toEqual({ rows: [{ two: 2 }] });
  });
});

describeOnPostgres('over Prisma', () => {
  it.each(Object.keys(PRISMA_META))('finds the SQLSTATE %s', async (version) => {
    const prisma = prismaLike(SERVER, PRISMA_META[version]);
    const store = new PostgresTokenStore(fromPrisma(prisma), { table: uniqueTable() });
    expect((await errorOf(store.load('key'), BerbixStoreError)).reason).toBe('42P01');
  });
});

describe('another client', () => {
  const query = async (): Promise<never> => Promise.reject(new Error('not called'));
  it.each<[string, (client: never) => PostgresClient, unknown, RegExp]>([
    ['nothing', fromTypeOrm, undefined, /^fromTypeOrm needs a DataSource of TypeORM\.$/],
    ['an EntityManager', fromTypeOrm, { query }, /^fromTypeOrm needs a DataSource/],
    [
      'a DataSource of MySQL',
      fromTypeOrm,
      { options: { type: 'mysql' }, createQueryRunner: query },
      /^fromTypeOrm needs a DataSource of type "postgres"\.$/,
    ],
    ['nothing', fromDrizzle, null, /^fromDrizzle needs the database that drizzle\(\) returns/],
    ['a transaction', fromDrizzle, { execute: query }, /^fromDrizzle .* not a transaction/],
    ['a mock', fromDrizzle, drizzle.mock(), /^fromDrizzle/],
    ['nothing', fromPrisma, undefined, /^fromPrisma needs a PrismaClient/],
    ['a transaction', fromPrisma, { $queryRawUnsafe: query }, /^fromPrisma .* transaction/],
    ['nothing', fromKysely, undefined, /^fromKysely needs a Kysely/],
    [
      'a transaction',
      fromKysely,
      { isTransaction: true, withoutPlugins: query },
      /^fromKysely .* not a transaction/,
    ],
  ])('is refused: %s (%#)', async (_what, from, client, message) => {
    const error = await errorOf(() => from(client as never), BerbixConfigurationError);
    expect(error.message).toMatch(message);
  });
});
