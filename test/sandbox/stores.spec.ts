import type { PGlite } from '@electric-sql/pglite';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { migrate, PostgresTransactionStore } from '../../lib/sandbox/storage/postgres-storage.js';
import { InMemoryStorage, InMemoryTransactionStore } from '../../lib/sandbox/storage/storage.js';
import type {
  CompletedTransaction,
  Transaction,
  TransactionFilter,
  TransactionStore,
} from '../../lib/sandbox/transactions/transaction.js';
import { closeAfterFile } from '../support/closing.js';
import { databaseDirectory } from '../support/directories.js';
import { newPglite } from '../support/pglite.js';
import { startSandbox } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

let opened: Promise<PGlite> | undefined;
let dataDir: string;

/** PostgreSQL without any table: one for all tests, which empty it first. */
async function emptyDatabase(): Promise<PGlite> {
  opened ??= newPglite();
  const database = await opened;
  await database.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  return database;
}

beforeAll(async () => {
  dataDir = await databaseDirectory();
  closeAfterFile(async () => (await opened)?.close());
});

/** Where a sandbox keeps things, and the store that does it. */
const STORES: Record<
  string,
  { store: () => Promise<TransactionStore>; options: () => BerbixSandboxOptions }
> = {
  memory: {
    store: async () => new InMemoryTransactionStore(),
    options: () => ({}),
  },
  PostgreSQL: {
    store: async () => {
      const database = await emptyDatabase();
      await migrate(database);
      // A second time changes nothing.
      await migrate(database);
      return new PostgresTransactionStore(database);
    },
    options: () => ({ dataDir }),
  },
};

const OPEN: Transaction = {
  id: '18014398509481985',
  mode: 'test',
  kind: 'apiOnly',
  customerUid: 'Zoë \u0000 \ud800 "q"',
  createdAt: 1.5,
  facialRecognition: false,
  matchData: { given_name: 'ZOË' },
  rotation: { generation: 0, rotatedAt: 1 },
  state: { status: 'open', steps: ['upload_document_front'], flags: [] },
};

function completed(id: string, completedAt: number, idNumber?: string): CompletedTransaction {
  const fields: Record<string, string> = idNumber === undefined ? {} : { id_number: idNumber };
  return {
    ...OPEN,
    id,
    state: { status: 'completed', completedAt, action: 'accept', flags: [], fields },
  };
}

describe.each(Object.keys(STORES))('transactions in %s', (name) => {
  let store: TransactionStore;

  beforeEach(async () => {
    store = (await STORES[name]?.store()) as TransactionStore;
  });

  it('are found as stored and as changed, and not after deletion', async () => {
    await expect(store.find(OPEN.id)).resolves.toBeUndefined();
    await store.add(OPEN);
    await expect(store.find(OPEN.id)).resolves.toEqual(OPEN);
    const changed = completed(OPEN.id, 2.5);
    await store.save(changed);
    await expect(store.find(OPEN.id)).resolves.toEqual(changed);
    await store.delete(OPEN.id);
    await store.delete(OPEN.id);
    await expect(store.find(OPEN.id)).resolves.toBeUndefined();
  });

  it('are listed, newest first, by customer and state, as far as they are asked for', async () => {
    const list = async (filter: Partial<TransactionFilter>) => {
      const found = await store.list({ createdAfter: 0, limit: 9, ...filter });
      return found.map(({ id }) => id);
    };
    await store.add({ ...OPEN, id: '3', createdAt: 10.5 });
    await store.add({ ...completed('1', 50), createdAt: 30 });
    await store.add({ ...OPEN, id: '2', createdAt: 30, customerUid: OPEN.customerUid + '"' });
    await store.add({ ...OPEN, id: '0', createdAt: 30, customerUid: 'ada' });
    await store.add({ ...OPEN, id: '4', createdAt: 20 });
    await store.save({ ...completed('4', 60), createdAt: 20 });
    await expect(list({})).resolves.toEqual(['2', '1', '0', '4', '3']);
    await expect(list({ limit: 2 })).resolves.toEqual(['2', '1']);
    await expect(list({ createdAfter: 10.5 })).resolves.toEqual(['2', '1', '0', '4']);
    await expect(list({ customerUid: OPEN.customerUid })).resolves.toEqual(['1', '4', '3']);
    await expect(list({ state: 'open' })).resolves.toEqual(['2', '0', '3']);
    await expect(list({ state: 'completed' })).resolves.toEqual(['1', '4']);
    await expect(list({ customerUid: '', state: 'open' })).resolves.toEqual([]);
    const [found] = await store.list({ createdAfter: 0, limit: 1, state: 'completed' });
    expect(found).toEqual({ ...completed('1', 50), createdAt: 30 });
  });

  it('are found by the number of the photo ID, and by the time of completion', async () => {
    const number = 'D1 \u0000';
    const all = [completed('1', 10, number), completed('2', 20.5), completed('3', 30, number)];
    await store.add(OPEN);
    await store.add(all[0] as Transaction);
    for (const transaction of all.slice(1)) {
      await store.add({ ...OPEN, id: transaction.id });
      await store.save(transaction);
    }
    await store.add({ ...completed('4', 40, number), mode: 'live' });
    const same = await store.findByIdNumber('test', number);
    expect(same.toSorted((a, b) => Number(a.id) - Number(b.id))).toEqual([all[0], all[2]]);
    await expect(store.findByIdNumber('test', '')).resolves.toEqual([]);
    const times = await store.completionTimes('test', 10);
    expect(times.toSorted()).toEqual([20.5, 30]);
    await expect(store.completionTimes('live', 0)).resolves.toEqual([40]);
  });
});

