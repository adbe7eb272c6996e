import { describe, expect, it } from '@jest/globals';
import { BerbixConfigurationError } from 'nestjs-berbix';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import pg from 'pg';
import { closeAfterTest } from '../support/services.js';
import {
  freePort,
  POSTGRES_URL,
  postgresPool,
  sharedPglite,
  uniqueTable,
} from '../support/servers.js';
import { everyViewOf } from '../support/sinks.js';
import { silentServer } from './silent-server.support.js';
import { CANARIES, STEPS, storeErrorOf } from './steps.support.js';

const onServer = POSTGRES_URL === undefined ? describe.skip : describe;

/** A server where there is one, and PGlite otherwise. */
async function anyClient(): Promise<PostgresClient> {
  if (POSTGRES_URL === undefined) return sharedPglite();
  const pool = postgresPool();
  closeAfterTest(() => pool.end());
  return pool;
}

/** A table for one test; its name is made by `uniqueTable`. */
async function makeTable(client: PostgresClient, table = uniqueTable()) {
  const store = new PostgresTokenStore(client, { table });
  await store.createTable();
  closeAfterTest(() => client.query(`DROP TABLE ${table}`));
  return { store, table };
}

async function rowsOf<Row>(client: PostgresClient, sql: string): Promise<Row[]> {
  return (await client.query(sql)).rows as Row[];
}

describe('the table', () => {
  it.each([
    '',
    'a b',
    'a"b',
    'a; DROP TABLE b',
    'a--',
    '1a',
    'a.b.c',
    '.a',
    'a.',
    'ä',
    'a'.repeat(49),
    'a\n',
    null,
  ])('is not named %j', (table) => {
    const options = { table: table as string };
    expect(() => new PostgresTokenStore({ query: async () => ({ rows: [] }) }, options)).toThrow(
      BerbixConfigurationError,
    );
    expect(() => PostgresTokenStore.sql(table as string)).toThrow(
      /^table must be a name such as berbix_tokens or app.berbix_tokens/,
    );
  });

  it('is named with its schema, in any case, and as a keyword', async () => {
    const client = await sharedPglite();
    const suffix = uniqueTable();
    for (const name of [`public.${suffix}`, `Upper_${suffix}`.slice(0, 48), 'select']) {
      const quoted = name.split('.').map((part) => `"${part}"`);
      const store = new PostgresTokenStore(client, { table: name });
      await store.createTable();
      await expect(store.commit('key', 0, 'value')).resolves.toBe(1);
      await client.query(`DROP TABLE ${quoted.join('.')}`);
    }
  });

  it('is berbix_tokens by default', async () => {
    const statements: string[] = [];
    const store = new PostgresTokenStore({
      query: async (text) => {
        statements.push(text);
        return { rows: [] };
      },
    });
    await store.createTable();
    await store.load('key');
    expect(statements).toHaveLength(3);
    for (const statement of statements) expect(statement).toContain('"berbix_tokens"');
    expect(PostgresTokenStore.sql()).toBe(`${statements[0]}\n${statements[1]}\n`);
  });

  it('is not made by itself; its absence says what to do', async () => {
    const client = await anyClient();
    const table = uniqueTable();
    const store = new PostgresTokenStore(client, { table });
    for (const step of Object.values(STEPS)) {
      const error = await storeErrorOf(step(store));
      expect(error).toMatchObject({ reason: '42P01', retryable: false });
      expect(error.message).toMatch(`table ${table} is missing`);
      expect(error.message).toMatch(/Call createTable\(\) .* "npx nestjs-berbix token-table"/);
      expect(await everyViewOf(error)).not.toMatch(/canary/);
    }
  });

  it('is not taken for ours when it has other columns', async () => {
    const client = await anyClient();
    const table = uniqueTable();
    await client.query(`CREATE TABLE ${table} (key text, value text)`);
    closeAfterTest(() => client.query(`DROP TABLE ${table}`));
    const error = await storeErrorOf(new PostgresTokenStore(client, { table }).load('key'));
    expect(error.reason).toBe('42703');
    expect(error.message).toContain('is not as createTable() makes it');
  });

  it('is kept when it is there', async () => {
    const { store } = await makeTable(await anyClient());
    await store.commit('key', 0, 'value');
    await store.createTable();
    await expect(store.load('key')).resolves.toMatchObject({ value: 'value' });
  });

  it('says what it cannot be made in', async () => {
    const store = new PostgresTokenStore(await anyClient(), { table: 'no_such_schema.tokens' });
    expect((await storeErrorOf(store.createTable())).reason).toBe('3F000');
  });
});

