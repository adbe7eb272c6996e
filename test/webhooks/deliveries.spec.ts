import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import {
  InMemoryTokenStore,
  type BerbixTokenStore,
  type StoredRecord,
} from '../../lib/token-store/index.js';
import {
  BerbixWebhookService,
  OnBerbixWebhook,
  createBerbixWebhookController,
  type BerbixWebhookDto,
} from '../../lib/webhooks/index.js';
import { changed } from '../support/changed-store.js';
import { STORES, describeEachOn, type OpenedStore } from '../support/servers.js';
import { startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import {
  SECRETS,
  STORE_TIMEOUT_MS,
  withFakeTimeouts,
  post,
  startApp,
  webhookModule,
  type WebhookApp,
} from './support/webhook-app.js';
import { Handler, gate, handling, replica, send } from './support/replicas.js';

describeEachOn(STORES)('two replicas on $name', ({ open }) => {
  let opened: OpenedStore;
  let replicas: [WebhookApp, WebhookApp];

  beforeEach(async () => {
    opened = await open();
    replicas = [
      await replica(opened.store, {}, 'express'),
      await replica(opened.another, {}, 'fastify'),
    ];
  });

  it('handle a delivery once, regardless of which one receives it', async () => {
    const [one, other] = replicas;
    expect(await send(one)).toBe(204);
    expect(await send(other)).toBe(204);
    expect(await send(one)).toBe(204);
    expect(handling.done).toEqual(['accept']);
    const again = 'log: A status webhook of transaction 7 was repeated.';
    // All replicas log to the application that started last.
    expect(other.logs).toEqual([again, again]);
  });

  it('handle each change, also a change back', async () => {
    const [one, other] = replicas;
    for (const action of ['accept', 'review', 'accept', 'accept', 'reject']) {
      expect(await send(handling.done.length % 2 ? one : other, action)).toBe(204);
    }
    expect(handling.done).toEqual(['accept', 'review', 'accept', 'reject']);
  });

  it('distinguish transactions and kinds', async () => {
    const [one, other] = replicas;
    expect(await send(one, 'accept', '7')).toBe(204);
    expect(await send(other, 'accept', '8')).toBe(204);
    const body = sampleWebhookBody({ transactionId: '7', action: 'accept' });
    const header = signBerbixWebhook({ secret: SECRETS.finished, body });
    expect((await post(`${one.url}/webhooks/berbix/finished`, body, header)).status).toBe(204);
    expect(handling.done).toHaveLength(3);
  });

  it('handle concurrent deliveries once', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 12 }, (_, index) => send(replicas[index % 2] as WebhookApp)),
    );
    expect(handling.done).toEqual(['accept']);
    expect(new Set([204, 503, ...statuses])).toEqual(new Set([204, 503]));
    expect(statuses).toContain(204);
  });

  it('handle no other delivery while one is being handled', async () => {
    const [one, other] = replicas;
    const { opened: done, open: finish } = gate();
    handling.work = () => done;
    const first = send(one);
    await until(() => handling.done.length === 1);
    expect(await send(other)).toBe(503);
    expect(await send(other, 'review')).toBe(503);
    expect(await send(one)).toBe(503);
    finish();
    expect(await first).toBe(204);
    expect(await send(other)).toBe(204);
    expect(handling.done).toEqual(['accept']);
    expect(await send(other, 'review')).toBe(204);
    expect(handling.done).toEqual(['accept', 'review']);
  });

  it('do not consider a delivery repeated while a change is being handled', async () => {
    const [one, other] = replicas;
    expect(await send(one)).toBe(204);
    const { opened: done, open: finish } = gate();
    handling.work = () => done;
    const change = send(other, 'review');
    await until(() => handling.done.length === 2);
    expect(await send(one)).toBe(503);
    finish();
    expect(await change).toBe(204);
    expect(await send(one)).toBe(204);
    expect(handling.done).toEqual(['accept', 'review', 'accept']);
  });

  it('handle a failed delivery again, immediately', async () => {
    const [one, other] = replicas;
    handling.work = () => Promise.reject(new Error('no disk'));
    expect(await send(one)).toBe(500);
    handling.work = () => {};
    expect(await send(other)).toBe(204);
    expect(await send(one)).toBe(204);
    expect(handling.done).toEqual(['accept', 'accept']);
  });

  it('remove the records of a month ago, and nothing else', async () => {
    const { store } = opened;
    const day = 86_400_000;
    const handleAt = async (days: number, transactionId: string): Promise<string[]> => {
      const sweeps = { done: 0, forgotten: [] as string[] };
      const app = await replica(shifted(store, days * day, sweeps));
      expect(await send(app, 'accept', transactionId)).toBe(204);
      await until(() => sweeps.done === 1);
      await app.close();
      return sweeps.forgotten;
    };
    await store.commit('default/other/1', 0, 'precious');
    await store.commit('webhook:default/status/99', 0, 'not ours');
    expect(await handleAt(0, '1')).toEqual([]);
    expect(await handleAt(1.5, '2')).toEqual([]);
    const value = async (key: string) => (await store.load(key))?.value;
    expect(await value('webhook:default/status/1')).toBeDefined();
    expect(await handleAt(31, '3')).toEqual(['webhook:default/status/1']);
    expect(await value('webhook:default/status/1')).toBeUndefined();
    expect(await value('webhook:default/status/2')).toBeDefined();
    expect(await value('webhook:default/status/3')).toBeDefined();
    expect(await value('webhook:default/status/99')).toBe('not ours');
    expect(await value('default/other/1')).toBe('precious');
  });
});

