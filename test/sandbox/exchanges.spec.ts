import { describe, expect, it } from '@jest/globals';
import {
  type BerbixSandbox,
  type BerbixSandboxOptions,
  type RecordedExchange,
  RequestLog,
  SandboxClock,
} from 'nestjs-berbix/sandbox';
import { TokenReader, TokenSigner, TokenWriter } from '../../lib/sandbox/auth/tokens.js';
import { resolveSettings } from '../../lib/sandbox/resolve-settings.js';
import { ExchangeLog } from '../../lib/sandbox/tokens/exchange-log.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { basic, failureOf, RawClient } from './support/raw-client.js';

/** A transaction of a sandbox, and its exchanges. */
class Lineage {
  private constructor(
    readonly sandbox: BerbixSandbox,
    readonly client: RawClient,
    readonly id: string,
    readonly refreshToken: string,
  ) {}

  static async of(sandbox: BerbixSandbox): Promise<Lineage> {
    const client = new RawClient(sandbox);
    const { json } = await client.create();
    return new Lineage(sandbox, client, String(json.transaction_id), String(json.refresh_token));
  }

  /** Starts an exchange without waiting for its answer, which may never come. */
  async start(refreshToken = this.refreshToken): Promise<{ end: Promise<string> }> {
    const before = this.sandbox.requests.length;
    const call = this.client.open('POST', '/v0/tokens', {
      authorization: basic(this.client.secret),
      body: { refresh_token: refreshToken },
    });
    const failure = failureOf(call);
    await until(() => this.sandbox.requests.length === before + 1);
    return { end: failure };
  }

  async read(): Promise<readonly RecordedExchange[]> {
    return (await this.sandbox.transactions.find(this.id)).exchanges;
  }

  /** Once all of them have ended, which their clients may see first. */
  async ended(): Promise<readonly RecordedExchange[]> {
    let exchanges = await this.read();
    await until(async () => {
      exchanges = await this.read();
      return exchanges.every(({ outcome }) => outcome !== 'pending');
    });
    return exchanges;
  }
}