describe('records without a value', () => {
  const DAY_MS = 86_400_000;

  /** Lets a time pass for these records. */
  async function age(client: PostgresClient, table: string, interval: string, keys: string) {
    await client.query(
      `UPDATE ${table} SET remove_after = remove_after - interval '${interval}' WHERE key LIKE '${keys}'`,
    );
  }

  it('have a day, and others are for ever', async () => {
    const client = await anyClient();
    const { store, table } = await makeTable(client);
    const nothing = { version: 0, fence: 0 };
    const steps: Record<string, (key: string) => Promise<unknown>> = {
      leased: (key) => store.lease(key, nothing, 1_000, ''),
      'leased again': async (key) => {
        await store.lease(key, nothing, 1_000, '');
        await store.release(key, { version: 0, fence: 1 }, '');
        await age(client, table, '1 hour', key);
        await store.lease(key, { version: 0, fence: 1 }, 1_000, '');
      },
      forgotten: async (key) => {
        await store.commit(key, 0, 'value');
        await store.forget(key);
      },
      committed: (key) => store.commit(key, 0, 'value'),
      'leased and committed': async (key) => {
        await store.lease(key, nothing, 1_000, '');
        await store.commit(key, 0, 'value');
      },
      'committed and leased': async (key) => {
        await store.commit(key, 0, 'value');
        await store.lease(key, { version: 1, fence: 0 }, 1_000, '');
      },
      'forgotten and committed': async (key) => {
        await store.commit(key, 0, 'value');
        await store.forget(key);
        await store.commit(key, 2, 'value');
      },
    };
    for (const [key, step] of Object.entries(steps)) await step(key);
    const rows = await rowsOf<{ key: string; ms: number | null }>(
      client,
      `SELECT key, (extract(epoch FROM remove_after - clock_timestamp()) * 1000)::float8 AS ms FROM ${table}`,
    );
    const lives = Object.fromEntries(rows.map(({ key, ms }) => [key, ms]));
    const aDay = expect.closeTo(DAY_MS, -5);
    expect(lives).toEqual({
      leased: aDay,
      'leased again': aDay,
      forgotten: aDay,
      committed: null,
      'leased and committed': null,
      'committed and leased': null,
      'forgotten and committed': null,
    });
  });

  it.each([
    ['another is forgotten', (store: PostgresTokenStore) => store.forget('other')],
    [
      'a new one is leased',
      (store: PostgresTokenStore) => store.lease('new', { version: 0, fence: 0 }, 1_000, ''),
    ],
  ])('are removed after it when %s', async (_, step) => {
    const client = await anyClient();
    const { store, table } = await makeTable(client);
    for (const key of ['old/1', 'old/2', 'fresh', 'kept/1', 'other']) {
      await store.commit(key, 0, 'value');
      if (key !== 'kept/1' && key !== 'other') await store.forget(key);
    }
    await age(client, table, '25 hours', 'old/%');
    await step(store);
    const left = await Promise.all(
      ['old/1', 'old/2', 'fresh', 'kept/1', 'other'].map((key) => store.load(key)),
    );
    expect(left.map((record) => record !== undefined)).toEqual([false, false, true, true, true]);
  });

  it('are not removed while they are taken up again', async () => {
    const client = await anyClient();
    const { store, table } = await makeTable(client);
    for (const key of ['old/forgotten', 'old/leased', 'old/committed']) {
      await store.commit(key, 0, 'value');
      await store.forget(key);
    }
    await age(client, table, '25 hours', 'old/%');
    await store.forget('old/forgotten');
    await expect(store.load('old/forgotten')).resolves.toMatchObject({ version: 3 });
    // The statement has removed the two others; as one that had been seen before cannot be leased now.
    const seen = { version: 2, fence: 1 };
    await expect(store.lease('old/leased', seen, 1_000, '')).resolves.toBeUndefined();
    await expect(store.commit('old/committed', 2, 'value')).resolves.toBeUndefined();
  });

  it('are found by an index that has no others', async () => {
    const client = await anyClient();
    const { table } = await makeTable(client);
    const indexes = await rowsOf<{ indexdef: string }>(
      client,
      `SELECT indexdef FROM pg_indexes WHERE tablename = '${table}' ORDER BY indexname`,
    );
    expect(indexes.map(({ indexdef }) => indexdef)).toEqual([
      expect.stringMatching(/UNIQUE INDEX .* \(key\)/),
      expect.stringMatching(/\(remove_after\) WHERE \(remove_after IS NOT NULL\)/),
    ]);
  });
});

