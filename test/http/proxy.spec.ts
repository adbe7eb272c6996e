import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { newAuthority } from '../support/certificates.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { errorOf } from '../support/errors.js';
import { freePort } from '../support/servers.js';
import { closeAfterTest } from '../support/closing.js';
import { servicesFor, startSandbox, startServices } from '../support/services.js';
import { everyViewOf } from '../support/sinks.js';
import { until } from '../support/until.js';

/** Calls the sandbox through a proxy; returns the error of the call. */
async function callThrough(proxy: string, { timeoutMs = 5_000, trusted = '' } = {}) {
  const sandbox = await startSandbox({ tls: true });
  const { module, tokens } = await servicesFor(sandbox, {
    apiHost: sandbox.tlsUrl,
    timeoutMs,
    http: { proxy, connections: 1, ca: readFileSync(sandbox.ca ?? '', 'utf8') + trusted },
  });
  return { error: await errorOf(tokens.refresh('rt_any')), apiHost: sandbox.tlsUrl, module };
}

describe('a proxy', () => {
  it.each([
    ['user:pa%2Fss%20word', 'user:pa/ss word'],
    ['only-a-user', 'only-a-user:'],
  ])('gets the credentials: %s', async (credentials, received) => {
    const proxy = await startConnectProxy();
    const { error } = await callThrough(proxy.url.replace('//', `//${credentials}@`));
    expect(error.code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from(received).toString('base64')}`]);
  });

  it('that requires other credentials is named, without the credentials', async () => {
    const proxy = await startConnectProxy();
    proxy.instead = 407;
    const { error } = await callThrough(proxy.url.replace('//', '//user:HIDDENWORD@'));
    expect(error).toMatchObject({
      code: 'BERBIX_CONNECTION',
      retryable: false,
      reason: 'HTTP_407',
    });
    expect(error.message).toContain(`The proxy ${proxy.url} (http.proxy) refused`);
    expect(error.message).toContain('with 407');
    expect(error.message).toContain('user and the password in http.proxy');
    const views = await everyViewOf(error);
    for (const secret of ['HIDDENWORD', Buffer.from('user:HIDDENWORD').toString('base64')]) {
      expect(views).not.toContain(secret);
    }
  });

  it('that cannot reach the API is named', async () => {
    const proxy = await startConnectProxy();
    proxy.instead = 502;
    const { error, apiHost } = await callThrough(proxy.url);
    expect(error).toMatchObject({ code: 'BERBIX_CONNECTION', retryable: true, reason: 'HTTP_502' });
    expect(error.message).toContain(
      `The proxy ${proxy.url} (http.proxy) refused a connection to ${apiHost}`,
    );
  });

  it('that is down is named', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { error } = await callThrough(url);
    expect(error).toMatchObject({ retryable: true, reason: 'ECONNREFUSED' });
    expect(error.message).toContain(`The proxy ${url} (http.proxy) could not be reached`);
  });

  it('that is down opens the circuit', async () => {
    const { tokens } = await startServices({
      apiSecret: 's',
      apiHost: 'https://api.berbix.test',
      retry: 0,
      http: { proxy: `http://127.0.0.1:${await freePort()}` },
    });
    for (let call = 0; call < 10; call++) {
      expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_CONNECTION');
    }
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_UNAVAILABLE');
  });

  // Undici alone would try some of these again and again, until the time is over.
  it.each([
    ['hangs up', 'hang up', /proxy .* could not be reached .*ECONNRESET/],
    ['knows no CONNECT', 405, /proxy .* refused a connection .* with 405/],
    ['is no HTTP server', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), /proxy .* could not be reached/],
    [
      'answers with a page instead of opening a tunnel',
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html>'),
      /could not be reached at https:.* Check apiHost, the network and the proxy/,
    ],
  ] as const)('that %s is tried only once, and named', async (_what, instead, message) => {
    const proxy = await startConnectProxy();
    proxy.instead = instead;
    const { error, module } = await callThrough(proxy.url, { timeoutMs: 15_000 });
    expect(error.code).toBe('BERBIX_CONNECTION');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(proxy.url);
    expect(proxy.tunnels).toHaveLength(1);
    await module.close();
  });

  it('that closes each connection is tried only once', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    closeAfterTest(async () => server.close());
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    const { error } = await callThrough(`http://127.0.0.1:${port}`, { timeoutMs: 15_000 });
    expect(error.message).toMatch(/The proxy .* could not be reached/);
    expect(connections).toBe(1);
  });

  it.each([
    ['does not answer CONNECT', 'hang'],
    ['opens a tunnel to nowhere', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ] as const)('that %s ends the call within its time limit', async (_what, instead) => {
    const proxy = await startConnectProxy();
    proxy.instead = instead;
    const { error, module } = await callThrough(proxy.url, { timeoutMs: 300 });
    expect(error.code).toBe('BERBIX_TIMEOUT');
    // The connection to the proxy ends too.
    await module.close();
  });

  it('is reached over TLS, if it is trusted', async () => {
    const authority = await newAuthority();
    const proxy = await startConnectProxy(await authority.issue('localhost'));
    const url = proxy.url.replace('127.0.0.1', 'localhost');
    const { error } = await callThrough(url, { trusted: authority.ca });
    expect(error.code).toBe('BERBIX_INVALID_REFRESH_TOKEN');

    const { error: distrust } = await callThrough(url);
    expect(distrust.code).toBe('BERBIX_CONNECTION');
    expect(distrust.message).toContain(`The proxy ${url} (http.proxy) could not be reached`);
    expect(distrust.message).toContain('http.extraCa');
    expect(proxy.tunnels).toHaveLength(1);
  });
});
