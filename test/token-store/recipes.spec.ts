import { expect, it } from '@jest/globals';
import { drizzle } from 'drizzle-orm/node-postgres';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { storeOverDrizzle } from '../../examples/docs/recipes/drizzle.js';
import { overPrisma } from '../../examples/docs/recipes/prisma.js';
import { overTypeOrm } from '../../examples/docs/recipes/typeorm.js';
import { POSTGRES_URL, describeOnPostgres, postgresPool, uniqueTable } from '../support/servers.js';
import { closeAfterTest } from '../support/services.js';
import { storeErrorOf } from './steps.support.js';

type OpenStore = (table: string) => Promise<PostgresTokenStore>;

/** A pool of the driver, for what stands on one. */
function pool(): pg.Pool {
  const opened = postgresPool({ max: 3 });
  closeAfterTest(() => opened.end());
  return opened;
}

async function dataSource(): Promise<DataSource> {
  const source = new DataSource({ type: 'postgres', url: POSTGRES_URL ?? '', entities: [] });
  await source.initialize();
  closeAfterTest(() => source.destroy());
  return source;
}

/** As `$queryRawUnsafe` fails from version 7 on, and before. */
const PRISMA_FAILURES: Record<string, (sqlState: string) => object> = {
  'from 7 on': (originalCode) => ({ driverAdapterError: { cause: { originalCode } } }),
  'before 7': (code) => ({ code, message: 'relation does not exist' }),
};

/**
 * Prisma's client exists only once it is generated from a schema. This one has the answers of the
 * generated client, rows alone, and its errors, and not its engine.
 */
function prismaLike(
  metaOf = PRISMA_FAILURES['from 7 on'] as (sqlState: string) => object,
): Parameters<typeof overPrisma>[0] {
  const client = pool();
  return {
    $queryRawUnsafe: <Rows>(text: string, ...values: unknown[]) =>
      client.query(text, values).then(
        ({ rows }) => rows as Rows,
        (error: { code: string }) => {
          throw Object.assign(new Error('Raw query failed.'), {
            code: 'P2010',
            meta: metaOf(error.code),
          });
        },
      ),
  };
}

const over = (client: PostgresClient, table: string): PostgresTokenStore =>
  new PostgresTokenStore(client, { table });

const RECIPES: readonly [name: string, open: OpenStore][] = [
  ['TypeORM', async (table) => over(overTypeOrm(await dataSource()), table)],
  ['Drizzle', async (table) => storeOverDrizzle(drizzle({ client: pool() }), table)],
  [
    'Prisma, as far as its client is one method',
    async (table) => over(overPrisma(prismaLike()), table),
  ],
];

/** Two replicas on one table. */
async function replicas(open: OpenStore): Promise<[PostgresTokenStore, PostgresTokenStore]> {
  const table = uniqueTable();
  const [one, two] = [await open(table), await open(table)];
  await one.createTable();
  const cleaner = postgresPool();
  closeAfterTest(async () => {
    await cleaner.query(`DROP TABLE ${table}`);
    await cleaner.end();
  });
  return [one, two];
}

describeOnPostgres.each(RECIPES)('a PostgresTokenStore over %s', (_name, open) => {
  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const [one, two] = await replicas(open);
    await expect(run(one, two)).resolves.toBeUndefined();
  });

  it('makes its table twice without harm, and says of a missing one what to do', async () => {
    const [store] = await replicas(open);
    await store.createTable();
    const missing = await open(uniqueTable());
    const error = await storeErrorOf(missing.load('key'));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', reason: '42P01' });
    expect(error.message).toContain('npx nestjs-berbix token-table');
  });
});

describeOnPostgres('over TypeORM', () => {
  it('is not part of a transaction that is open beside it', async () => {
    const source = await dataSource();
    const table = uniqueTable();
    const store = over(overTypeOrm(source), table);
    await store.createTable();
    closeAfterTest(() => source.query(`DROP TABLE ${table}`));
    const rollback = new Error('rolled back');
    const rolledBack = source.transaction(async () => {
      await store.commit('key', 0, 'value');
      throw rollback;
    });
    await expect(rolledBack).rejects.toBe(rollback);
    expect((await store.load('key'))?.value).toBe('value');
  });

  it('gives its connection back, after a failure too', async () => {
    const source = new DataSource({ type: 'postgres', url: POSTGRES_URL ?? '', poolSize: 1 });
    await source.initialize();
    closeAfterTest(() => source.destroy());
    const client = overTypeOrm(source);
    for (let call = 0; call < 3; call++) {
      await expect(client.query('SELECT 1/0')).rejects.toThrow('division by zero');
      expect(await client.query('SELECT $1::int AS one', [1])).toEqual({ rows: [{ one: 1 }] });
    }
  });
});

describeOnPostgres('over Prisma', () => {
  it.each(Object.keys(PRISMA_FAILURES))('finds the SQLSTATE %s', async (version) => {
    const store = over(overPrisma(prismaLike(PRISMA_FAILURES[version])), uniqueTable());
    expect((await storeErrorOf(store.load('key'))).reason).toBe('42P01');
  });

  it('takes what has no SQLSTATE for a failure that may pass', async () => {
    const refused = Object.assign(new Error("Can't reach database server"), { code: 'P1001' });
    const store = over(overPrisma({ $queryRawUnsafe: async () => Promise.reject(refused) }), 't');
    expect((await storeErrorOf(store.load('key'))).retryable).toBe(true);
  });
});