describe.each(PLATFORMS)('The exchanges of a transaction on %s', (platform) => {
  async function start(options?: BerbixSandboxOptions): Promise<Lineage> {
    return Lineage.of(await startSandboxOn(platform, options));
  }

  it('are listed with who made them and when, and no other request is', async () => {
    const lineage = await start();
    const { sandbox, client, id, refreshToken } = lineage;
    sandbox.clock.advance(86_400_000);
    const before = sandbox.clock.now();
    const { headers } = await client.send('POST', '/v0/tokens', {
      authorization: basic(sandbox.apiSecret),
      body: { refresh_token: refreshToken },
      headers: { 'user-agent': `pod-1 ${'x'.repeat(300)}` },
    });
    await client.send('PUT', '/v0/tokens', { body: { refresh_token: refreshToken } });
    await client.refresh('rt_unknown');
    await client.refresh(5);
    await client.send('POST', '/v0/tokens', { body: '{' });
    await client.send('POST', '/v0/transactions', { body: { refresh_token: refreshToken } });
    const other = await Lineage.of(sandbox);
    await client.refresh(other.refreshToken);
    await lineage.ended();
    const { json } = await client.send('GET', `/sandbox/transactions/${id}`);
    expect(json.exchanges).toEqual([
      {
        request_id: headers['x-request-id'],
        generation: 0,
        user_agent: `pod-1 ${'x'.repeat(194)}`,
        started_at: expect.stringMatching(/Z$/),
        duration_ms: expect.any(Number),
        outcome: 'answered',
        status: 200,
        sent_token: 'kept',
        tokens_expire_at: expect.stringMatching(/Z$/),
        overlaps: false,
      },
    ]);
    const [exchange] = await lineage.read();
    expect(Number(exchange?.startedAt)).toBeGreaterThanOrEqual(before);
    expect((await other.ended()).map(({ userAgent }) => userAgent)).toEqual([undefined]);
  });

  it.each([
    [
      'omit',
      [
        ['answered', 'kept', 0],
        ['answered', 'kept', 0],
      ],
    ],
    [
      'echo',
      [
        ['answered', 'kept', 0],
        ['answered', 'kept', 0],
      ],
    ],
    [
      'rotate',
      [
        ['answered', 'rotated', 0],
        ['replayed', 'stale', 0],
      ],
    ],
  ] as const)('say what happened to the refresh token: %s', async (refreshToken, expected) => {
    const lineage = await start({ refreshToken });
    await lineage.client.refresh(lineage.refreshToken);
    await lineage.client.refresh(lineage.refreshToken);
    const exchanges = await lineage.ended();
    expect(exchanges.map((each) => [each.outcome, each.sentToken, each.generation])).toEqual(
      expected,
    );
  });

  it('are listed for a path in another form that a router takes', async () => {
    const lineage = await start();
    const { client, refreshToken } = lineage;
    const call = { authorization: basic(client.secret), body: { refresh_token: refreshToken } };
    for (const path of ['/v0/tokens/', '/v0/TOKENS', '/v0/tokens?x=1']) {
      await client.send('POST', path, call);
    }
    expect(await lineage.ended()).toHaveLength(3);
  });

  it('are replayed in the grace period too, and count the refresh tokens', async () => {
    const lineage = await start({ refreshToken: 'rotate', rotationGraceSeconds: 600 });
    const { client, refreshToken } = lineage;
    const next = (await client.refresh(refreshToken)).json.refresh_token;
    await client.refresh(refreshToken);
    await client.refresh(next);
    const exchanges = await lineage.ended();
    expect(exchanges).toMatchObject([
      { generation: 0, outcome: 'answered', sentToken: 'rotated', status: 200 },
      {
        generation: 0,
        outcome: 'replayed',
        sentToken: 'in_grace',
        status: 200,
        tokensExpireAt: expect.any(Date),
      },
      { generation: 1, outcome: 'answered', sentToken: 'rotated', status: 200 },
    ]);
    // One after the other.
    expect(exchanges.some(({ overlaps }) => overlaps)).toBe(false);
  });

  it('fail with a refusal, whatever its reason is', async () => {
    const lineage = await start();
    const { client, id, sandbox, refreshToken } = lineage;
    await new RawClient(sandbox, 'secret_test_wrong').refresh(refreshToken);
    await new RawClient(sandbox, sandbox.liveApiSecret).refresh(refreshToken);
    await client.refresh(refreshToken, { grant_type: 'password' });
    await sandbox.transactions.revokeRefreshToken(id);
    await client.refresh(refreshToken);
    expect(await lineage.ended()).toMatchObject([
      { outcome: 'failed', sentToken: 'untouched', status: 401 },
      { outcome: 'failed', sentToken: 'untouched', status: 401 },
      { outcome: 'failed', sentToken: 'untouched', status: 400 },
      { outcome: 'failed', sentToken: 'revoked', status: 401 },
    ]);
  });

  it('show an answer that was lost after the refresh token was replaced', async () => {
    const lineage = await start({ refreshToken: 'rotate' });
    const { sandbox, refreshToken } = lineage;
    sandbox.faults.add({ kind: 'reset' });
    await (
      await lineage.start()
    ).end;
    sandbox.faults.add({ kind: 'reset', processed: true });
    await (
      await lineage.start()
    ).end;
    const [current] = await sandbox.transactions.list();
    sandbox.faults.add({ kind: 'truncate', processed: true });
    await (
      await lineage.start(current?.refreshToken)
    ).end;
    await lineage.client.refresh(refreshToken);
    expect(await lineage.ended()).toMatchObject([
      { generation: 0, outcome: 'failed', sentToken: 'untouched', status: undefined },
      { generation: 0, outcome: 'failed', sentToken: 'rotated', status: undefined },
      { generation: 1, outcome: 'failed', sentToken: 'rotated', status: 200 },
      { generation: 0, outcome: 'replayed', sentToken: 'stale', status: 401 },
    ]);
    expect((await lineage.read()).some(({ tokensExpireAt }) => tokensExpireAt)).toBe(false);
  });

  it('overlap if two of the same refresh token are pending at once', async () => {
    const lineage = await start({ refreshToken: 'rotate' });
    const { sandbox, client, refreshToken } = lineage;
    // It hangs until its client gives up: no timing decides what overlaps.
    sandbox.faults.add({ kind: 'hang', path: '/v0/tokens' });
    const call = client.open('POST', '/v0/tokens', {
      authorization: basic(sandbox.apiSecret),
      body: { refresh_token: refreshToken },
    });
    call.on('error', () => undefined);
    await until(async () => (await lineage.read()).length === 1);
    expect(await lineage.read()).toMatchObject([{ outcome: 'pending', overlaps: false }]);
    const other = await Lineage.of(sandbox);
    await client.refresh(other.refreshToken);
    expect((await other.ended()).map(({ overlaps }) => overlaps)).toEqual([false]);
    const next = (await client.refresh(refreshToken)).json.refresh_token;
    await client.refresh(next);
    call.destroy();
    const exchanges = await lineage.ended();
    expect(exchanges).toMatchObject([
      { generation: 0, overlaps: true, outcome: 'failed', sentToken: 'untouched' },
      { generation: 0, overlaps: true, outcome: 'answered', sentToken: 'rotated' },
      { generation: 1, overlaps: false, outcome: 'answered', sentToken: 'rotated' },
    ]);
    // The one that overlapped has ended: nothing overlaps with it any more.
    await client.refresh(refreshToken);
    expect((await lineage.ended()).at(-1)).toMatchObject({ overlaps: false, outcome: 'replayed' });
  });

  it('are not changed by clearing the list of requests or by moving the clock', async () => {
    const lineage = await start();
    await lineage.client.refresh(lineage.refreshToken);
    lineage.sandbox.requests.clear();
    lineage.sandbox.clock.advance(3_600_000);
    expect(await lineage.ended()).toMatchObject([{ outcome: 'answered' }]);
  });

  it('that are listed stay as they were', async () => {
    const lineage = await start();
    lineage.sandbox.faults.add({ kind: 'hang' });
    const call = lineage.client.open('POST', '/v0/tokens', {
      authorization: basic(lineage.sandbox.apiSecret),
      body: { refresh_token: lineage.refreshToken },
    });
    call.on('error', () => undefined);
    await until(async () => (await lineage.read()).length === 1);
    const exchanges = await lineage.read();
    call.destroy();
    await lineage.ended();
    expect(exchanges).toMatchObject([{ outcome: 'pending' }]);
  });

  it('are pending no longer when the sandbox closes', async () => {
    const lineage = await start();
    lineage.sandbox.faults.add({ kind: 'hang' });
    const { end } = await lineage.start();
    await lineage.sandbox.close();
    expect(await end).not.toBe('an answer');
  });

  it('show the last 100', async () => {
    const lineage = await start();
    for (let count = 0; count < 101; count += 1) {
      await lineage.client.send('POST', '/v0/tokens', {
        authorization: basic(lineage.sandbox.apiSecret),
        body: { refresh_token: lineage.refreshToken },
        headers: { 'user-agent': String(count) },
      });
    }
    const agents = (await lineage.ended()).map(({ userAgent }) => userAgent);
    expect(agents).toEqual(Array.from({ length: 100 }, (_, index) => String(index + 1)));
  });
});

