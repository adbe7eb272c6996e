import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BerbixSandbox, SandboxEvent } from 'nestjs-berbix/sandbox';
import { exchangeOf } from '../../examples/docs/testing/events.js';
import { EventStream } from '../../lib/sandbox/control/event-stream.js';
import { startSandbox } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

describe('sandbox.events', () => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandbox({ refreshToken: 'rotate' });
    client = new RawClient(sandbox);
  });

  it('waits for the next event of a kind that matches', async () => {
    const { id, refreshToken } = await sandbox.transactions.create({ customerUid: 'ada' });
    const answered = sandbox.events.next(
      'exchange',
      ({ exchange }) => exchange.outcome === 'answered',
    );
    const request = sandbox.events.next('request');
    const faults = sandbox.events.next('faults');
    await client.refresh(refreshToken);
    await expect(answered).resolves.toMatchObject({
      exchange: { transactionId: id, sentToken: 'rotated', tokensExpireAt: expect.any(Date) },
    });
    const { kind, request: summary } = await request;
    expect([kind, summary]).toEqual([
      'request',
      expect.objectContaining({
        id: sandbox.requests.last?.id,
        method: 'POST',
        path: '/v0/tokens',
        status: 200,
        durationMs: expect.any(Number),
      }),
    ]);
    for (const large of ['url', 'headers', 'body']) expect(summary).not.toHaveProperty(large);
    sandbox.faults.add({ kind: 'hang' });
    await expect(faults).resolves.toEqual({ kind: 'faults', pending: 1 });
  });

  it('waits in the example of the documentation', async () => {
    const { id, refreshToken } = await sandbox.transactions.create();
    const exchange = await exchangeOf(sandbox, () => client.refresh(refreshToken));
    expect(exchange).toMatchObject({ transactionId: id, outcome: 'answered' });
  });

  it('tells of each kind', async () => {
    sandbox.webhooks.setUrl('finished', 'http://127.0.0.1:9/');
    const events = [
      sandbox.events.next('transaction', ({ change }) => change === 'created'),
      sandbox.events.next('delivery'),
      sandbox.events.next('clock'),
      sandbox.events.next('state'),
    ] as const;
    const { id } = await sandbox.transactions.create();
    await sandbox.webhooks.startTest('finished');
    sandbox.clock.set(Date.UTC(2030, 0, 1));
    await sandbox.reset();
    const [transaction, delivery, clock, state] = await Promise.all(events);
    expect(transaction.transaction).toMatchObject({ id, state: 'open' });
    expect(delivery.delivery).toMatchObject({ kind: 'finished', problem: 'ECONNREFUSED' });
    expect(clock.now.toISOString()).toMatch(/^2030-01-01/);
    expect(state).toEqual({ kind: 'state', change: 'reset' });
  });

  it('is a loop over all events from its start to the end of the sandbox', async () => {
    await sandbox.transactions.create();
    const events = sandbox.events[Symbol.asyncIterator]();
    const { id } = await sandbox.transactions.create();
    await sandbox.transactions.purge(id);
    const all: SandboxEvent[] = [];
    const done = (async () => {
      for await (const event of events) all.push(event);
    })();
    await sandbox.close();
    await done;
    expect(all).toMatchObject([
      { kind: 'transaction', change: 'created', transaction: { id } },
      { kind: 'transaction', change: 'deleted', transaction: { id } },
    ]);
  });

  it('ends a loop that has missed events', async () => {
    const events = sandbox.events[Symbol.asyncIterator]();
    for (let count = 0; count < 1001; count += 1) sandbox.clock.advance(1);
    await expect(events.next()).rejects.toThrow('missed events: the sandbox keeps the last 1000');
    await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
  });

  it('stops to wait when a signal says so', async () => {
    const controller = new AbortController();
    const event = sandbox.events.next('state', undefined, { signal: controller.signal });
    sandbox.clock.advance(1);
    controller.abort();
    await expect(event).rejects.toThrow('aborted');
    const signal = AbortSignal.abort();
    await expect(sandbox.events.next('state', undefined, { signal })).rejects.toThrow('aborted');
  });

  it('says that the sandbox was closed, to a test that waits', async () => {
    const event = sandbox.events.next('delivery');
    // Nobody waits for this one: that is not a failure.
    void sandbox.events.next('clock');
    await sandbox.close();
    await expect(event).rejects.toThrow('was closed before the next event "delivery"');
    await expect(sandbox.events.next('clock')).rejects.toThrow('was closed');
  });

  it('reports an error in a condition to the test that has it', async () => {
    const event = sandbox.events.next('clock', () => {
      throw new Error('mistake');
    });
    sandbox.clock.advance(1);
    await expect(event).rejects.toThrow('mistake');
    sandbox.clock.advance(1);
  });
});

