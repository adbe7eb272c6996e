import { describe, expect, it } from '@jest/globals';
import { BerbixConfigurationError, BerbixStoreError } from 'nestjs-berbix';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { statementsFor } from '../../lib/token-store/postgres/statements.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { anyPostgres, makeTable, sharedPglite, uniqueTable } from '../support/servers.js';
import { everyViewOf } from '../support/sinks.js';
import { STEPS, forget } from './support/steps.js';

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
  ])('cannot be named %j', (table) => {
    const options = { table: table as string };
    expect(() => new PostgresTokenStore({ query: async () => ({ rows: [] }) }, options)).toThrow(
      BerbixConfigurationError,
    );
    expect(() => PostgresTokenStore.sql(table as string)).toThrow(
      /^table must be a name such as berbix_tokens or app.berbix_tokens/,
    );
  });

  it('refuses a misspelt option', () => {
    const client = { query: async () => ({ rows: [] }) };
    expect(() => new PostgresTokenStore(client, { tabel: 'x' } as never)).toThrow(
      'PostgresTokenStore has no option named "tabel". It takes table.',
    );
  });

  it('can be named with its schema, in any case, and like a keyword', async () => {
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
    expect(PostgresTokenStore.sql()).toBe(`${statements.slice(0, 2).join('\n')}\n`);
  });

  it('is not created automatically; an error says what to do', async () => {
    const client = await anyPostgres();
    const table = uniqueTable();
    const store = new PostgresTokenStore(client, { table });
    for (const step of Object.values(STEPS)) {
      const error = await errorOf(step(store), BerbixStoreError);
      expect(error).toMatchObject({ reason: '42P01', retryable: false });
      expect(error.message).toMatch(`table ${table} is missing`);
      expect(error.message).toMatch(
        /Run "npx nestjs-berbix table migrate", call createTable\(\), or .* table sql"/,
      );
      expect(await everyViewOf(error)).not.toMatch(/canary/);
    }
  });

  it('is refused if it has other columns', async () => {
    const client = await anyPostgres();
    const table = uniqueTable();
    await client.query(`CREATE TABLE ${table} (key text, value text)`);
    closeAfterTest(() => client.query(`DROP TABLE ${table}`));
    const error = await errorOf(
      new PostgresTokenStore(client, { table }).load('key'),
      BerbixStoreError,
    );
    expect(error.reason).toBe('42703');
    expect(error.message).toContain('differs from the table of createTable()');
  });

  it('is kept if it exists', async () => {
    const { store } = await makeTable(await anyPostgres());
    await store.commit('key', 0, 'value');
    await store.createTable();
    await expect(store.load('key')).resolves.toMatchObject({ value: 'value' });
  });

  it('says in which schema it cannot be created', async () => {
    const store = new PostgresTokenStore(await anyPostgres(), { table: 'no_such_schema.tokens' });
    const { reason, message } = await errorOf(store.createTable(), BerbixStoreError);
    expect(reason).toBe('3F000');
    expect(message).toMatch(/^The schema no_such_schema does not exist\. Create it first: CREATE/);
  });

  it('is not said to be a schema if no schema of the search path exists', async () => {
    const client = await sharedPglite();
    await client.query('SET search_path TO no_such_schema');
    const store = new PostgresTokenStore(client, { table: uniqueTable() });
    const { reason, message } = await errorOf(store.createTable(), BerbixStoreError);
    await client.query('SET search_path TO DEFAULT');
    expect(reason).toBe('3F000');
    expect(message).not.toContain('The schema');
  });
});