describe.each(Object.keys(STORES))('a sandbox with %s', (name) => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    const stored = STORES[name]?.options();
    return new RawClient(await startSandbox({ ...stored, ...options }));
  }

  it.each(['omit', 'echo', 'rotate'] as const)('refreshes three times: %s', async (mode) => {
    const client = await start({ refreshToken: mode });
    const created = (await client.create()).json;
    let current = created.refresh_token;
    for (let round = 1; round <= 3; round += 1) {
      const { status, json } = await client.refresh(current);
      expect([status, json.transaction_id]).toEqual([200, created.transaction_id]);
      expect((await client.fetch(json.access_token)).status).toBe(200);
      current = json.refresh_token ?? current;
    }
    expect(current === created.refresh_token).toBe(mode !== 'rotate');
  });

  it('processes a transaction from creation to deletion', async () => {
    const client = await start();
    const created = (await client.create()).json;
    const authorization = `Bearer ${created.access_token}`;
    const patch = (path: string, body: object) =>
      client.send('PATCH', path, { authorization, body });
    expect((await client.fetch(created.access_token)).json.action).toBe('');
    const override = {
      response_payload: 'us-dl',
      flags: ['id_under_21'],
      override_fields: { given_name: 'Zoë \u0000' },
    };
    expect((await patch('/v0/transactions/override', override)).status).toBe(204);
    expect((await patch('/v0/transactions/override', override)).status).toBe(409);
    const { json } = await client.fetch(created.access_token);
    expect(json).toMatchObject({
      action: 'review',
      flags: ['id_under_21'],
      fields: { given_name: { value: 'Zoë \u0000' } },
    });
    expect((await patch('/v0/transactions', { action: 'accept' })).json.action).toBe('accept');
    expect((await client.delete(created.access_token)).status).toBe(204);
    expect((await client.delete(created.access_token)).status).toBe(410);
    expect((await client.refresh(created.refresh_token)).status).toBe(410);
  });
});

describe('A database of an earlier version', () => {
  it('lists its transactions, whatever the uid of the customer is', async () => {
    const database = await emptyDatabase();
    await database.exec(
      `CREATE TABLE schema_version (version integer NOT NULL);
       INSERT INTO schema_version VALUES (2);
       CREATE TABLE transactions (
         id text PRIMARY KEY, mode text NOT NULL, completed_at double precision, id_number text,
         content json NOT NULL
       );`,
    );
    const uids = [OPEN.customerUid, '"createdAt":7,"customerUid":"x"', '\\', '', 'a\nb'];
    const all = uids.map((customerUid, index) => ({
      ...OPEN,
      id: String(index),
      customerUid,
      createdAt: 1e12 - index - 0.5,
    }));
    for (const { id, mode, ...content } of all) {
      await database.query('INSERT INTO transactions (id, mode, content) VALUES ($1, $2, $3)', [
        id,
        mode,
        JSON.stringify({ id, mode, ...content }),
      ]);
    }
    await migrate(database);
    // The next start changes nothing.
    await migrate(database);
    const store = new PostgresTransactionStore(database);
    await expect(store.list({ createdAfter: 0, limit: 9 })).resolves.toEqual(all);
    for (const transaction of all) {
      const filter = { customerUid: transaction.customerUid, createdAfter: 0, limit: 9 };
      await expect(store.list(filter)).resolves.toEqual([transaction]);
    }
  });
});

describe('The transactions in memory', () => {
  it('are at most 100,000: a new one replaces the oldest for good', async () => {
    const store = new InMemoryTransactionStore();
    for (let id = 0; id < 100_001; id += 1) await store.add({ ...OPEN, id: String(id) });
    expect(await store.find('0')).toBeUndefined();
    expect(await store.find('1')).toMatchObject({ id: '1' });
    expect(await store.find('100000')).toMatchObject({ id: '100000' });
    await store.save({ ...OPEN, id: '0' });
    expect(await store.find('0')).toBeUndefined();
  });

  it('are as old as in the state that replaced them', async () => {
    const storage = new InMemoryStorage();
    await storage.replace(
      Array.from({ length: 100_000 }, (_, id) => ({ ...OPEN, id: String(id) })),
    );
    await storage.transactions.add({ ...OPEN, id: '100000' });
    expect(await storage.transactions.find('0')).toBeUndefined();
    expect(await storage.transactions.find('99999')).toMatchObject({ id: '99999' });
  });
});