it('an exchange has failed if its client goes while the end of the body arrives', () => {
  const signer = new TokenSigner(Buffer.alloc(32));
  const requests = new RequestLog();
  const exchanges = new ExchangeLog(new TokenReader(signer), requests);
  const refreshToken = new TokenWriter(signer, new SandboxClock(), resolveSettings()).refreshToken({
    id: '1',
    mode: 'test',
    customerUid: 'ada',
    rotation: { generation: 0 },
  });
  const request = {
    id: '2',
    method: 'POST',
    path: '/v0/tokens',
    url: '/v0/tokens',
    headers: {},
    body: '',
    receivedAt: new Date(),
    status: undefined,
    durationMs: undefined,
    notes: [],
    fault: undefined,
    response: undefined,
  };
  requests.add(request);
  requests.end(request, undefined, 7, false);
  requests.complete(request, JSON.stringify({ refresh_token: refreshToken }));
  expect(exchanges.of('1')).toMatchObject([{ outcome: 'failed', durationMs: 7 }]);
  // The sandbox goes on nevertheless.
  exchanges.processed(request, 'rotated');
  expect(exchanges.of('1')).toMatchObject([{ outcome: 'failed', sentToken: 'rotated' }]);
});

it('keeps the last 10,000 exchanges, and drops older ones', () => {
  const tokens = { read: (transactionId: string) => ({ kind: 'refresh', transactionId }) };
  let begin: (request: object) => void = () => {};
  const requests = { onBody: (listener: typeof begin) => (begin = listener), onEnd: () => {} };
  const log = new ExchangeLog(tokens as never, requests as never);
  const exchange = (transactionId: string): void => {
    const body = JSON.stringify({ refresh_token: transactionId });
    begin({ id: '1', method: 'POST', path: '/v0/tokens', headers: {}, body });
  };
  exchange('oldest');
  for (let count = 1; count < 10_000; count += 1) exchange('another');
  expect(log.of('oldest')).toHaveLength(1);
  for (let count = 0; count < 2_000; count += 1) exchange('another');
  expect(log.of('oldest')).toEqual([]);
});

it('says nothing more of an exchange that was pending when all were forgotten', () => {
  const tokens = { read: (transactionId: string) => ({ kind: 'refresh', transactionId }) };
  const requests = new RequestLog();
  const log = new ExchangeLog(tokens as never, requests);
  const told: string[] = [];
  log.onChange(({ outcome }) => told.push(outcome));
  const request = { id: '1', method: 'POST', path: '/v0/tokens', headers: {}, body: '' } as never;
  requests.add(request);
  requests.complete(request, JSON.stringify({ refresh_token: 'one' }));
  log.clear();
  requests.end(request, undefined, 7, true);
  expect([told, log.of('one')]).toEqual([['pending'], []]);
});
