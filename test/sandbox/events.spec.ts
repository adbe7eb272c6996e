import { describe, expect, it } from '@jest/globals';
import { SandboxClock } from '../../lib/sandbox/sandbox-clock.js';
import { resolveSettings } from '../../lib/sandbox/sandbox.settings.js';
import { ActionMap } from '../../lib/sandbox/transactions/action-map.js';
import { InMemoryTransactionStore } from '../../lib/sandbox/transactions/in-memory-transaction.store.js';
import { parseOverride } from '../../lib/sandbox/transactions/override.request.js';
import { TransactionEvents } from '../../lib/sandbox/transactions/transaction.events.js';
import { TransactionResults } from '../../lib/sandbox/transactions/transaction-results.js';
import type { Transaction } from '../../lib/sandbox/transactions/transaction.js';
import { Transactions } from '../../lib/sandbox/transactions/transactions.js';
import { planUploads } from '../../lib/sandbox/transactions/upload-plan.js';
import { UploadFlow } from '../../lib/sandbox/uploads/upload-flow.js';
import { parseUploadImages } from '../../lib/sandbox/uploads/upload-images.request.js';
import { BACK, FRONT, image } from './support/images.js';

/** The parts around the events, and what has been told so far. */
async function start() {
  const settings = resolveSettings();
  const clock = new SandboxClock();
  const store = new InMemoryTransactionStore();
  const transactions = new Transactions(store, clock, settings);
  const events = new TransactionEvents();
  const results = new TransactionResults(transactions, new ActionMap(settings), events, clock);
  const flow = new UploadFlow(transactions, results, events, settings);
  const transaction: Transaction = {
    id: '1000000000000001',
    mode: 'test',
    kind: 'apiOnly',
    customerUid: 'alice',
    createdAt: clock.now(),
    facialRecognition: false,
    rotation: { generation: 0, rotatedAt: clock.now() },
    state: {
      status: 'open',
      steps: planUploads({ document: 'photo', selfie: 'none' }),
      flags: [],
    },
  };
  await transactions.add(transaction);
  const told: string[] = [];
  events.stream.subscribe(({ kind, transaction: { id, state } }) => {
    expect(id).toBe(transaction.id);
    told.push(`${kind} ${state.action}`);
  });
  return { transaction, results, flow, store, events, told };
}

describe('TransactionEvents', () => {
  it('tell of an override and of each change of the action after it', async () => {
    const { transaction, results, told } = await start();
    await results.override(transaction, parseOverride({ response_payload: 'us-dl' }));
    expect(told).toEqual(['finished accept', 'status accept']);
    await results.update(transaction, { action: 'reject' });
    await results.update(transaction, { action: 'reject' });
    expect(told.slice(2)).toEqual(['status reject', 'status reject']);
  });

  it('tell of the last upload', async () => {
    const { transaction, flow, told } = await start();
    const upload = (sent: object) =>
      flow.take(transaction.id, parseUploadImages({ images: [sent] }));
    await upload(FRONT);
    await upload(image('document_back', 'issue:bad_upload'));
    expect(told).toEqual([]);
    await upload(BACK);
    expect(told).toEqual(['finished accept', 'status accept']);
    await expect(upload(BACK)).rejects.toMatchObject({ code: 409 });
    expect(told).toHaveLength(2);
  });

  it('tell nothing of what was refused, and only what the store has', async () => {
    const { transaction, results, store, events, told } = await start();
    await expect(results.update(transaction, { action: 'accept' })).rejects.toThrow('not complete');
    const live = { ...transaction, mode: 'live' } as const;
    const override = parseOverride({ response_payload: 'us-dl' });
    await expect(results.override(live, override)).rejects.toThrow(
      'Only transactions of test mode',
    );
    expect(told).toEqual([]);
    const seen: unknown[] = [];
    events.stream.subscribe(({ transaction: { id } }) => seen.push(store.find(id)));
    await results.override(transaction, override);
    for (const stored of await Promise.all(seen)) {
      expect(stored).toMatchObject({ state: { status: 'completed' } });
    }
    expect(seen).toHaveLength(2);
  });

  it('tell of transactions that survive JSON', async () => {
    const { transaction, results, store } = await start();
    await results.override(transaction, parseOverride({ response_payload: 'us-dl' }));
    const stored = await store.find(transaction.id);
    expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
  });
});
