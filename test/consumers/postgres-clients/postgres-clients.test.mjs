// The contract of a store over the real libraries, on a PostgreSQL server.
import { deepStrictEqual, match, ok, rejects, throws } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { drizzle as drizzleOverPg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleOverPostgresJs } from 'drizzle-orm/postgres-js';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import {
  PostgresTokenStore,
  fromDrizzle,
  fromKysely,
  fromPrisma,
  fromTypeOrm,
} from 'nestjs-berbix/postgres';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import pg from 'pg';
import postgres from 'postgres';
import { DataSource } from 'typeorm';
import { prismaClient } from './prisma-client.mjs';

const URL = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
/** Nothing listens there. */
const CLOSED_URL = 'postgres://postgres@127.0.0.1:1/test';

/** Each opens a client on the URL; `close` ends it, and `transact` passes a transaction of it. */
const LIBRARIES = {
  async TypeORM(url) {
    const source = new DataSource({ type: 'postgres', url });
    if (url === URL) await source.initialize();
    return {
      client: fromTypeOrm(source),
      close: () => (source.isInitialized ? source.destroy() : undefined),
      transact: (run) => source.transaction((manager) => run(() => fromTypeOrm(manager))),
    };
  },
  async 'Drizzle over pg'(url) {
    const pool = new pg.Pool({ connectionString: url });
    const db = drizzleOverPg(pool);
    return {
      client: fromDrizzle(db),
      close: () => pool.end(),
      transact: (run) => db.transaction(async (tx) => run(() => fromDrizzle(tx))),
    };
  },
  async 'Drizzle over postgres-js'(url) {
    const sql = postgres(url, { onnotice: () => {} });
    const db = drizzleOverPostgresJs(sql);
    return {
      client: fromDrizzle(db),
      close: () => sql.end(),
      transact: (run) => db.transaction(async (tx) => run(() => fromDrizzle(tx))),
    };
  },
  async Prisma(url) {
    const prisma = prismaClient(url);
    return {
      client: fromPrisma(prisma),
      close: () => prisma.$disconnect(),
      transact: (run) => prisma.$transaction(async (tx) => run(() => fromPrisma(tx))),
    };
  },
  async 'Prisma with an extension'(url) {
    const prisma = prismaClient(url);
    return {
      client: fromPrisma(prisma.$extends({})),
      close: () => prisma.$disconnect(),
      transact: (run) => prisma.$extends({}).$transaction(async (tx) => run(() => fromPrisma(tx))),
    };
  },
  async Kysely(url) {
    const pool = new pg.Pool({ connectionString: url });
    const dialect = new PostgresDialect({ pool });
    const db = new Kysely({ dialect, plugins: [new CamelCasePlugin()] });
    return {
      client: fromKysely(db),
      close: () => db.destroy(),
      transact: (run) => db.transaction().execute(async (tx) => run(() => fromKysely(tx))),
    };
  },
};

for (const [name, open] of Object.entries(LIBRARIES)) {
  describe(`over ${name}`, async () => {
    const one = await open(URL);
    const another = await open(URL);
    const tables = [];
    after(async () => {
      for (const table of tables) {
        await one.client.query(`DROP TABLE ${table}`);
        await one.client.query(`DROP FUNCTION IF EXISTS ${table}_fail`);
      }
      await Promise.all([one.close(), another.close()]);
    });

    async function newStores() {
      const table = `test_${randomUUID().replaceAll('-', '')}`;
      const [store, replica] = [one, another].map(
        ({ client }) => new PostgresTokenStore(client, { table }),
      );
      await store.createTable();
      tables.push(table);
      return { store, replica, table };
    }

    for (const { name: title, run } of tokenStoreContract) {
      test(title, async () => {
        const { store, replica } = await newStores();
        await run(store, replica);
      });
    }

    test('passes the check', async () => {
      const { store } = await newStores();
      await store.createTable();
      await store.check();
    });

    test('says what to do if the table is missing', async () => {
      const store = new PostgresTokenStore(one.client, { table: 'no_such_table' });
      await rejects(store.check(), (error) => {
        deepStrictEqual([error.reason, error.retryable], ['42P01', false]);
        match(error.message, /table sql/);
        return true;
      });
    });

    for (const [sqlState, retryable] of [
      ['42501', false],
      ['40001', true],
      ['57014', true],
      ['25006', true],
    ]) {
      test(`knows the SQLSTATE ${sqlState}`, async () => {
        const { store, table } = await newStores();
        await one.client.query(`
          CREATE FUNCTION ${table}_fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = NEW.value; END $$`);
        await one.client.query(`
          CREATE TRIGGER fail BEFORE INSERT ON ${table}
            FOR EACH ROW EXECUTE FUNCTION ${table}_fail()`);
        await rejects(store.commit('key', 0, sqlState), { reason: sqlState, retryable });
      });
    }

    test('is an outage if the server is down', async () => {
      const down = await open(CLOSED_URL);
      const store = new PostgresTokenStore(down.client);
      await rejects(store.load('key'), { code: 'BERBIX_STORE', retryable: true });
      await down.close();
    });

    test('refuses a transaction', async () => {
      let isCalled = false;
      await one.transact((make) => {
        isCalled = true;
        throws(make, { code: 'BERBIX_CONFIGURATION' });
      });
      ok(isCalled);
    });
  });
}

test('a client that renames columns is named by the check', async () => {
  const sql = postgres(URL, { transform: postgres.camel, onnotice: () => {} });
  const table = `test_${randomUUID().replaceAll('-', '')}`;
  const store = new PostgresTokenStore(fromDrizzle(drizzleOverPostgresJs(sql)), { table });
  try {
    await store.createTable();
    await rejects(store.check(), /camelCase/);
  } finally {
    await sql.unsafe(`DROP TABLE ${table}`);
    await sql.end();
  }
});
