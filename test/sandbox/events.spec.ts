import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BerbixSandbox, WebhookDelivery } from 'nestjs-berbix/sandbox';
import { closeAfterTest } from '../support/closing.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { EventReader } from './support/event-reader.js';
import { HookServer } from './support/hook-server.js';
import { basic, RawClient } from './support/raw-client.js';

afterEach(() => {
  jest.useRealTimers();
});

describe.each(PLATFORMS)('GET /sandbox/events on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform, { refreshToken: 'rotate' });
    client = new RawClient(sandbox);
  });

  /** An event that needs no request: the attempt of a webhook. */
  function happen(url = 'http://127.0.0.1:9/'): void {
    const delivery: WebhookDelivery = {
      id: '1',
      kind: 'status',
      transactionId: '1',
      customerUid: 'ada',
      url,
      body: '',
      headers: {},
      fault: undefined,
      resendOf: undefined,
      sentAt: undefined,
      attempts: 1,
      status: 200,
      problem: undefined,
      delivered: true,
    };
    sandbox.deliveries.attempted(delivery);
  }

  it('begins with a snapshot', async () => {
    await client.create();
    sandbox.faults.add({ kind: 'hang' });
    sandbox.clock.set(Date.parse('2030-01-01T00:00:00Z'));
    const reader = await EventReader.open(client);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const [snapshot] = await reader.until('snapshot');
    expect(snapshot).toEqual({
      id: expect.stringMatching(/^\w{8}-4$/),
      kind: 'snapshot',
      data: {
        run: snapshot?.id.split('-')[0],
        resumed: false,
        now: expect.stringMatching(/^2030-01-01T00:0.*Z$/),
        requests: 1,
        deliveries: 0,
        faults: 1,
      },
    });
    // It is neither recorded nor affected by faults.
    expect(sandbox.requests.length).toBe(1);
    expect(sandbox.faults.pending).toHaveLength(1);
  });

  it('tells of transactions, exchanges, webhooks and requests', async () => {
    const server = await HookServer.start();
    sandbox.webhooks.setUrl('finished', server.url);
    sandbox.webhooks.deliveries.clear();
    const reader = await EventReader.open(client);
    const { headers, json } = await client.create({ customer_uid: 'ada' });
    const id = String(json.transaction_id);
    const created = await reader.until('request', { path: '/v0/transactions' });
    expect(created.slice(1)).toEqual([
      {
        id: expect.any(String),
        kind: 'transaction',
        data: expect.objectContaining({
          change: 'created',
          id,
          customer_uid: 'ada',
          state: 'open',
          refresh_token: '[redacted]',
        }),
      },
      {
        id: expect.any(String),
        kind: 'request',
        data: {
          id: headers['x-request-id'],
          method: 'POST',
          path: '/v0/transactions',
          received_at: expect.stringMatching(/Z$/),
          status: 200,
          duration_ms: expect.any(Number),
          notes: [],
          fault: null,
        },
      },
    ]);

    await client.refresh(json.refresh_token);
    const exchanged = await reader.until('request', { path: '/v0/tokens' });
    expect(exchanged.slice(3)).toMatchObject([
      { kind: 'exchange', data: { transaction_id: id, outcome: 'pending' } },
      { kind: 'transaction', data: { change: 'changed', id } },
      {
        kind: 'exchange',
        data: { transaction_id: id, outcome: 'answered', sent_token: 'rotated' },
      },
      { kind: 'request', data: { status: 200 } },
    ]);

    await sandbox.transactions.complete(id, { action: 'reject' });
    const delivered = await reader.until('delivery');
    expect(delivered.slice(7)).toMatchObject([
      { kind: 'transaction', data: { change: 'changed', state: 'completed', action: 'reject' } },
      {
        kind: 'delivery',
        data: { kind: 'finished', url: server.url, attempts: 1, delivered: true },
      },
    ]);
    await sandbox.transactions.purge(id);
    await reader.until('transaction', { change: 'deleted', id });
    const numbers = reader.events.map((event) => Number(event.id.split('-')[1]));
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  it('tells of the clock, the faults and the state', async () => {
    const reader = await EventReader.open(client);
    sandbox.clock.set(Date.parse('2030-01-01T00:00:00Z'));
    const id = sandbox.faults.add({ kind: 'status', status: 503, times: 2 });
    await client.create();
    sandbox.faults.remove(id);
    sandbox.faults.add({ kind: 'hang', forMs: 1000 });
    sandbox.clock.advance(1000);
    await sandbox.importState(await sandbox.exportState());
    await sandbox.reset();
    await reader.until('state', { change: 'reset' });
    const told = reader.events.filter(({ kind }) => ['clock', 'faults', 'state'].includes(kind));
    expect(told.map(({ kind, data }) => [kind, data])).toEqual([
      ['clock', { now: expect.stringMatching(/^2030-01-01T00:00:0/) }],
      ['faults', { pending: 1 }],
      // One of two times.
      ['faults', { pending: 1 }],
      ['faults', { pending: 0 }],
      ['faults', { pending: 1 }],
      ['faults', { pending: 0 }],
      ['clock', { now: expect.stringMatching(/^2030-/) }],
      ['clock', { now: expect.stringMatching(/^2030-/) }],
      ['state', { change: 'imported' }],
      ['clock', { now: expect.not.stringMatching(/^2030-/) }],
      ['state', { change: 'reset' }],
    ]);
  });

  it('is alive every 15 seconds', async () => {
    // Intervals only: the connections need the rest.
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setTimeout',
        'clearTimeout',
      ],
    });
    const reader = await EventReader.open(client);
    await reader.until('snapshot');
    jest.advanceTimersByTime(14_999);
    happen();
    await reader.until('delivery');
    expect(reader.heartbeats).toBe(0);
    jest.advanceTimersByTime(30_001);
    await until(() => reader.heartbeats === 3);
    reader.close();
    await until(() => jest.getTimerCount() === 0);
  });

  it('tells that exchanges overlap while the first of them is still pending', async () => {
    const { json } = await client.create();
    const reader = await EventReader.open(client);
    sandbox.faults.add({ kind: 'hang' });
    const call = client.open('POST', '/v0/tokens', {
      authorization: basic(sandbox.apiSecret),
      body: { refresh_token: json.refresh_token },
    });
    call.on('error', () => undefined);
    const begun = await reader.until('exchange', { outcome: 'pending', overlaps: false });
    const first = begun.find(({ kind }) => kind === 'exchange');
    await client.refresh(json.refresh_token);
    await reader.until('exchange', {
      outcome: 'pending',
      overlaps: true,
      request_id: first?.data.request_id,
    });
    call.destroy();
    const events = await reader.until('exchange', { outcome: 'failed', overlaps: true });
    const failed = events.find(({ data }) => data.outcome === 'failed');
    expect(failed?.data.request_id).toBe(first?.data.request_id);
  });

  it('resumes after the last event that the client has', async () => {
    const first = await EventReader.open(client);
    await first.until('snapshot');
    happen('http://127.0.0.1:1/');
    const [snapshot, one] = await first.until('delivery');
    first.close();
    happen('http://127.0.0.1:2/');
    happen('http://127.0.0.1:3/');

    const second = await EventReader.open(client, one?.id);
    await second.until('delivery', { url: 'http://127.0.0.1:3/' });
    expect(second.events).toMatchObject([
      { kind: 'snapshot', id: one?.id, data: { resumed: true } },
      { kind: 'delivery', data: { url: 'http://127.0.0.1:2/' } },
      { kind: 'delivery', data: { url: 'http://127.0.0.1:3/' } },
    ]);
    happen('http://127.0.0.1:4/');
    await second.until('delivery', { url: 'http://127.0.0.1:4/' });
    expect(second.events).toHaveLength(4);

    // The snapshot has an id too; and who has everything misses nothing.
    const third = await EventReader.open(client, snapshot?.id);
    expect(await third.until('delivery', { url: 'http://127.0.0.1:4/' })).toHaveLength(5);
    const fourth = await EventReader.open(client, second.events.at(-1)?.id);
    expect(await fourth.until('snapshot')).toMatchObject([{ data: { resumed: true } }]);
  });

  it('does not resume after an event that is not known, or too old', async () => {
    const reader = await EventReader.open(client);
    const [snapshot] = await reader.until('snapshot');
    const [run = ''] = snapshot?.id.split('-') ?? [];
    happen();
    const known = async (lastId: string) => {
      const opened = await EventReader.open(client, lastId);
      const [first] = await opened.until('snapshot');
      opened.close();
      return first?.data.resumed;
    };
    await expect(known(`${run}-0`)).resolves.toBe(true);
    await expect(known(`${run}-1`)).resolves.toBe(true);
    for (const lastId of [`${run}-2`, '00000000-1', '1', `${run}-1e0`, `${run}-x`, '']) {
      await expect(known(lastId)).resolves.toBe(false);
    }
    for (let count = 0; count < 1000; count += 1) happen();
    await expect(known(`${run}-1`)).resolves.toBe(true);
    await expect(known(`${run}-0`)).resolves.toBe(false);
  });

  it('shows secrets on request only', async () => {
    const masked = await EventReader.open(client);
    const open = await EventReader.open(client, undefined, '?secrets=1');
    const { json } = await client.create();
    happen('http://ada:sesame@127.0.0.1:9/');
    const shown = JSON.stringify(await open.until('delivery'));
    const hidden = JSON.stringify(await masked.until('delivery'));
    for (const secret of [String(json.refresh_token), 'sesame']) {
      expect(shown).toContain(secret);
      expect(hidden).not.toContain(secret);
    }
  });

  it.each<Record<string, string>>([
    { host: 'evil.example' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('is closed to other sites: %j', async (headers) => {
    const { status, json } = await client.send('GET', '/sandbox/events', { headers });
    expect([status, json.readable]).toEqual([403, 'not_allowed']);
  });

  it('disconnects a client that does not read, and no other', async () => {
    const slow = await EventReader.open(client);
    await slow.until('snapshot');
    slow.response.pause();
    const fast = await EventReader.open(client);
    await fast.until('snapshot');
    // Far more than the sandbox keeps, and than the connection itself can take.
    const EVENTS = 32;
    for (let count = 1; count <= EVENTS; count += 1) {
      happen(`http://127.0.0.1:9/${count}/${'x'.repeat(1024 * 1024)}`);
      await until(() => fast.events.length === count + 1);
    }
    slow.response.resume();
    await until(() => slow.ended);
    expect(slow.events.length).toBeLessThan(EVENTS);
    expect(fast.ended).toBe(false);

    const back = await EventReader.open(client, slow.events.at(-1)?.id);
    expect(await back.until('snapshot')).toMatchObject([{ data: { resumed: false } }]);
  });

  it('sends an event that is larger than all that it keeps', async () => {
    const reader = await EventReader.open(client);
    await reader.until('snapshot');
    for (const port of [1, 2]) {
      happen(`http://127.0.0.1:${port}/${'x'.repeat(9 * 1024 * 1024)}`);
      await until(() => reader.events.length === port + 1);
    }
    expect(reader.ended).toBe(false);
  });

  it('has at most 100 clients', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): number => warnings.push(warning);
    process.on('warning', warn);
    const readers = await Promise.all(Array.from({ length: 100 }, () => EventReader.open(client)));
    process.off('warning', warn);
    await Promise.all(readers.map((reader) => reader.until('snapshot')));
    // As many listeners as there are streams are no leak.
    expect(warnings).toEqual([]);
    const { status, json } = await client.send('GET', '/sandbox/events');
    expect([status, json.readable]).toEqual([429, 'rate_limited']);
    expect(json.message).toBe(
      '100 streams of events are open, which is the limit. Close one first.',
    );
    readers[0]?.close();
    await until(async () => (await client.statusOf('GET', '/sandbox/events')) === 200);
  });

  it('ends when the sandbox closes', async () => {
    const reader = await EventReader.open(client);
    await reader.until('snapshot');
    await sandbox.close();
    await until(() => reader.ended);
    expect(reader.events).toHaveLength(1);
  });

  it('leaves the connection usable after HEAD', async () => {
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1').setEncoding('utf8');
    closeAfterTest(async () => {
      socket.destroy();
    });
    await once(socket, 'connect');
    let received = '';
    socket.on('data', (chunk: string) => (received += chunk));
    for (const line of ['HEAD /sandbox/events', 'GET /sandbox/clock']) {
      socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    }
    await until(() => received.includes('{"now":'));
    expect(received).not.toContain('event: snapshot');
  });
});
