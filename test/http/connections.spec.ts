import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { BerbixModule, BerbixServerError, BerbixTokenService } from 'nestjs-berbix';
import globalAxios, { type AxiosResponse } from 'axios';
import { firstValueFrom } from 'rxjs';
import { Agent } from 'undici';
import { createConnection } from '../../lib/http/connection.js';
import type { BerbixDispatcher } from '../../lib/http/index.js';
import { closeAfterTest } from '../support/closing.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  listening,
  servicesFor,
  startModule,
  startSandbox,
  startServices,
} from '../support/services.js';
import { until } from '../support/until.js';

describe('over TLS', () => {
  it('trusts the given certificate authority, and no unknown one', async () => {
    const sandbox = await startSandbox({ tls: true });
    const ca = readFileSync(sandbox.ca ?? '');
    const trusting = await servicesFor(sandbox, { apiHost: sandbox.tlsUrl, http: { ca } });
    const created = await createTransaction(sandbox, trusting);
    expect((await firstValueFrom(trusting.tokens.refresh(created))).accessToken).toBeDefined();

    const wary = await servicesFor(sandbox, { apiHost: sandbox.tlsUrl });
    const error = await errorOf(wary.tokens.refresh(created));
    expect(error).toMatchObject({
      code: 'BERBIX_CONNECTION',
      message: expect.stringContaining('could not be reached'),
    });
    expect(sandbox.requests.length).toBe(2);
  });

  it('opens the pool with the next request if it could not be opened, and does not fail the shutdown', async () => {
    const settings = { origin: 'nonsense', timeoutMs: 1, http: { connections: 1 } };
    const connection = createConnection(settings as never);
    await expect(connection.open()).rejects.toThrow('Invalid URL');
    settings.origin = 'http://127.0.0.1:1';
    await connection.open();
    await connection.destroy();
  });
});

describe('a pool that is being opened when the shutdown begins', () => {
  it('is not opened', async () => {
    const settings = { origin: 'http://127.0.0.1:1', timeoutMs: 1, http: { connections: 1 } };
    const connection = createConnection(settings as never);
    const opening = connection.open();
    const closing = connection.close();
    await expect(opening).rejects.toMatchObject({ reason: 'shutdown' });
    await Promise.allSettled([closing]);
  });
});

describe('an API that refuses connections', () => {
  it.each([
    ['http://127.0.0.1:1', 'That is this machine: is the sandbox running, and on this port?'],
    ['https://api.example.org', 'Check apiHost and the network.'],
  ])('at %s is an error that says what to do', async (apiHost, advice) => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const dispatcher: BerbixDispatcher = {
      dispatch: (_options, handler) => {
        queueMicrotask(() => handler.onResponseError?.(null as never, refused));
        return true;
      },
    };
    const { tokens } = await startServices({ apiSecret: 's', apiHost, http: { dispatcher } });
    const error = await errorOf(tokens.refresh('rt'));
    expect(error.message).toContain(`could not be reached at ${apiHost}`);
    expect(error.message).toContain(advice);
  });
});