/** The same store on another day; records the sweeps and what they remove. */
function shifted(
  store: BerbixTokenStore,
  ms: number,
  sweeps: { done: number; forgotten: string[] },
): BerbixTokenStore {
  return changed(store, {
    load: async (key) => {
      const record = await store.load(key);
      return record && { ...record, now: record.now + ms };
    },
    lease: async (...args) => {
      const lease = await store.lease(...args);
      return lease && { ...lease, now: lease.now + ms };
    },
    commit: async (key, ...args) => {
      const version = await store.commit(key, ...args);
      if (key === 'webhook-sweep:default') sweeps.done++;
      return version;
    },
    forget: async (key, seen) => {
      sweeps.forgotten.push(key);
      return store.forget(key, seen);
    },
  });
}

describe('a delivery', () => {
  it('that the sandbox sends twice is handled once', async () => {
    const app = await replica(new InMemoryTokenStore());
    const secret = SECRETS.finished;
    const finished = { url: `${app.url}/webhooks/berbix/finished`, secret };
    const sandbox = await startSandbox({ webhooks: { finished } });
    sandbox.webhooks.failNext('duplicate');
    await sandbox.webhooks.sendTest('finished');
    expect([...sandbox.deliveries]).toMatchObject([
      { delivered: true, attempts: 1 },
      { delivered: true, attempts: 1 },
    ]);
    expect(handling.done).toEqual(['test-action']);
  });

  it.each([
    ['the customer', sampleWebhookBody({ customerUid: 'ada' })],
    ['the link', sampleWebhookBody({ dashboardLink: 'https://dashboard.example/2' })],
    ['an unknown field', sampleWebhookBody().replace('"id"', '"reason":"age","id"')],
  ])('that differs from the last one only in %s is handled', async (_, changedBody) => {
    const { url } = await replica(new InMemoryTokenStore());
    for (const body of [sampleWebhookBody(), changedBody, changedBody]) {
      const header = signBerbixWebhook({ secret: SECRETS.status, body });
      expect((await post(`${url}/webhooks/berbix/status`, body, header)).status).toBe(204);
    }
    expect(handling.done).toHaveLength(2);
  });

  it('that takes longer than its lease may be handled twice, and this is logged', async () => {
    const store = new InMemoryTokenStore();
    const app = await replica(store, { leaseMs: 1 });
    const { opened, open } = gate();
    handling.work = () => (handling.done.length === 1 ? opened : undefined);
    const first = send(app);
    await until(() => handling.done.length === 1);
    await until(async () => (await send(app)) === 204);
    open();
    expect(await first).toBe(204);
    expect(handling.done).toEqual(['accept', 'accept']);
    expect(app.logs).toEqual([
      expect.stringContaining(
        'warn: A webhook was handled twice: its handlers took longer than 1 ms',
      ),
    ]);
  });

  it('is handled once if its commit reaches the store twice, and nothing is logged', async () => {
    const store = new InMemoryTokenStore();
    const twice = changed(store, {
      commit: async (...args) => {
        await store.commit(...args);
        return store.commit(...args);
      },
    });
    const app = await replica(twice);
    expect(await send(app)).toBe(204);
    expect({ handled: handling.done, logs: app.logs }).toEqual({ handled: ['accept'], logs: [] });
  });

  it('blocks other deliveries for ten seconds, or for the configured time', async () => {
    const leases: number[] = [];
    const store = new InMemoryTokenStore();
    const noting = changed(store, {
      lease: (key, seen, ttlMs, note) => {
        if (key.endsWith('/7')) leases.push(ttlMs);
        return store.lease(key, seen, ttlMs, note);
      },
    });
    expect(await send(await replica(noting))).toBe(204);
    expect(await send(await replica(noting, { leaseMs: 60_000 }), 'review')).toBe(204);
    expect(leases).toEqual([10_000, 60_000]);
  });

  it('is handled if a lease is longer than any replica takes', async () => {
    const store = new InMemoryTokenStore();
    // This is how the store shows a killed replica's lease after its clock was set back.
    const seen = { version: 0, leaseEpoch: 0 };
    await store.lease('webhook:default/status/7', seen, 3_600_000, '');
    await store.lease('webhook:default/status/8', seen, 19_000, '');
    const app = await replica(store);
    expect(await send(app)).toBe(204);
    expect(await send(app, 'accept', '8')).toBe(503);
    expect(handling.done).toEqual(['accept']);
  });

  it('that another replica has just handled is not requested again', async () => {
    const store = new InMemoryTokenStore();
    expect(await send(await replica(store))).toBe(204);
    let stale = true;
    const late = changed(store, {
      load: async (key): Promise<StoredRecord | undefined> => {
        if (!stale) return store.load(key);
        stale = false;
        return undefined;
      },
    });
    expect(await send(await replica(late))).toBe(204);
    expect({ handled: handling.done, stale }).toEqual({ handled: ['accept'], stale: false });
  });

  it.each<
    [string, (store: InMemoryTokenStore) => Partial<BerbixTokenStore>, boolean, number, string]
  >([
    ['load', () => ({ load: fail }), false, 503, 'is refused for now'],
    ['lease', () => ({ lease: fail }), false, 503, 'is refused for now'],
    ['commit', () => ({ commit: fail }), false, 204, 'that could not be stored'],
    ['release', () => ({ release: fail }), true, 500, 'cannot be handled again for 10000 ms'],
    [
      'keys',
      () => ({ keys: fail }),
      false,
      204,
      'warn: The records of old webhooks could not be removed. The token store (the memory of this process)',
    ],
  ])('is safe if %s fails', async (_, methods, workFails, status, mention) => {
    const store = new InMemoryTokenStore();
    const app = await replica(changed(store, methods(store)));
    if (workFails) handling.work = () => Promise.reject(new Error('no disk'));
    expect(await send(app)).toBe(status);
    await until(() => app.logs.some((line) => line.includes(mention)));
    expect(app.logs.join()).not.toContain('hunter2');
    expect(handling.done).toHaveLength(status === 503 ? 0 : 1);
  });

  it.each<['load' | 'lease' | 'commit' | 'release', boolean, number]>([
    ['load', false, 503],
    ['lease', false, 503],
    ['commit', false, 204],
    ['release', true, 500],
  ])('does not wait forever for a store: %s', async (method, workFails, status) => {
    let never: () => Promise<never>;
    const asked = new Promise<void>((resolve) => {
      never = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    const store = changed(new InMemoryTokenStore(), { [method]: () => never() });
    const app = await replica(store);
    if (workFails) handling.work = () => Promise.reject(new Error('no disk'));
    const answer = await withFakeTimeouts(async () => {
      const sent = send(app);
      await asked;
      jest.advanceTimersByTime(STORE_TIMEOUT_MS);
      return sent;
    });
    expect(answer).toBe(status);
    expect(app.logs.join()).toContain(`did not answer within ${STORE_TIMEOUT_MS} ms`);
  });

  it('is recognized as repeated by another service', async () => {
    const app = await replica(new InMemoryTokenStore());
    const service = app.module.get(BerbixWebhookService, { strict: false });
    const body = sampleWebhookBody({ transactionId: '9' });
    const webhook = await service.verify({
      kind: 'status',
      header: signBerbixWebhook({ secret: SECRETS.status, body }),
      rawBody: Buffer.from(body),
    });
    const { opened, open } = gate();
    handling.work = () => opened;
    const first = service.handle(webhook);
    await until(() => handling.done.length === 1);
    expect(await service.handle(webhook)).toBe('busy');
    open();
    expect(await first).toBe('handled');
    // As it comes from a queue.
    const copy = JSON.parse(JSON.stringify(webhook)) as BerbixWebhookDto;
    expect(await service.handle(copy)).toBe('repeated');
    handling.work = () => Promise.reject(new RangeError('mine'));
    await expect(service.handle({ ...webhook, action: 'x' })).rejects.toThrow(RangeError);
    const none = await replica(new InMemoryTokenStore(), {}, 'express', []);
    const idle = none.module.get(BerbixWebhookService, { strict: false });
    await expect(idle.handle(webhook)).rejects.toThrow("No method has @OnBerbixWebhook('status')");
  });

  it('of one account is independent of another account', async () => {
    const store = new InMemoryTokenStore();
    class Eu {
      @OnBerbixWebhook('status', 'e/u')
      handle({ action }: BerbixWebhookDto): void {
        handling.done.push(`eu ${action}`);
      }
    }
    const { url } = await startApp({
      imports: [webhookModule(SECRETS, store), webhookModule(SECRETS, store, 'e/u')],
      controllers: [
        createBerbixWebhookController(),
        createBerbixWebhookController({ path: 'eu', account: 'e/u' }),
      ],
      providers: [Handler, Eu],
    });
    const body = sampleWebhookBody({ transactionId: '7', action: 'accept' });
    const header = signBerbixWebhook({ secret: SECRETS.status, body });
    for (const path of ['webhooks/berbix', 'eu']) {
      expect((await post(`${url}/${path}/status`, body, header)).status).toBe(204);
    }
    expect(handling.done).toEqual(['accept', 'eu accept']);
    expect((await store.keys('')).keys).toEqual(
      expect.arrayContaining(['webhook:default/status/7', 'webhook:e%2Fu/status/7']),
    );
  });
});

async function fail(): Promise<never> {
  throw new Error('connection as hunter2 failed');
}
