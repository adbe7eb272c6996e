import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { getBerbixToken } from 'nestjs-berbix';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import {
  CheckedStore,
  InMemoryTokenStore,
  type BerbixTokenStore,
} from '../../lib/token-store/index.js';
import { BerbixWebhookService, OnBerbixWebhook } from '../../lib/webhooks/index.js';
import { WebhookSweep } from '../../lib/webhooks/webhook-sweep.js';
import { changed } from '../support/changed-store.js';
import { until } from '../support/until.js';
import { gate, replica, send } from './support/replicas.js';
import { SECRETS, startApp, webhookModule } from './support/webhook-app.js';

const SWEEP = 'webhook-sweep:default';
const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-23T12:00:00Z');

afterEach(() => void jest.restoreAllMocks());

function sweepOf(store: BerbixTokenStore): WebhookSweep {
  return new WebhookSweep(new CheckedStore(store, 1_500), 'webhook:default/', SWEEP);
}

/** The same store, in which it is always the same time. */
function stopped(store: BerbixTokenStore, leasedForMs = 0): BerbixTokenStore {
  return changed(store, {
    load: async (key) => {
      const record = await store.load(key);
      return record && { ...record, now: NOW, leasedForMs };
    },
    lease: async (...step) => {
      const lease = await store.lease(...step);
      return lease && { ...lease, now: NOW };
    },
  });
}

async function tomorrow(store: BerbixTokenStore): Promise<void> {
  await store.commit(SWEEP, 0, String(Date.now() + DAY_MS));
}

async function overlong(store: BerbixTokenStore): Promise<void> {
  await store.lease(SWEEP, { version: 0, leaseEpoch: 0 }, DAY_MS, '');
}

