import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it, jest } from '@jest/globals';
import {
  type BerbixSandboxOptions,
  type FaultTarget,
  SandboxClock,
  type SandboxFault,
  SandboxFaults,
} from 'nestjs-berbix/sandbox';
import { Timers } from '../../lib/sandbox/clock.js';
import { installClock, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { PLATFORMS } from '../support/platforms.js';
import { basic, failureOf, RawClient, readAll } from './support/raw-client.js';

const WIRES = PLATFORMS.flatMap((platform) => [
  { platform, tls: false, wire: 'http' },
  { platform, tls: true, wire: 'https' },
]);

describe.each(WIRES)('Faults on $platform over $wire', ({ platform, tls }) => {
  async function start(options?: BerbixSandboxOptions) {
    const sandbox = await startSandboxOn(platform, { tls, ...options });
    const client = new RawClient(sandbox, sandbox.apiSecret, tls);
    const tokens = (await client.create()).json;
    const get = () =>
      client.open('GET', '/v0/transactions', { authorization: `Bearer ${tokens.access_token}` });
    const remove = () =>
      client.open('DELETE', '/v0/transactions', { authorization: `Bearer ${tokens.access_token}` });
    const isDeleted = async () => (await client.fetch(tokens.access_token)).status === 410;
    return { sandbox, client, tokens, get, remove, isDeleted };
  }

  it('latency: the answer comes later', async () => {
    const { sandbox, client, tokens } = await start();
    sandbox.faults.add({ kind: 'latency', ms: 50 });
    const before = performance.now();
    expect((await client.fetch(tokens.access_token)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(45);
  });

  it('latency: nothing happens for a client that has left meanwhile', async () => {
    const { sandbox, client, tokens } = await start({ refreshToken: 'rotate' });
    sandbox.faults.add({ kind: 'latency', ms: 300, path: '/v0/tokens' });
    const authorization = basic(sandbox.apiSecret);
    const leaving = client.open('POST', '/v0/tokens', {
      authorization,
      body: { refresh_token: tokens.refresh_token, grant_type: 'refresh_token' },
    });
    leaving.on('error', () => undefined);
    await until(() => sandbox.requests.to('POST', '/v0/tokens').length === 1);
    leaving.destroy();
    sandbox.faults.add({ kind: 'latency', ms: 600, path: '/v0/transactions' });
    await client.fetch(tokens.access_token);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('reset: the connection is reset before anything happens', async () => {
    const { sandbox, remove, isDeleted } = await start();
    sandbox.faults.add({ kind: 'reset' });
    // "socket hang up" would be the error for a connection that was closed in good order.
    await expect(failureOf(remove())).resolves.toBe('read ECONNRESET');
    expect(sandbox.requests.last?.status).toBeUndefined();
    await expect(isDeleted()).resolves.toBe(false);
  });

  it('reset, processed: the connection is reset after the request was processed', async () => {
    const { sandbox, remove, isDeleted } = await start();
    sandbox.faults.add({ kind: 'reset', processed: true });
    await expect(failureOf(remove())).resolves.toBe('read ECONNRESET');
    expect(sandbox.requests.last?.status).toBeUndefined();
    await expect(isDeleted()).resolves.toBe(true);
  });

  it('hang: there is never an answer', async () => {
    const { sandbox, client, tokens, remove, isDeleted } = await start();
    sandbox.faults.add({ kind: 'hang' });
    const hanging = remove();
    let answered = false;
    hanging.on('response', () => (answered = true)).on('error', () => undefined);
    await until(() => sandbox.requests.to('DELETE', '/v0/transactions').length === 1);
    // Others are answered meanwhile, and nothing has happened to what hangs.
    expect((await client.fetch(tokens.access_token)).status).toBe(200);
    await expect(isDeleted()).resolves.toBe(false);
    expect(answered).toBe(false);
    hanging.destroy();
  });

  it('hang, processed: there is no answer, but the request was processed', async () => {
    const { sandbox, remove, isDeleted } = await start();
    sandbox.faults.add({ kind: 'hang', processed: true, method: 'DELETE' });
    const hanging = remove().on('error', () => undefined);
    await until(isDeleted);
    expect(sandbox.requests.to('DELETE', '/v0/transactions')[0]?.status).toBeUndefined();
    hanging.destroy();
  });

  it('trickle: the head comes immediately, and the body slowly', async () => {
    const { sandbox, client, tokens, get } = await start();
    const whole = (await client.fetch(tokens.access_token)).text;
    sandbox.faults.add({ kind: 'trickle', ms: 3_600_000 });
    const [head] = (await once(get(), 'response')) as [IncomingMessage];
    expect(head.statusCode).toBe(200);
    expect(head.headers['content-length']).toBe(String(whole.length));
    expect(head.readableLength).toBe(0);
    head.destroy();

    sandbox.faults.add({ kind: 'trickle', ms: 0 });
    expect((await client.fetch(tokens.access_token)).text).toBe(whole);
  });

  it('trickle: ends when the client leaves', async () => {
    const { sandbox, tokens, get } = await start();
    sandbox.faults.add({ kind: 'trickle', ms: 0 });
    const call = get();
    call.on('error', () => undefined);
    let waits = 0;
    const wait = jest.spyOn(Timers.prototype, 'wait').mockImplementation(async () => {
      waits += 1;
      if (waits !== 3) return;
      call.destroy();
      await until(() => sandbox.requests.last?.durationMs !== undefined);
    });
    await until(() => waits === 3 && sandbox.requests.last?.durationMs !== undefined);
    expect((await new RawClient(sandbox, '', tls).fetch(tokens.access_token)).status).toBe(200);
    wait.mockRestore();
    expect(waits).toBe(3);
  });

  it('flood: sends the given number of bytes, and stops if the client leaves', async () => {
    const { sandbox, client, tokens, get } = await start();
    sandbox.faults.add({ kind: 'flood', bytes: 1_000_003 });
    const [response] = (await once(get(), 'response')) as [IncomingMessage];
    expect(response.headers).not.toHaveProperty('content-length');
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    const text = await readAll(response);
    expect(text).toHaveLength(1_000_003);
    expect(text).toMatch(/^\{"entity":"transaction_tokens"/);

    sandbox.faults.add({ kind: 'flood', bytes: 10 * 1024 ** 3 });
    const [endless] = (await once(get(), 'response')) as [IncomingMessage];
    let received = 0;
    await new Promise<void>((resolve) =>
      endless.on('data', (chunk: Buffer) => (received += chunk.length) > 5_000_000 && resolve()),
    );
    endless.destroy();
    expect((await client.fetch(tokens.access_token)).status).toBe(200);
  });

  it('flood: keeps little in memory if the client reads slowly', async () => {
    const { sandbox, get } = await start();
    sandbox.faults.add({ kind: 'flood', bytes: 10 * 1024 ** 3 });
    const [paused] = (await once(get(), 'response')) as [IncomingMessage];
    const before = process.memoryUsage().rss;
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 ** 2);
    paused.destroy();
  });

  it.each([false, true])(
    'truncate: sends half of the answer, and closes the connection; processed %s',
    async (processed) => {
      const { sandbox, remove, get, isDeleted } = await start();
      sandbox.faults.add({ kind: 'truncate', processed });
      const [response] = (await once(get(), 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(200);
      let received = 0;
      response.on('data', (chunk: Buffer) => (received += chunk.length));
      const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNRESET');
      expect(received).toBe(Math.floor(Number(response.headers['content-length']) / 2));

      sandbox.faults.add({ kind: 'truncate', processed });
      await failureOf(remove());
      await expect(isDeleted()).resolves.toBe(processed);
    },
  );

  it('html: answers with an error page', async () => {
    const { sandbox, client, tokens, isDeleted } = await start();
    sandbox.faults.add({ kind: 'html' });
    sandbox.faults.add({ kind: 'html', status: 503, processed: true });
    const page = await client.delete(tokens.access_token);
    expect(page.status).toBe(502);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.text).toMatch(/^<!DOCTYPE html>/);
    expect((await client.delete(tokens.access_token)).status).toBe(503);
    expect(sandbox.requests.last?.status).toBe(503);
    await expect(isDeleted()).resolves.toBe(true);
  });

  it('status: answers with an error in the format of the API', async () => {
    const { sandbox, client, tokens } = await start();
    sandbox.faults.add({ kind: 'status', status: 429, retryAfter: 7 });
    sandbox.faults.add({
      kind: 'status',
      status: 503,
      retryAfter: 'Wed, 21 Oct 2099 07:28:00 GMT',
    });
    sandbox.faults.add({
      kind: 'status',
      status: 401,
      readable: 'invalid_access_token',
      message: 'm',
    });
    sandbox.faults.add({ kind: 'status', status: 401 });
    sandbox.faults.add({ kind: 'status', status: 500, retryAfter: 0 });
    const throttled = await client.fetch(tokens.access_token);
    expect(throttled.headers['retry-after']).toBe('7');
    expect(throttled.json).toEqual({
      code: 429,
      readable: 'rate_limited',
      message: 'The sandbox was told to answer 429.',
    });
    const down = await client.fetch(tokens.access_token);
    expect(down.headers['retry-after']).toBe('Wed, 21 Oct 2099 07:28:00 GMT');
    expect(down.json).toMatchObject({ code: 503, readable: 'internal_error' });
    const refused = await client.fetch(tokens.access_token);
    expect(refused.json).toEqual({ code: 401, readable: 'invalid_access_token', message: 'm' });
    // Blames neither the secret nor a token.
    expect((await client.fetch(tokens.access_token)).json).not.toHaveProperty('readable');
    const broken = await client.fetch(tokens.access_token);
    expect(broken.json).toMatchObject({ code: 500, readable: 'internal_error' });
    expect(broken.headers['retry-after']).toBe('0');
  });

  it.each(['status', 'reset'] as const)('%s, processed: a rotated token is lost', async (kind) => {
    const { sandbox, client, tokens } = await start({ refreshToken: 'rotate' });
    const fault = kind === 'reset' ? { kind } : { kind, status: 500 };
    sandbox.faults.add({ ...fault, processed: true });
    const lost = await client.refresh(tokens.refresh_token).catch(() => undefined);
    expect(lost?.status).toBe(kind === 'reset' ? undefined : 500);
    expect((await client.refresh(tokens.refresh_token)).json).toMatchObject({
      code: 401,
      readable: 'invalid_refresh_token',
    });
  });

  it('answer: sends any JSON, or a string unchanged', async () => {
    const { sandbox, client, tokens } = await start();
    const rounds: [SandboxFault & { kind: 'answer' }, number, string][] = [
      [{ kind: 'answer', body: { a: [1n, '2', null] } }, 200, '{"a":[1,"2",null]}'],
      [{ kind: 'answer', body: '{"cut' }, 200, '{"cut'],
      [{ kind: 'answer', body: '', status: 201 }, 201, ''],
      [{ kind: 'answer', body: null, status: 404 }, 404, 'null'],
      [{ kind: 'answer', body: 2n ** 63n }, 200, '9223372036854775808'],
      [{ kind: 'answer', body: '', status: 204 }, 204, ''],
    ];
    for (const [fault, status, text] of rounds) {
      sandbox.faults.add(fault);
      const call = client.open('GET', '/v0/transactions');
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toMatch(/^application\/json/);
      await expect(readAll(response)).resolves.toBe(text);
    }
    const headers = { Location: 'http://127.0.0.1:1/', 'content-type': 'text/plain' };
    sandbox.faults.add({ kind: 'answer', status: 307, body: '', headers, processed: true });
    const redirect = await client.delete(tokens.access_token);
    expect(redirect.status).toBe(307);
    expect(redirect.headers).toMatchObject({
      location: 'http://127.0.0.1:1/',
      'content-type': 'text/plain',
    });
    expect((await client.fetch(tokens.access_token)).status).toBe(410);
  });

  it('keeps the connection usable after a replaced answer', async () => {
    const { sandbox, client, tokens } = await start();
    sandbox.faults.add({ kind: 'status', status: 500, processed: true });
    const replaced = await client.fetch(tokens.access_token);
    expect(replaced.headers['content-length']).toBe(String(replaced.text.length));
    for (const status of [204, 304]) {
      sandbox.faults.add({ kind: 'answer', status, body: '', processed: true });
      const emptied = await client.fetch(tokens.access_token);
      expect(emptied.status).toBe(status);
      expect(emptied.headers).not.toHaveProperty('content-length');
    }
    expect((await client.fetch(tokens.access_token)).status).toBe(200);
  });
});

describe('SandboxFaults', () => {
  it('applies faults in the order in which they were added, one for each matching request', () => {
    const faults = new SandboxFaults(new SandboxClock());
    faults.add({ kind: 'hang', method: 'GET' });
    faults.add({ kind: 'reset', path: '/v0/tokens', times: 2 });
    faults.add({ kind: 'html', times: Infinity });
    expect(faults.pending).toMatchObject([
      { kind: 'hang', method: 'GET', times: 1 },
      { kind: 'reset', path: '/v0/tokens', times: 2 },
      { kind: 'html', times: Infinity },
    ]);
    const take = (method: string, path: string) => faults.take(method, path)?.kind;
    expect(take('POST', '/v0/tokens')).toBe('reset');
    expect(take('GET', '/v0/tokens')).toBe('hang');
    expect(take('POST', '/v0/transactions')).toBe('html');
    expect(faults.pending[0]).toMatchObject({ kind: 'reset', times: 1 });
    expect(take('GET', '/v0/tokens')).toBe('reset');
    expect(take('GET', '/v0/tokens')).toBe('html');
    expect(faults.pending).toHaveLength(1);
    faults.clear();
    expect(take('GET', '/v0/tokens')).toBeUndefined();
  });

  it('removes one of them by its id', () => {
    const faults = new SandboxFaults(new SandboxClock());
    const id = faults.add({ kind: 'hang' });
    faults.add({ kind: 'reset' });
    expect(faults.pending[0]).toMatchObject({ kind: 'hang', id });
    expect([faults.remove(id), faults.remove(id)]).toEqual([true, false]);
    expect(faults.pending).toMatchObject([{ kind: 'reset' }]);
  });

  /** Which of 1000 requests get such a fault. */
  const struck = (target: FaultTarget): number[] => {
    const faults = new SandboxFaults(new SandboxClock());
    faults.add({ kind: 'hang', ...target });
    const requests = Array.from({ length: 1000 }, (_, index) => index);
    return requests.filter(() => faults.take('GET', '/') !== undefined);
  };

  it('applies one to a share of the requests, which a seed determines', () => {
    const some = struck({ probability: 0.2 });
    expect(some.length).toBeGreaterThan(150);
    expect(some.length).toBeLessThan(250);
    expect(struck({ probability: 0.2, seed: 1 })).toEqual(some);
    expect(struck({ probability: 0.2, seed: 2 })).not.toEqual(some);
    expect(struck({ probability: 0.2, times: 3 })).toEqual(some.slice(0, 3));
    expect(struck({ probability: 1 })).toHaveLength(1000);
  });

  it('decides the same if other requests come between', () => {
    const faults = new SandboxFaults(new SandboxClock());
    faults.add({ kind: 'hang', path: '/', probability: 0.2 });
    const requests = Array.from({ length: 1000 }, (_, index) => index);
    const some = requests.filter(() => {
      faults.take('GET', '/other');
      return faults.take('GET', '/') !== undefined;
    });
    expect(some).toEqual(struck({ probability: 0.2 }));
  });

  it('gives a request that a fault spares to the next one', () => {
    const faults = new SandboxFaults(new SandboxClock());
    faults.add({ kind: 'hang', probability: 0.5 });
    faults.add({ kind: 'reset', times: Infinity });
    const kinds = Array.from({ length: 100 }, () => faults.take('GET', '/')?.kind);
    expect(new Set(kinds)).toEqual(new Set(['hang', 'reset']));
  });

  it('ends one after its time, by the clock of the sandbox', () => {
    const clock = new SandboxClock();
    const faults = new SandboxFaults(clock);
    clock.set(Date.UTC(2030, 0, 1));
    faults.add({ kind: 'hang', forMs: 3_600_000 });
    const [fault] = faults.pending;
    expect(fault).toMatchObject({ times: Infinity, forMs: 3_600_000 });
    expect(fault?.endsAt?.toISOString()).toMatch(/^2030-01-01T01:00/);
    clock.advance(3_500_000);
    expect(faults.take('GET', '/')).toBeDefined();
    clock.advance(100_000);
    expect(faults.take('GET', '/')).toBeUndefined();
    // For good, even if the clock goes back.
    clock.advance(-200_000);
    expect(faults.pending).toEqual([]);
  });

  it('ends one after its time if nobody moves the clock, too', () => {
    const clock = installClock();
    const faults = new SandboxFaults(new SandboxClock());
    faults.add({ kind: 'hang', forMs: 3_600_000 });
    clock.advance(3_600_000);
    expect(faults.take('GET', '/')).toBeUndefined();
    faults.add({ kind: 'hang', forMs: 3_600_000 });
    clock.advance(3_600_000);
    expect(faults.pending).toEqual([]);
  });

  it('does not change if the given object changes later', () => {
    const faults = new SandboxFaults(new SandboxClock());
    const fault = { kind: 'status' as const, status: 500, times: 2 };
    faults.add(fault);
    fault.status = 503;
    expect(faults.take('GET', '/')).toMatchObject({ status: 500 });
    expect(fault.times).toBe(2);
  });

  it('accepts at most 1000 pending faults', () => {
    const faults = new SandboxFaults(new SandboxClock());
    for (let index = 0; index < 1000; index += 1) faults.add({ kind: 'hang' });
    expect(() => faults.add({ kind: 'hang' })).toThrow(/^1000 faults are .* faults\.clear\(\)/);
    faults.take('GET', '/');
    faults.add({ kind: 'hang' });
    expect(faults.pending).toHaveLength(1000);
  });
});