it('keeps what happens after an event that is larger than all that it keeps', async () => {
  const sandbox = await startSandbox();
  const events = sandbox.events[Symbol.asyncIterator]();
  await sandbox.transactions.create({ customerUid: 'x'.repeat(9 * 1024 * 1024) });
  for (let count = 0; count < 3; count += 1) sandbox.clock.advance(1);
  await expect(events.next()).rejects.toThrow('missed events');
  const later = sandbox.events[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count += 1) sandbox.clock.advance(1);
  for (let count = 0; count < 3; count += 1) {
    await expect(later.next()).resolves.toMatchObject({ value: { kind: 'clock' } });
  }
});

it('shows an exchange as it was when the event happened', async () => {
  const sandbox = await startSandbox();
  const { refreshToken } = await sandbox.transactions.create();
  const begun = sandbox.events.next('exchange');
  const ended = sandbox.events.next('exchange', ({ exchange }) => exchange.status !== undefined);
  await new RawClient(sandbox).refresh(refreshToken);
  expect((await ended).exchange.outcome).toBe('answered');
  expect((await begun).exchange.outcome).toBe('pending');
});

/** A stream to a client that reads as `reads` says, and its writes so far. */
function streamOf(feed: { readonly last: number }, reads: () => boolean) {
  const writes: string[] = [];
  const write = (text: string): boolean => {
    writes.push(text);
    return reads();
  };
  const response = Object.assign(new EventEmitter(), { writeHead() {}, write, destroyed: false });
  const changes = new EventEmitter();
  const event = { kind: 'faults', pending: 0 } as const;
  const at = (number: number) => (number > feed.last ? undefined : { number, event, size: 0 });
  const all = Object.assign(feed, { changes, run: 'run', idOf: String, at });
  new EventStream(all as never, response as never, (data) => data).start(undefined, {});
  return { writes, changes, response };
}

it('a stream of events writes at most 64 of them at once', async () => {
  const feed = { last: 0 };
  const { writes, changes } = streamOf(feed, () => true);
  feed.last = 150;
  changes.emit('change');
  await setImmediate();
  const events = writes.slice(1).map((text) => text.match(/^event: faults$/gm)?.length);
  expect(events).toEqual([64, 64, 22]);
});

it('a stream of events writes nothing to a client that does not read, until it does', async () => {
  const intervals = jest.spyOn(globalThis, 'setInterval');
  let reads = false;
  const feed = { last: 0 };
  const { writes, changes, response } = streamOf(feed, () => reads);
  const beat = intervals.mock.calls.at(-1)?.[0] as () => void;
  intervals.mockRestore();
  feed.last = 1;
  changes.emit('change');
  await setImmediate();
  beat();
  expect(writes).toHaveLength(1);
  reads = true;
  response.emit('drain');
  expect(writes).toHaveLength(2);
  beat();
  expect(writes.at(-1)).toBe(':\n\n');
  response.emit('close');
});

it('a stream of events listens no longer than its client does', () => {
  const changes = new EventEmitter();
  const feed = { changes, run: 'run', last: 0, idOf: String };
  const response = Object.assign(new EventEmitter(), { writeHead() {}, write: () => true });
  new EventStream(feed as never, response as never, (event) => event).start(undefined, {});
  expect(changes.listenerCount('change')).toBe(1);
  response.emit('close');
  expect(changes.listenerCount('change')).toBe(0);
});
