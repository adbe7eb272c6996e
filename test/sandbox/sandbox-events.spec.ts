import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
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

it('a stream of events listens no longer than its client does', () => {
  const changes = new EventEmitter();
  const feed = { changes, run: 'run', last: 0, idOf: String };
  const response = Object.assign(new EventEmitter(), { writeHead() {}, write: () => true });
  new EventStream(feed as never, response as never, (event) => event).start(undefined, {});
  expect(changes.listenerCount('change')).toBe(1);
  response.emit('close');
  expect(changes.listenerCount('change')).toBe(0);
});