describe('connections', () => {
  it('are kept for the next call', async () => {
    let connections = 0;
    const { url } = await answering((server) => server.on('connection', () => connections++));
    const { tokens } = await startServices({ apiSecret: 's', apiHost: url });
    for (let call = 0; call < 20; call++) await firstValueFrom(tokens.refresh('rt'));
    // The pool may open a second one before the first is back in the pool.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('are closed with the module, after the answers in flight', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'latency', ms: 100 });
    const inFlight = firstValueFrom(services.tokens.refresh(created));
    await until(() => sandbox.requests.length === 2);
    await services.module.close();
    expect((await inFlight).accessToken).toBeDefined();
    expect(await errorOf(services.tokens.refresh(created))).toMatchObject({
      code: 'BERBIX_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('shut down'),
    });
  });

  it('fail for good if the application has closed its own dispatcher', async () => {
    const dispatcher = new Agent();
    await dispatcher.close();
    const { tokens } = await startServices({
      apiSecret: 's',
      apiHost: 'http://127.0.0.1:9',
      http: { dispatcher },
    });
    // It says nothing about the API, so the circuit stays closed.
    for (let call = 0; call < 12; call++) {
      expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({
        code: 'BERBIX_CONNECTION',
        retryable: false,
        message: expect.stringContaining('http.dispatcher is closed'),
      });
    }
  });

  it('go through the proxy of the options', async () => {
    const sandbox = await startSandbox({ tls: true });
    const proxy = await startConnectProxy();
    const { tokens } = await servicesFor(sandbox, {
      apiHost: sandbox.tlsUrl,
      http: { proxy: proxy.url, ca: readFileSync(sandbox.ca ?? '') },
    });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
    expect(proxy.tunnels).toEqual([new URL(sandbox.tlsUrl ?? '').host]);
  });

  it('are not blocked by a proxy that does not open a tunnel: later calls succeed, and closing is quick', async () => {
    const sandbox = await startSandbox({ tls: true });
    const proxy = await startConnectProxy();
    const { module, tokens } = await servicesFor(sandbox, {
      apiHost: sandbox.tlsUrl,
      timeoutMs: 500,
      http: { connections: 1, proxy: proxy.url, ca: readFileSync(sandbox.ca ?? '') },
    });
    proxy.instead = 'hang';
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');
    proxy.instead = undefined;
    await untilRefreshFails(tokens, 'BERBIX_INVALID_REFRESH_TOKEN');

    proxy.instead = 'hang';
    proxy.cutTunnels();
    await untilRefreshFails(tokens, 'BERBIX_TIMEOUT');
    // The default of the HTTP client is five minutes.
    await module.close();
  });

  it("use the application's dispatcher, which stays open", async () => {
    const sandbox = await startSandbox();
    const dispatcher = new Agent({ connections: 2 });
    closeAfterTest(() => dispatcher.close());
    const services = await servicesFor(sandbox, { http: { dispatcher } });
    const created = await createTransaction(sandbox, services);
    await services.module.close();
    expect(dispatcher.closed).toBe(false);
    const others = await servicesFor(sandbox, { http: { dispatcher } });
    expect((await firstValueFrom(others.tokens.refresh(created))).accessToken).toBeDefined();
  });
});

describe('interceptors', () => {
  it('run for every call of this account only', async () => {
    const { url, requests } = await answering();
    const statuses: number[] = [];
    const module = await startModule(
      BerbixModule.forRoot({
        apiSecret: 's',
        apiHost: url,
        http: {
          configureAxios: (axios) => {
            axios.interceptors.request.use((config) => {
              config.headers.set('x-trace', 'abc');
              return config;
            });
            axios.interceptors.response.use((response) => {
              statuses.push(response.status);
              return response;
            });
          },
        },
      }),
    );
    const plain = await startServices({ apiSecret: 's', apiHost: url });
    const traced = await firstValueFrom(module.get(BerbixTokenService).refresh('rt'));
    expect(traced.accessToken).toBe('a');
    await firstValueFrom(plain.tokens.refresh('rt'));
    expect(requests.map(({ headers }) => headers['x-trace'])).toEqual(['abc', undefined]);
    // Apart from that, they do not change the request.
    const [first, second] = requests.map(({ headers: { 'x-trace': _trace, ...rest }, body }) => [
      rest,
      body,
    ]);
    expect(first).toEqual(second);
    expect(statuses).toEqual([200]);
  });

  it('cause no retry if they throw an error of this package after the API has acted', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, {
      retry: { limit: 2, backoffLimit: 1 },
      http: {
        configureAxios: ({ interceptors }) =>
          void interceptors.response.use(() => {
            throw new BerbixServerError('The answer cannot be logged.', { retryable: true });
          }),
      },
    });
    const options = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
    expect(await errorOf(services.transactions.create(options))).toMatchObject({
      code: 'BERBIX_SERVER',
      message: 'The answer cannot be logged.',
    });
    expect(sandbox.requests.length).toBe(1);
  });

  it('cause no retry if they send a request again and the API is no longer reachable', async () => {
    const sandbox = await startSandbox();
    sandbox.faults.add({ kind: 'status', status: 503, processed: true });
    const agent = new Agent();
    closeAfterTest(() => agent.close());
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    let dispatched = 0;
    const dispatcher: BerbixDispatcher = {
      dispatch: (options, handler) => {
        if (++dispatched !== 2) return agent.dispatch(options, handler as never);
        queueMicrotask(() => handler.onResponseError?.(null as never, refused));
        return true;
      },
    };
    const services = await servicesFor(sandbox, {
      retry: { limit: 2, backoffLimit: 1 },
      http: {
        dispatcher,
        configureAxios: ({ interceptors }) =>
          void interceptors.response.use((response) =>
            response.status === 503 ? globalAxios.request(response.config) : response,
          ),
      },
    });
    const options = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
    expect(await errorOf(services.transactions.create(options))).toMatchObject({
      code: 'BERBIX_CONNECTION',
      reason: 'ECONNREFUSED',
    });
    expect(sandbox.requests.length).toBe(1);
  });

  it('leave no request in flight when the call has ended', async () => {
    const sandbox = await startSandbox();
    const ends: string[] = [];
    const sendAgain = async (response: AxiosResponse): Promise<AxiosResponse> => {
      sandbox.faults.add({ kind: 'hang' });
      globalAxios.request(response.config).catch(() => ends.push('aborted'));
      await until(() => sandbox.requests.length === 2);
      return response;
    };
    const { tokens } = await servicesFor(sandbox, {
      http: { configureAxios: ({ interceptors }) => void interceptors.response.use(sendAgain) },
    });
    await errorOf(tokens.refresh('rt_any'));
    await setImmediate();
    expect(ends).toEqual(['aborted']);
  });

  it('see errors of the API as answers, and the time limits still apply', async () => {
    const sandbox = await startSandbox();
    const statuses: number[] = [];
    const { tokens } = await servicesFor(sandbox, {
      timeoutMs: 2000,
      http: {
        configureAxios: (axios) =>
          axios.interceptors.response.use((response) => {
            statuses.push(response.status);
            return response;
          }),
      },
    });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
    sandbox.faults.add({ kind: 'hang' });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');
    sandbox.faults.add({ kind: 'reset' });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_CONNECTION');
    expect(statuses).toEqual([401]);
  });
});