describe('the sweep', () => {
  it('happens once a day, for any number of replicas and webhooks', async () => {
    const store = new InMemoryTokenStore();
    let sweeps = 0;
    let looks = 0;
    const counting = changed(store, {
      load: async (key) => {
        if (key === SWEEP) looks++;
        return store.load(key);
      },
      keys: async (prefix) => {
        sweeps++;
        return store.keys(prefix);
      },
    });
    for (const transactionId of ['1', '2', '3']) {
      const app = await replica(counting);
      expect(await send(app, 'accept', transactionId)).toBe(204);
      expect(await send(app, 'review', transactionId)).toBe(204);
      await until(() => sweeps === 1);
      await app.close();
    }
    // Each replica asks once whether it is time.
    expect({ sweeps, looks }).toEqual({ sweeps: 1, looks: 3 });
  });

  it.each([
    ['the last one was later than now', tomorrow],
    ['a lease is longer than any that is taken', overlong],
  ])('happens after the clock of the store was set back: %s', async (_, prepare) => {
    const store = new InMemoryTokenStore();
    await prepare(store);
    // Without an application: nobody could say when it has decided not to sweep.
    await sweepOf(store).begin();
    const record = await store.load(SWEEP);
    expect(record).toMatchObject({ leasedForMs: 0 });
    expect(Number(record?.value)).toBeLessThan(Date.now() + DAY_MS / 2);
  });

  it('happens for each account', async () => {
    const accounts = ['eu', 'us/ca'] as const;
    class Handler {
      @OnBerbixWebhook('status', accounts[0])
      @OnBerbixWebhook('status', accounts[1])
      handle(): void {}
    }
    const store = new InMemoryTokenStore();
    const { module } = await startApp({
      imports: accounts.map((account) => webhookModule(SECRETS, store, account)),
      providers: [Handler],
    });
    const rawBody = sampleWebhookBody();
    const header = signBerbixWebhook({ secret: SECRETS.status, body: rawBody });
    for (const account of accounts) {
      const token = getBerbixToken(BerbixWebhookService, account);
      const webhooks = module.get<BerbixWebhookService>(token, { strict: false });
      const webhook = await webhooks.verify({ kind: 'status', header, rawBody });
      expect(await webhooks.handle(webhook)).toBe('handled');
      const record = `webhook-sweep:${encodeURIComponent(account)}`;
      await until(async () => (await store.load(record))?.value !== undefined);
    }
  });

  it.each([
    ['there was none', undefined, true],
    ['the last one was now', NOW, false],
    ['the last one was almost a day ago', NOW - DAY_MS + 1, false],
    ['the last one was a day ago', NOW - DAY_MS, true],
    ['the last one was later than now', NOW + 1, true],
  ])('happens if it is due: %s', async (_, last, isDue) => {
    const store = new InMemoryTokenStore();
    if (last !== undefined) await store.commit(SWEEP, 0, String(last));
    await sweepOf(stopped(store)).begin();
    const value = isDue ? NOW : last;
    expect((await store.load(SWEEP))?.value).toBe(String(value));
  });

  it('asks again a day later, not before', async () => {
    const store = new InMemoryTokenStore();
    const asked: string[] = [];
    const sweep = sweepOf(
      changed(store, {
        load: async (key) => {
          asked.push(key);
          return store.load(key);
        },
      }),
    );
    const elapsed = jest.spyOn(performance, 'now').mockReturnValue(5_000);
    for (const ms of [0, DAY_MS - 1, DAY_MS]) {
      elapsed.mockReturnValue(5_000 + ms);
      await sweep.begin();
      asked.push(`after ${ms}`);
    }
    expect(asked).toEqual([SWEEP, 'after 0', `after ${DAY_MS - 1}`, SWEEP, `after ${DAY_MS}`]);
  });

  it.each([
    ['of a month ago', { hash: 'x', at: NOW - 30 * DAY_MS }, 0, false],
    ['of more than a month ago', { hash: 'x', at: NOW - 30 * DAY_MS - 1 }, 0, true],
    ['of long ago that is being handled again', { hash: 'x', at: 0 }, 1, false],
    ['without a time', { hash: 'x' }, 0, false],
    ['without a hash', { at: 0 }, 0, false],
  ])('removes or keeps a record %s', async (_, mark, leasedForMs, isRemoved) => {
    const store = new InMemoryTokenStore();
    const key = 'webhook:default/status/1';
    await store.commit(key, 0, JSON.stringify(mark));
    expect(await sweepOf(stopped(store, leasedForMs)).begin()).toBe(isRemoved ? 1 : 0);
    expect((await store.keys('webhook:')).keys).toEqual(isRemoved ? [] : [key]);
  });

  it('looks at every page of keys', async () => {
    const store = new InMemoryTokenStore();
    const keys = ['1', '2', '3'].map((id) => `webhook:default/status/${id}`);
    for (const key of keys) await store.commit(key, 0, JSON.stringify({ hash: 'x', at: 0 }));
    const paged = changed(store, {
      keys: async (_prefix, cursor = '0') => ({
        keys: [keys[Number(cursor)] as string],
        cursor: cursor === '2' ? undefined : String(Number(cursor) + 1),
      }),
    });
    expect(await sweepOf(paged).begin()).toBe(3);
    expect((await store.keys('webhook:default/')).keys).toEqual([]);
  });

  it('does not begin once the application has ended', async () => {
    const store = new InMemoryTokenStore();
    const sweep = sweepOf(store);
    sweep.stop();
    expect(await sweep.begin()).toBe(0);
    expect(await store.load(SWEEP)).toBeUndefined();
  });

  it('skips webhooks that are being handled, and ends with the application', async () => {
    const store = new InMemoryTokenStore();
    const old = JSON.stringify({ hash: 'x', at: 0 });
    for (const id of ['1', '2', '3']) await store.commit(`webhook:default/status/${id}`, 0, old);
    await store.lease('webhook:default/status/1', { version: 1, leaseEpoch: 0 }, 60_000, '');
    const { opened, open } = gate();
    const forgotten: string[] = [];
    const slow = changed(store, {
      // What is being handled comes first.
      keys: async () => ({
        keys: ['1', '2', '3'].map((id) => `webhook:default/status/${id}`),
        cursor: undefined,
      }),
      forget: async (key) => {
        forgotten.push(key);
        await opened;
        return true;
      },
    });
    const app = await replica(slow);
    expect(await send(app, 'accept', '4')).toBe(204);
    await until(() => forgotten.length === 1);
    await app.close();
    open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(forgotten).toEqual(['webhook:default/status/2']);
    expect((await store.load(SWEEP))?.value).toBeUndefined();
  });

  it('skips webhooks that are handled again after they were read', async () => {
    const store = new InMemoryTokenStore();
    const key = 'webhook:default/status/1';
    await store.commit(key, 0, JSON.stringify({ hash: 'x', at: 0 }));
    const busy = changed(store, {
      forget: async (...step) => {
        await store.lease(key, { version: 1, leaseEpoch: 0 }, 60_000, '');
        return store.forget(...step);
      },
      commit: async (...step) => {
        const committed = await store.commit(...step);
        if (step[0] === SWEEP) swept();
        return committed;
      },
    });
    const { opened: sweep, open: swept } = gate();
    expect(await send(await replica(busy), 'accept', '4')).toBe(204);
    await sweep;
    expect(await store.load(key)).toMatchObject({ version: 1, leaseEpoch: 1 });
    expect((await store.load(key))?.value).toBeDefined();
  });
});
