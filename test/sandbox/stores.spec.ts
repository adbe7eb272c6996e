import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { PostgresTransactionStore } from '../../lib/sandbox/persistence/postgres-transaction.store.js';
import { migrate } from '../../lib/sandbox/persistence/schema.js';
import { InMemoryTransactionStore } from '../../lib/sandbox/transactions/in-memory-transaction.store.js';
import type {
  CompletedTransaction,
  Transaction,
} from '../../lib/sandbox/transactions/transaction.js';
import type { TransactionStore } from '../../lib/sandbox/transactions/transaction.store.js';
import { Directories } from './support/directories.js';
import { PLATFORMS, Sandboxes } from './support/platforms.js';
import { RawClient } from './support/raw-client.js';

const directories = new Directories();
const sandboxes = new Sandboxes();
const databases: PGlite[] = [];
afterEach(async () => {
  await sandboxes.closeAll();
  for (const database of databases.splice(0)) await database.close();
});
afterAll(() => directories.removeAll());

/** Where a sandbox keeps things, and the store that does it. */
const STORES: Record<
  string,
  { store: () => Promise<TransactionStore>; options: () => Promise<BerbixSandboxOptions> }
> = {
  memory: {
    store: async () => new InMemoryTransactionStore(),
    options: async () => ({}),
  },
  PostgreSQL: {
    store: async () => {
      const database = await PGlite.create(`${await directories.makeWithDatabase()}/postgres`);
      databases.push(database);
      await migrate(database);
      // A second time changes nothing.
      await migrate(database);
      return new PostgresTransactionStore(database);
    },
    options: async () => ({ dataDir: await directories.makeWithDatabase() }),
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

  it('are found as they were kept, changed and gone', async () => {
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

  it('are found by the number of the photo ID, and by when they were completed', async () => {
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

describe.each(
  Object.keys(STORES).flatMap((name) => PLATFORMS.map((platform) => [name, platform] as const)),
)('a sandbox with %s on %s', (name, platform) => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    const stored = await STORES[name]?.options();
    return new RawClient(await sandboxes.start(platform, { ...stored, ...options }));
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

  it('takes a transaction through its life', async () => {
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

describe('The transactions in memory', () => {
  it('are the last 100,000: the oldest makes room for a new one, for good', async () => {
    const store = new InMemoryTransactionStore();
    for (let id = 0; id < 100_001; id += 1) await store.add({ ...OPEN, id: String(id) });
    expect(await store.find('0')).toBeUndefined();
    expect(await store.find('1')).toMatchObject({ id: '1' });
    expect(await store.find('100000')).toMatchObject({ id: '100000' });
    await store.save({ ...OPEN, id: '0' });
    expect(await store.find('0')).toBeUndefined();
  });
});