describe('records without a value', () => {
  const DAY_MS = 86_400_000;

  /** Makes these records older by an interval. */
  async function age(client: PostgresClient, table: string, interval: string, keys: string) {
    await client.query(
      `UPDATE ${table} SET remove_after = remove_after - interval '${interval}' WHERE key LIKE '${keys}'`,
    );
  }

  it('stay for a day, and others forever', async () => {
    const client = await anyPostgres();
    const { store, table } = await makeTable(client);
    const nothing = { version: 0, leaseEpoch: 0 };
    const steps: Record<string, (key: string) => Promise<unknown>> = {
      leased: (key) => store.lease(key, nothing, 1_000, ''),
      'leased again': async (key) => {
        await store.lease(key, nothing, 1_000, '');
        await store.release(key, { version: 0, leaseEpoch: 1 }, '');
        await age(client, table, '1 hour', key);
        await store.lease(key, { version: 0, leaseEpoch: 1 }, 1_000, '');
      },
      forgotten: async (key) => {
        await store.commit(key, 0, 'value');
        await forget(store, key);
      },
      committed: (key) => store.commit(key, 0, 'value'),
      'leased and committed': async (key) => {
        await store.lease(key, nothing, 1_000, '');
        await store.commit(key, 0, 'value');
      },
      'committed and leased': async (key) => {
        await store.commit(key, 0, 'value');
        await store.lease(key, { version: 1, leaseEpoch: 0 }, 1_000, '');
      },
      'forgotten and committed': async (key) => {
        await store.commit(key, 0, 'value');
        await forget(store, key);
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
    ['another is forgotten', (store: PostgresTokenStore) => forget(store, 'other')],
    [
      'a new one is leased',
      (store: PostgresTokenStore) => store.lease('new', { version: 0, leaseEpoch: 0 }, 1_000, ''),
    ],
  ])('are removed after a day when %s', async (_, step) => {
    const client = await anyPostgres();
    const { store, table } = await makeTable(client);
    for (const key of ['old/1', 'old/2', 'fresh', 'kept/1', 'other']) {
      await store.commit(key, 0, 'value');
      if (key !== 'kept/1' && key !== 'other') await forget(store, key);
    }
    await age(client, table, '25 hours', 'old/%');
    await step(store);
    const left = await Promise.all(
      ['old/1', 'old/2', 'fresh', 'kept/1', 'other'].map((key) => store.load(key)),
    );
    expect(left.map((record) => record !== undefined)).toEqual([false, false, true, true, true]);
  });

  it('are not removed while they are used again', async () => {
    const client = await anyPostgres();
    const { store, table } = await makeTable(client);
    for (const key of ['old/forgotten', 'old/leased', 'old/committed']) {
      await store.commit(key, 0, 'value');
      await forget(store, key);
    }
    await age(client, table, '25 hours', 'old/%');
    await forget(store, 'old/forgotten');
    await expect(store.load('old/forgotten')).resolves.toMatchObject({ version: 3 });
    // The statement removes the two others, so a revision that was read before cannot be leased now.
    const seen = { version: 2, leaseEpoch: 1 };
    await expect(store.lease('old/leased', seen, 1_000, '')).resolves.toBeUndefined();
    await expect(store.commit('old/committed', 2, 'value')).resolves.toBeUndefined();
  });

  it('stay for 24 hours, even on a day with 23', async () => {
    const statements: string[] = [];
    const store = new PostgresTokenStore({
      query: async (text) => {
        statements.push(text);
        return { rows: [] };
      },
    });
    for (const step of Object.values(STEPS)) await step(store);
    expect(statements.join()).toContain("interval '24 hours'");
    expect(statements.join()).not.toContain("'1 day'");
  });

  it('are found with the index, without a scan', async () => {
    const client = await anyPostgres();
    const { store, table } = await makeTable(client);
    await store.commit('key', 0, 'value');
    await client.query(
      `INSERT INTO ${table} (key, version, lease_epoch, remove_after)
       SELECT 'forgotten/' || i, 1, 1, now() + interval '1 hour' FROM generate_series(1, 5000) AS i`,
    );
    await client.query(`ANALYZE ${table}`);
    const plans: string[] = [];
    const explaining = new PostgresTokenStore(
      {
        query: async (text, values) => {
          const { rows } = await client.query(`EXPLAIN ${text}`, values);
          plans.push(JSON.stringify(rows));
          return { rows: [] };
        },
      },
      { table },
    );
    await explaining.forget('key', { version: 1, leaseEpoch: 0 });
    await explaining.lease('new', { version: 0, leaseEpoch: 0 }, 1_000, '');
    expect(plans).toHaveLength(2);
    for (const plan of plans) expect(plan).toMatch(/Index Cond: \(remove_after < now\(\)\)/);
  });

  it('have an index of their own', async () => {
    const client = await anyPostgres();
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

describe('a step that was rolled back', () => {
  /** A client that fails this many times with a serialization failure, and then answers. */
  function failing(times: number, code: string) {
    const client = {
      calls: 0,
      query: async () => {
        if (++client.calls <= times) throw Object.assign(new Error('canary'), { code });
        return { rows: [{ version: 1 }] };
      },
    };
    return client;
  }

  it.each(['40001', '40P01'])('is repeated after %s, but not forever', async (code) => {
    const once = failing(1, code);
    await expect(new PostgresTokenStore(once).commit('key', 0, 'value')).resolves.toBe(1);
    expect(once.calls).toBe(2);
    const always = failing(Infinity, code);
    const error = await errorOf(
      new PostgresTokenStore(always).commit('key', 0, 'value'),
      BerbixStoreError,
    );
    expect(error).toMatchObject({ reason: code, retryable: true });
    expect(always.calls).toBe(20);
  });

  it.each(['23505', '42P07', '42710'])(
    'of createTable() is repeated after %s, but not forever',
    async (code) => {
      const once = failing(1, code);
      await new PostgresTokenStore(once).createTable();
      const never = failing(0, code);
      await new PostgresTokenStore(never).createTable();
      expect(once.calls).toBe(never.calls + 1);
      const always = failing(Infinity, code);
      const error = await errorOf(new PostgresTokenStore(always).createTable(), BerbixStoreError);
      expect([error.reason, always.calls]).toEqual([code, 5]);
    },
  );

  it('is not repeated if it may have been done', async () => {
    const client = failing(1, '08006');
    await errorOf(new PostgresTokenStore(client).commit('key', 0, 'value'), BerbixStoreError);
    expect(client.calls).toBe(1);
  });
});

describe('the client', () => {
  it.each([[undefined], [{}], [{ query: 'SELECT' }]])('cannot be %j', (client) => {
    expect(() => new PostgresTokenStore(client as never)).toThrow(
      /^PostgresTokenStore needs a client with query\(text, values\), such as a Pool of pg/,
    );
  });

  it('must return rows', async () => {
    const store = new PostgresTokenStore({ query: async () => [] as never });
    expect((await errorOf(store.load('key'), BerbixStoreError)).message).toMatch(
      /must resolve to \{ rows/,
    );
  });

  it('gets parameters of types that each client encodes alike: text and integers', async () => {
    const client = await sharedPglite();
    const { table } = await makeTable(client);
    for (const [name, statement] of Object.entries(statementsFor(`"${table}"`))) {
      await client.query(`PREPARE "${name}" AS ${statement}`);
      const [prepared] = await rowsOf<{ types: string[] }>(
        client,
        `SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = '${name}'`,
      );
      await client.query(`DEALLOCATE "${name}"`);
      for (const type of prepared?.types ?? []) expect(['text', 'integer']).toContain(type);
    }
  });

  it('gets values only as parameters', async () => {
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