describe('a function as API secret', () => {
  it('is called before each attempt, so that a changed secret is used immediately', async () => {
    const sandbox = await startSandbox();
    const secrets = ['secret_test_old', sandbox.apiSecret];
    let asked = 0;
    const { tokens } = await servicesFor(sandbox, {
      apiSecret: async () => secrets[Math.min(asked++, 1)] as string,
    });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_AUTHENTICATION');
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
    expect(asked).toBe(2);
  });

  it.each([
    ['an empty string', '', 'is missing'],
    ['undefined', undefined, 'is missing'],
    ['null', null, 'is missing'],
    ['a Buffer', Buffer.from('secret_test_x'), 'is of type object, not a string'],
    ['two lines', 'secret_test_x\n', 'contains a space, a line break or'],
    ['a user and a password', 'secret:test', 'contains a colon'],
  ])('that returns %s, first or later, is named, and nothing is sent', async (_, bad, problem) => {
    const sandbox = await startSandbox();
    const secrets = [bad, sandbox.apiSecret, bad] as string[];
    const { tokens } = await servicesFor(sandbox, {
      retry: 0,
      apiSecret: () => secrets.shift() as string,
    });
    const errors: unknown[] = [];
    for (let call = 0; call < 3; call++) errors.push(await errorOf(tokens.refresh('rt_any')));
    const refusal = {
      code: 'BERBIX_CONFIGURATION',
      message: expect.stringContaining(`apiSecret ${problem}`),
    };
    expect(errors).toMatchObject([refusal, { code: 'BERBIX_INVALID_REFRESH_TOKEN' }, refusal]);
    expect(sandbox.requests.length).toBe(1);
  });

  it('may fail temporarily', async () => {
    const sandbox = await startSandbox();
    let asked = 0;
    const { tokens } = await servicesFor(sandbox, {
      retry: { limit: 1, backoffLimit: 1 },
      apiSecret: () => {
        if (asked++ === 0) throw new Error('vault is sealed');
        return sandbox.apiSecret;
      },
    });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
  });
});

async function untilRefreshFails(tokens: BerbixTokenService, code: string): Promise<void> {
  await until(async () => (await errorOf(tokens.refresh('rt_any'))).code === code, 20);
}

interface Recorded {
  headers: Record<string, unknown>;
  body: string;
}

/** A server that gives every exchange the same answer. */
async function answering(
  configure: (server: Server) => void = () => {},
): Promise<{ url: string; requests: Recorded[] }> {
  const requests: Recorded[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body });
      response.setHeader('content-type', 'application/json');
      response.end('{"access_token":"a","client_token":"c","expires_in":60}');
    });
  });
  configure(server);
  return { url: await listening(server), requests };
}