describe('the client', () => {
  it.each([[undefined], [{}], [{ query: 'SELECT' }]])('is not %j', (client) => {
    expect(() => new PostgresTokenStore(client as never)).toThrow(
      /^PostgresTokenStore needs a client with query\(text, values\), such as a Pool of pg/,
    );
  });

  it('must give rows', async () => {
    const store = new PostgresTokenStore({ query: async () => [] as never });
    expect((await storeErrorOf(store.load('key'))).message).toMatch(/must resolve to \{ rows/);
  });

  it('sees values in parameters alone', async () => {
    const texts: string[] = [];
    const store = new PostgresTokenStore({
      query: async (text) => {
        texts.push(text);
        return { rows: [] };
      },
    });
    for (const step of Object.values(STEPS)) await step(store);
    expect(texts).toHaveLength(Object.keys(STEPS).length);
    for (const text of texts) {
      expect(text).not.toMatch(/canary/);
      expect(text).not.toContain(';');
    }
  });
});

onServer('on a PostgreSQL server', () => {
  it('is made by many at once', async () => {
    const pool = postgresPool({ max: 10 });
    closeAfterTest(() => pool.end());
    // What the others get depends on how far the first has come: a few times, to see it all.
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
    closeAfterTest(() => pool.end());
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
    const lease = await store.lease('key', { version: 0, fence: 0 }, 60_000, 'note');
    expect(lease?.fence).toBe(1);
    await expect(store.release('key', { version: 0, fence: 1 }, 'again')).resolves.toBe(true);
    await expect(store.commit('key', 0, 'value')).resolves.toBe(1);
    await expect(store.keys('')).resolves.toEqual({ keys: ['key'], cursor: undefined });
    await store.forget('key');
    await expect(store.load('key')).resolves.toMatchObject({ version: 2, fence: 2 });
  });

  it('waits for the row, and takes the time and the lease as they are then', async () => {
    const pool = postgresPool();
    closeAfterTest(() => pool.end());
    const { store, table } = await makeTable(pool);
    await store.commit('key', 0, 'value');
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(`UPDATE ${table} SET note = 'locked' WHERE key = 'key'`);
    const leasing = store.lease('key', { version: 1, fence: 0 }, 1_000, 'note');
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${table}%' AND pid <> pg_backend_pid()`;
    while ((await pool.query(waiting)).rows.length === 0) {
      // It is on its way.
    }
    const { rows } = await other.query(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
    );
    await other.query('COMMIT');
    other.release();
    const lease = await leasing;
    expect(lease?.now).toBeGreaterThanOrEqual(rows[0].now);
  });

  it('does not wait for records that somebody else is about to remove', async () => {
    // Where it does wait, it is a failure, soon.
    const pool = postgresPool({ lock_timeout: 2_000 });
    closeAfterTest(() => pool.end());
    const { store, table } = await makeTable(pool);
    for (const key of ['old', 'key']) await store.commit(key, 0, 'value');
    await store.forget('old');
    await pool.query(`UPDATE ${table} SET remove_after = 'yesterday' WHERE key = 'old'`);
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(`SELECT 1 FROM ${table} WHERE key = 'old' FOR UPDATE`);
    try {
      await store.forget('key');
    } finally {
      await other.query('COMMIT');
      other.release();
    }
    await expect(store.load('old')).resolves.toBeDefined();
  });

  it('lists keys as one range of the index', async () => {
    const pool = postgresPool();
    closeAfterTest(() => pool.end());
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
    closeAfterTest(() => pool.end());
    const error = await storeErrorOf(step(new PostgresTokenStore(pool)));
    expect(error).toMatchObject({ reason: 'ECONNREFUSED', retryable: true });
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });

  it('a server that does not answer is a failure, as the pool is set', async () => {
    const pool = postgresPool({
      connectionString: `postgres://postgres@127.0.0.1:${await silentServer()}/test`,
      connectionTimeoutMillis: 50,
    });
    closeAfterTest(() => pool.end());
    const error = await storeErrorOf(new PostgresTokenStore(pool).load('key'));
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(/^PostgreSQL cannot be reached, is too slow or too busy\. /);
  });

  it('a statement that takes too long is a failure, as the pool is set', async () => {
    const pool = postgresPool({ query_timeout: 100 });
    const admin = postgresPool();
    closeAfterTest(() => Promise.all([pool.end(), admin.end()]));
    const { table } = await makeTable(admin);
    const lock = await admin.connect();
    await lock.query(`BEGIN; LOCK TABLE ${table}`);
    const error = await storeErrorOf(new PostgresTokenStore(pool, { table }).load('key'));
    expect(error.retryable).toBe(true);
    await lock.query('ROLLBACK');
    lock.release();
  });

  it('a value that PostgreSQL refuses is not told', async () => {
    const pool = postgresPool();
    closeAfterTest(() => pool.end());
    const { store } = await makeTable(pool);
    const error = await storeErrorOf(store.commit('key', 0, `${CANARIES.value}\0`));
    expect(error).toMatchObject({ reason: '22021', retryable: false });
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });

  it('a connection that is ended in the middle is a failure', async () => {
    const pool = postgresPool({ max: 1 });
    const admin = postgresPool();
    closeAfterTest(() => Promise.all([pool.end(), admin.end()]));
    const { table } = await makeTable(admin);
    const store = new PostgresTokenStore(pool, { table });
    const { rows } = await pool.query('SELECT pg_backend_pid() AS pid');
    const lock = await admin.connect();
    await lock.query(`BEGIN; LOCK TABLE ${table}`);
    const failing = storeErrorOf(store.load('key'));
    await lock.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    expect((await failing).retryable).toBe(true);
    await lock.query('ROLLBACK');
    lock.release();
    // The pool opens another one.
    await expect(store.load('key')).resolves.toBeUndefined();
  });
});
