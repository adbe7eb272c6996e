import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { buildConnector, Pool } from 'undici';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../support/services.js';
import { until } from '../support/until.js';

describe('deadlines', () => {
  it.each([
    ['never comes', { kind: 'hang' }],
    ['trickles in', { kind: 'trickle', ms: 40 }],
  ] as const)('an attempt ends after timeoutMs if the answer %s', async (_what, fault) => {
    const sandbox = await startSandbox();
    const { refreshToken } = await createTransaction(sandbox, await servicesFor(sandbox));
    const { tokens } = await servicesFor(sandbox, { timeoutMs: 200 });
    sandbox.faults.add(fault);
    const started = performance.now();
    const error = await errorOf(tokens.refresh(refreshToken));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
    expect(error.message).toContain('200 ms (timeoutMs)');
    expect(performance.now() - started).toBeGreaterThanOrEqual(199);
  });

  it('the next attempt has its own deadline', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { timeoutMs: 2000, retry: 1 });
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'hang' });
    expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
  });

  it('the whole call ends after totalTimeoutMs, including attempts, waits and queue', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, {
      totalTimeoutMs: 400,
      retry: 5,
      http: { connections: 1 },
    });
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    // The second waits for the first one's connection, and this counts towards its time.
    const [first, queued] = await Promise.all([
      errorOf(tokens.refresh('rt_one')),
      errorOf(tokens.refresh('rt_two')),
    ]);
    for (const error of [first, queued]) {
      expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
      expect(error.message).toContain('400 ms (totalTimeoutMs)');
    }
  });

  it('a call whose second attempt waits for a connection says so, although the first was answered', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, {
      totalTimeoutMs: 2_000,
      retry: { limit: 1, backoffLimit: 1 },
      http: { connections: 1 },
    });
    sandbox.faults.add({ kind: 'status', status: 503 });
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    // The second takes the first one's connection, and keeps it.
    const [first] = await Promise.all([
      errorOf(tokens.refresh('rt_one')),
      errorOf(tokens.refresh('rt_two')),
    ]);
    expect(first.message).toMatch(/did not get a connection within 2000 ms \(totalTimeoutMs\)/);
  });

  it('a connection that is never accepted ends at the time limit, and ten of them open the circuit', async () => {
    // A TLS host that accepts the connection and then sends nothing.
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    const sockets = new Set<import('node:net').Socket>();
    silent.on('connection', (socket) => sockets.add(socket));
    closeAfterTest(async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    await until(() => silent.listening);
    const { port } = silent.address() as { port: number };
    const { tokens } = await startServices({
      apiSecret: 'secret_test_x',
      apiHost: `https://127.0.0.1:${port}`,
      timeoutMs: 150,
      retry: 0,
    });
    const calls = Array.from({ length: 10 }, (_, call) => errorOf(tokens.refresh(`rt_${call}`)));
    for (const { code } of await Promise.all(calls)) expect(code).toBe('BERBIX_TIMEOUT');
    // The API, or the way to it, is down.
    expect((await errorOf(tokens.refresh('rt_next'))).code).toBe('BERBIX_UNAVAILABLE');
  });

  it.each([
    ['timeoutMs', { timeoutMs: 100 }],
    ['totalTimeoutMs', { totalTimeoutMs: 100 }],
  ])(
    'a secret function that hangs also has a time limit, and is named: %s',
    async (option, times) => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox, {
        ...times,
        apiSecret: () => new Promise<string>(() => {}),
      });
      const error = await errorOf(tokens.refresh('rt_any'));
      expect(error).toMatchObject({ code: 'BERBIX_CONFIGURATION', retryable: true });
      expect(error.message).toContain(`apiSecret did not answer within 100 ms (${option})`);
      expect(sandbox.requests.length).toBe(0);
    },
  );

  it.each(['request', 'response'] as const)(
    'an interceptor of a %s that hangs also has a time limit, and blocks no later call',
    async (kind) => {
      const sandbox = await startSandbox();
      const released: (() => void)[] = [];
      let isHanging = true;
      const hold = <T>(value: T): T | Promise<T> =>
        isHanging ? new Promise((resolve) => released.push(() => resolve(value))) : value;
      const { tokens } = await servicesFor(sandbox, {
        timeoutMs: 2_000,
        http: {
          connections: 1,
          configureAxios: ({ interceptors }) =>
            kind === 'request'
              ? interceptors.request.use(hold)
              : interceptors.response.use(hold as never),
        },
      });
      const error = await errorOf(tokens.refresh('rt_any'));
      expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
      expect(error.message).toContain('delayed by an interceptor');
      expect(error.message).toContain('2000 ms (timeoutMs)');

      isHanging = false;
      const sent = kind === 'request' ? 0 : 1;
      expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
      // A request that the interceptor returns too late is not sent.
      for (const release of released) release();
      expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
      expect(sandbox.requests.length).toBe(sent + 2);
    },
  );
});

