import { describe, expect, it } from '@jest/globals';
import { SandboxClock } from '../../lib/sandbox/clock.js';
import { resolveSettings } from '../../lib/sandbox/resolve-settings.js';
import { InMemoryTransactionStore } from '../../lib/sandbox/storage/storage.js';
import { ActionMap } from '../../lib/sandbox/transactions/action-map.js';
import { planUploads } from '../../lib/sandbox/transactions/templates.js';
import { parseOverride } from '../../lib/sandbox/transactions/transaction-requests.js';
import { TransactionResults } from '../../lib/sandbox/transactions/transaction-results.js';
import { SandboxWebhooks } from '../../lib/sandbox/webhooks/sandbox-webhooks.js';
import type { PendingWebhooks } from '../../lib/sandbox/webhooks/webhook.js';
import type { Transaction } from '../../lib/sandbox/transactions/transaction.js';
import { Transactions } from '../../lib/sandbox/transactions/transactions.js';
import { UploadFlow } from '../../lib/sandbox/uploads/upload-flow.js';
import { parseUploadImages } from '../../lib/sandbox/uploads/upload-requests.js';
import { closeAfterTest } from '../support/closing.js';
import { BACK, FRONT, image } from './support/images.js';

const URL_OF_NOBODY = 'http://127.0.0.1:9/hook';

/** The parts around the results, and the webhooks so far. */
async function start(pending: Partial<PendingWebhooks> = {}) {
  const urls = { finished: { url: URL_OF_NOBODY }, status: { url: URL_OF_NOBODY } };
  const settings = resolveSettings({ webhooks: urls });
  const clock = new SandboxClock();
  const store = new InMemoryTransactionStore();
  const transactions = new Transactions(store, clock, settings);
  const none = { load: async () => [], add: async () => {}, delete: async () => {} };
  const webhooks = new SandboxWebhooks(settings.webhooks, clock, { ...none, ...pending });
  closeAfterTest(() => webhooks.close());
  const results = new TransactionResults(transactions, new ActionMap(settings), webhooks, clock);
  const flow = new UploadFlow(transactions, results, settings);
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
  const told = () =>
    Array.from(webhooks.deliveries, ({ kind, body }) => {
      const { action, transaction_id: id } = JSON.parse(body) as Record<string, unknown>;
      expect(String(id)).toBe(transaction.id);
      return `${kind} ${String(action)}`;
    });
  return { transaction, results, flow, store, told };
}

describe('the webhooks of results', () => {
  it('are sent for an override, and for each change of the action after it', async () => {
    const { transaction, results, told } = await start();
    await results.override(transaction, parseOverride({ response_payload: 'us-dl' }));
    expect(told()).toEqual(['finished accept', 'status accept']);
    await results.update(transaction, { action: 'reject' });
    await results.update(transaction, { action: 'reject' });
    expect(told().slice(2)).toEqual(['status reject', 'status reject']);
  });

  it('are sent for the last upload', async () => {
    const { transaction, flow, told } = await start();
    const upload = (sent: object) =>
      flow.take(transaction.id, parseUploadImages({ images: [sent] }));
    await upload(FRONT);
    await upload(image('document_back', 'issue:bad_upload'));
    expect(told()).toEqual([]);
    await upload(BACK);
    expect(told()).toEqual(['finished accept', 'status accept']);
    await expect(upload(BACK)).rejects.toMatchObject({ code: 409 });
    expect(told()).toHaveLength(2);
  });

  it('are not sent for refused requests, and only after the result is stored', async () => {
    const seen: unknown[] = [];
    const { transaction, results, store, told } = await start({
      add: async () => void seen.push(store.find(transaction.id)),
    });
    await expect(results.update(transaction, { action: 'accept' })).rejects.toThrow('not complete');
    const live = { ...transaction, mode: 'live' } as const;
    const override = parseOverride({ response_payload: 'us-dl' });
    await expect(results.override(live, override)).rejects.toThrow(
      'Only transactions of test mode',
    );
    expect(told()).toEqual([]);
    await results.override(transaction, override);
    for (const stored of await Promise.all(seen)) {
      expect(stored).toMatchObject({ state: { status: 'completed' } });
    }
    expect(seen).toHaveLength(2);
  });

  it('are about transactions that JSON can represent', async () => {
    const { transaction, results, store } = await start();
    await results.override(transaction, parseOverride({ response_payload: 'us-dl' }));
    const stored = await store.find(transaction.id);
    expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
  });
});
