import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  BerbixModule,
  BerbixServerError,
  BerbixTokenService,
  type BerbixDispatcher,
} from 'nestjs-berbix';
import globalAxios from 'axios';
import { firstValueFrom } from 'rxjs';
import { Agent } from 'undici';
import { errorOf } from '../support/errors.js';
import {
  closeAfterTest,
  createTransaction,
  listening,
  servicesFor,
  startModule,
  startSandbox,
  startServices,
} from '../support/services.js';
import { until } from '../support/until.js';

describe('over TLS', () => {
  it('trusts the authority it is given, and no unknown one', async () => {
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
});

describe('connections', () => {
  it('are kept for the next call', async () => {
    let connections = 0;
    const { url } = await answering((server) => server.on('connection', () => connections++));
    const { tokens } = await startServices({ apiSecret: 's', apiHost: url });
    for (let call = 0; call < 20; call++) await firstValueFrom(tokens.refresh('rt'));
    // The pool opens a second one while the first is still being put back.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('are closed with the module, after the answers under way', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'latency', ms: 100 });
    const underWay = firstValueFrom(services.tokens.refresh(created));
    await until(() => sandbox.requests.length === 2);
    await services.module.close();
    expect((await underWay).accessToken).toBeDefined();
    expect(await errorOf(services.tokens.refresh(created))).toMatchObject({
      code: 'BERBIX_CONNECTION',
      retryable: false,
      message: expect.stringContaining('is shut down'),
    });
  });

  it('go through a proxy when told so', async () => {
    const sandbox = await startSandbox({ tls: true });
    const proxy = await startProxy();
    const { tokens } = await servicesFor(sandbox, {
      apiHost: sandbox.tlsUrl,
      http: { proxy: proxy.url, ca: readFileSync(sandbox.ca ?? '') },
    });
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
    expect(proxy.tunnels).toEqual([new URL(sandbox.tlsUrl ?? '').host]);
  });

  it('are not kept by a proxy that opens no tunnel: later calls go through, and closing is quick', async () => {
    const sandbox = await startSandbox({ tls: true });
    const proxy = await startProxy();
    const { module, tokens } = await servicesFor(sandbox, {
      apiHost: sandbox.tlsUrl,
      timeoutMs: 500,
      http: { connections: 1, proxy: proxy.url, ca: readFileSync(sandbox.ca ?? '') },
    });
    proxy.isHanging = true;
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');
    proxy.isHanging = false;
    await untilRefreshFails(tokens, 'BERBIX_INVALID_REFRESH_TOKEN');

    proxy.isHanging = true;
    proxy.cutTunnels();
    await untilRefreshFails(tokens, 'BERBIX_TIMEOUT');
    // The default of the HTTP client is five minutes.
    await module.close();
  });

  it('are those of a dispatcher of the application, which stays open', async () => {
    const sandbox = await startSandbox();
    const dispatcher = new Agent({ connections: 2 });
    closeAfterTest(() => dispatcher.close());
    const services = await servicesFor(sandbox, { http: { dispatcher } });
    const created = await createTransaction(sandbox, services);
    await services.module.close();
    expect(dispatcher.closed).toBe(false);
    expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
  });
});

describe('interceptors', () => {
  it("run for every call, beside nobody else's", async () => {
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
    // With or without them, the request is the same otherwise.
    const [first, second] = requests.map(({ headers: { 'x-trace': _trace, ...rest }, body }) => [
      rest,
      body,
    ]);
    expect(first).toEqual(second);
    expect(statuses).toEqual([200]);
  });

  it('that throw an error of this package once the API has acted have nothing done twice', async () => {
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

  it('that send a request again have nothing done twice, though the API cannot be reached any more', async () => {
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

  it('see errors of the API as answers, and deadlines still hold', async () => {
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
  it('is asked before every attempt, so that a rotated secret is used at once', async () => {
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

  it('may fail for a moment', async () => {
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
  while ((await errorOf(tokens.refresh('rt_any'))).code !== code) await setTimeout(20);
}

/** An HTTP proxy that opens tunnels, or accepts the connection and says nothing. */
async function startProxy() {
  const open = new Set<Duplex>();
  const proxy = {
    url: '',
    isHanging: false,
    tunnels: [] as string[],
    cutTunnels: () => open.forEach((socket) => socket.destroy()),
  };
  const server = createServer().on('connect', (request, client, head) => {
    client.on('error', () => {});
    open.add(client);
    if (proxy.isHanging) return;
    proxy.tunnels.push(String(request.url));
    const [host, port] = String(request.url).split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    }).on('error', () => {});
    client.on('close', () => upstream.destroy());
  });
  closeAfterTest(async () => proxy.cutTunnels());
  proxy.url = await listening(server);
  return proxy;
}

interface Recorded {
  headers: Record<string, unknown>;
  body: string;
}

/** A server that answers every exchange alike. */
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