describe('unsubscribing', () => {
  it('closes the connection of the request in flight', async () => {
    let closed = 0;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      socket.resume();
    }).listen(0, '127.0.0.1');
    closeAfterTest(async () => void server.close());
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    const { tokens } = await startServices({
      apiSecret: 's',
      apiHost: `http://127.0.0.1:${port}`,
      timeoutMs: 60_000,
      totalTimeoutMs: 60_000,
    });
    let connections = 0;
    server.on('connection', () => connections++);
    const subscription = tokens.refresh('rt_any').subscribe();
    await until(() => connections === 1);
    subscription.unsubscribe();
    await until(() => closed === 1);
    expect(closed).toBe(1);
  });

  it('sends nothing if the request still waits for its connection', async () => {
    const sandbox = await startSandbox();
    const connect = buildConnector({});
    let open: (() => void) | undefined;
    const pool = new Pool(sandbox.url, {
      connections: 1,
      connect: (options, callback) => {
        if (open === undefined) open = () => connect(options, callback);
        else connect(options, callback);
      },
    });
    closeAfterTest(() => pool.destroy());
    const { tokens } = await servicesFor(sandbox, { http: { dispatcher: pool } });
    const subscription = tokens.refresh('rt_abandoned').subscribe();
    await until(() => open !== undefined);
    subscription.unsubscribe();
    open?.();
    await errorOf(tokens.refresh('rt_next'));
    expect(sandbox.requests.length).toBe(1);
  });

  it('ends the pause before a retry, and nothing more is sent', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { retry: 3, totalTimeoutMs: 60_000 });
    sandbox.faults.add({ kind: 'status', status: 503, retryAfter: 20, times: Infinity });
    const subscription = tokens.refresh('rt_any').subscribe();
    await until(() => sandbox.requests.last?.status === 503);
    subscription.unsubscribe();
    sandbox.faults.clear();
    await errorOf(tokens.refresh('rt_any'));
    expect(sandbox.requests.length).toBe(2);
  });

  describe('leave no timer behind', () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

    it('after a call was answered', async () => {
      const sandbox = await startSandbox();
      const services = await servicesFor(sandbox);
      const { refreshToken } = await createTransaction(sandbox, services);
      await firstValueFrom(services.tokens.refresh(refreshToken));
      const before = timers();
      for (let n = 0; n < 20; n++) await firstValueFrom(services.tokens.refresh(refreshToken));
      expect(timers() - before).toBeLessThan(10);
    });

    it('when the last caller leaves during the pause before a retry', async () => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox, { retry: 2 });
      const leave = async (): Promise<void> => {
        const sent = sandbox.requests.length;
        const caller = tokens.refresh('rt_1').subscribe({ error: () => {} });
        await until(() => sandbox.requests.length > sent);
        await setTimeout(50);
        caller.unsubscribe();
      };
      sandbox.faults.add({ kind: 'status', status: 503, retryAfter: 5, times: Infinity });
      await leave();
      const before = timers();
      // Fewer than the circuit breaker needs to open.
      for (let n = 0; n < 3; n++) await leave();
      expect(timers() - before).toBeLessThan(2);
    });
  });
});
