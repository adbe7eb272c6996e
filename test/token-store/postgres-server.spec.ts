import { expect, it } from '@jest/globals';
import { BerbixStoreError } from 'nestjs-berbix';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import pg from 'pg';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import {
  describeOnPostgres,
  freePort,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  uniqueTable,
  silentServer,
} from '../support/servers.js';
import { everyViewOf } from '../support/sinks.js';
import { until } from '../support/until.js';
import { CANARIES, STEPS, forget } from './support/steps.js';

/** Resolves when a statement on the table waits for another session. */
async function waitForLock(pool: pg.Pool, table: string): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${table}%' AND pid <> pg_backend_pid()`;
  await until(async () => (await pool.query(waiting)).rows.length > 0);
}

describeOnPostgres('on a PostgreSQL server', () => {
  it('can be created concurrently', async () => {
    const pool = postgresPool({ max: 10 });
    // What the others meet depends on the progress of the first, so this runs several times.
    for (let round = 0; round < 10; round++) {
      const table = uniqueTable();
      closeAfterTest(() => pool.query(`DROP TABLE ${table}`));
      const stores = Array.from({ length: 10 }, () => new PostgresTokenStore(pool, { table }));
      await Promise.all(stores.map((store) => store.createTable()));
      await expect(stores[0]?.commit('key', 0, 'value')).resolves.toBe(1);
    }
  });

  it('works behind a pooler that gives every statement another connection', async () => {
    const pool = postgresPool();
    const { table } = await makeTable(pool);
    const client: PostgresClient = {
      query: async (text, values) => {
        const connection = new pg.Client({ connectionString: POSTGRES_URL });
        await connection.connect();
        try {
          return await connection.query(text, values);
        } finally {
          await connection.end();
        }
      },
    };
    const store = new PostgresTokenStore(client, { table });
    const lease = await store.lease('key', { version: 0, leaseEpoch: 0 }, 60_000, 'note');
    expect(lease?.leaseEpoch).toBe(1);
    await expect(store.release('key', { version: 0, leaseEpoch: 1 }, 'again')).resolves.toBe(true);
    await expect(store.commit('key', 0, 'value')).resolves.toBe(1);
    await expect(store.keys('')).resolves.toEqual({ keys: ['key'], cursor: undefined });
    await forget(store, 'key');
    await expect(store.load('key')).resolves.toMatchObject({ version: 2, leaseEpoch: 2 });
  });

  it('waits for the row, and then uses the current time and lease', async () => {
    const pool = postgresPool();
    const { store, table } = await makeTable(pool);
    await store.commit('key', 0, 'value');
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(`UPDATE ${table} SET note = 'locked' WHERE key = 'key'`);
    const leasing = store.lease('key', { version: 1, leaseEpoch: 0 }, 1_000, 'note');
    await waitForLock(pool, table);
    const { rows } = await other.query(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
    );
    await other.query('COMMIT');
    other.release();
    const lease = await leasing;
    expect(lease?.now).toBeGreaterThanOrEqual(rows[0].now);
  });

  it('forgets nothing that changed while it waited for the row', async () => {
    const pool = postgresPool();
    const { store, table } = await makeTable(pool);
    await store.commit('key', 0, 'first');
    const other = await pool.connect();
    await other.query('BEGIN');
    await new PostgresTokenStore(other, { table }).commit('key', 1, 'second');
    const forgetting = store.forget('key', { version: 1, leaseEpoch: 0 });
    await waitForLock(pool, table);
    await other.query('COMMIT');
    other.release();
    await expect(forgetting).resolves.toBe(false);
    await expect(store.load('key')).resolves.toMatchObject({ version: 2, value: 'second' });
  });

  it('does not wait for records that another session is about to remove', async () => {
    // If it waits, it fails soon.
    const pool = postgresPool({ lock_timeout: 2_000 });
    const { store, table } = await makeTable(pool);
    for (const key of ['old', 'key']) await store.commit(key, 0, 'value');
    await forget(store, 'old');
    await pool.query(`UPDATE ${table} SET remove_after = 'yesterday' WHERE key = 'old'`);
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(`SELECT 1 FROM ${table} WHERE key = 'old' FOR UPDATE`);
    try {
      await forget(store, 'key');
    } finally {
      await other.query('COMMIT');
      other.release();
    }
    await expect(store.load('old')).resolves.toBeDefined();
  });

  it('lists keys as one range of the index', async () => {
    const pool = postgresPool();
    const { table } = await makeTable(pool);
    const { rows } = await pool.query(
      `SELECT collation_name FROM information_schema.columns WHERE table_name = $1 AND column_name = 'key'`,
      [table],
    );
    expect(rows).toEqual([{ collation_name: 'C' }]);
  });

  it.each(Object.entries(STEPS))('a closed port fails %s', async (_, step) => {
    const pool = postgresPool({
      connectionString: `postgres://canary:canary@127.0.0.1:${await freePort()}/test`,
    });
    const error = await errorOf(step(new PostgresTokenStore(pool)), BerbixStoreError);
    expect(error).toMatchObject({ reason: 'ECONNREFUSED', retryable: true });
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });

  it("a server that does not answer is a failure, after the pool's time limit", async () => {
    const pool = postgresPool({
      connectionString: `postgres://postgres@127.0.0.1:${await silentServer()}/test`,
      connectionTimeoutMillis: 50,
    });
    const error = await errorOf(new PostgresTokenStore(pool).load('key'), BerbixStoreError);
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(/^PostgreSQL cannot be reached, or is too slow or busy\. /);
  });

  it("a statement that takes too long is a failure, after the pool's time limit", async () => {
    const pool = postgresPool({ query_timeout: 100 });
    const admin = postgresPool();
    const { table } = await makeTable(admin);
    const lock = await admin.connect();
    await lock.query(`BEGIN; LOCK TABLE ${table}`);
    const error = await errorOf(
      new PostgresTokenStore(pool, { table }).load('key'),
      BerbixStoreError,
    );
    expect(error.retryable).toBe(true);
    await lock.query('ROLLBACK');
    lock.release();
  });

  it('a value that PostgreSQL refuses is not in the error', async () => {
    const pool = postgresPool();
    const { store } = await makeTable(pool);
    const error = await errorOf(store.commit('key', 0, `${CANARIES.value}\0`), BerbixStoreError);
    expect(error).toMatchObject({ reason: '22021', retryable: false });
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });

  it('a connection that breaks during a statement is a failure', async () => {
    const pool = postgresPool({ max: 1 });
    const admin = postgresPool();
    const { table } = await makeTable(admin);
    const store = new PostgresTokenStore(pool, { table });
    const { rows } = await pool.query('SELECT pg_backend_pid() AS pid');
    const lock = await admin.connect();
    await lock.query(`BEGIN; LOCK TABLE ${table}`);
    const failing = errorOf(store.load('key'), BerbixStoreError);
    await lock.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    expect((await failing).retryable).toBe(true);
    await lock.query('ROLLBACK');
    lock.release();
    // The pool opens another one.
    await expect(store.load('key')).resolves.toBeUndefined();
  });
});

describeOnPostgres('on a PostgreSQL whose default is REPEATABLE READ', () => {
  function isolated(): pg.Pool {
    const pool = postgresPool({ options: '-c default_transaction_isolation=repeatable\\ read' });
    return pool;
  }

  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const [pool, another] = [isolated(), isolated()];
    const { store, table } = await makeTable(pool);
    await expect(run(store, new PostgresTokenStore(another, { table }))).resolves.toBeUndefined();
  });
});
