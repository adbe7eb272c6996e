import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { errorOf } from '../support/errors.js';
import { freePort } from '../support/servers.js';
import { closeAfterTest, listening, servicesFor, startSandbox } from '../support/services.js';

/** Calls the sandbox through a proxy; gives the error that the call ends with. */
async function callThrough(proxy: string) {
  const sandbox = await startSandbox({ tls: true });
  const { tokens } = await servicesFor(sandbox, {
    apiHost: sandbox.tlsUrl,
    http: { proxy, ca: readFileSync(sandbox.ca ?? '') },
  });
  return { error: await errorOf(tokens.refresh('rt_any')), apiHost: sandbox.tlsUrl };
}

describe('a proxy', () => {
  it.each([
    ['user:pa%2Fss%20word', 'user:pa/ss word'],
    ['only-a-user', 'only-a-user:'],
  ])('is told who calls: %s', async (credentials, told) => {
    const proxy = await startProxy();
    const { error } = await callThrough(proxy.url.replace('//', `//${credentials}@`));
    expect(error.code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from(told).toString('base64')}`]);
  });

  it('that wants other credentials is named, and they are not', async () => {
    const proxy = await startProxy(407);
    const { error } = await callThrough(proxy.url.replace('//', '//user:HIDDENWORD@'));
    expect(error).toMatchObject({
      code: 'BERBIX_CONNECTION',
      retryable: false,
      reason: 'HTTP_407',
    });
    expect(error.message).toContain(`The proxy ${proxy.url} (http.proxy) refused`);
    expect(error.message).toContain('with 407');
    expect(error.message).toContain('user and the password in http.proxy');
    expect(JSON.stringify(error)).not.toContain('HIDDENWORD');
  });

  it('that cannot reach the API is named', async () => {
    const proxy = await startProxy(502);
    const { error, apiHost } = await callThrough(proxy.url);
    expect(error).toMatchObject({ code: 'BERBIX_CONNECTION', retryable: true, reason: 'HTTP_502' });
    expect(error.message).toContain(
      `The proxy ${proxy.url} (http.proxy) refused a connection to ${apiHost}`,
    );
  });

  it('that is dead is named', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { error } = await callThrough(url);
    expect(error).toMatchObject({ retryable: true, reason: 'ECONNREFUSED' });
    expect(error.message).toContain(`The proxy ${url} (http.proxy) could not be reached`);
  });

  it('that hangs up is asked once, not over and over', async () => {
    const proxy = await startProxy('hang up');
    const { error } = await callThrough(proxy.url);
    expect(error).toMatchObject({ code: 'BERBIX_CONNECTION', reason: 'ECONNRESET' });
    expect(proxy.authorizations).toHaveLength(1);
  });
});

/** A proxy that opens tunnels, or answers with a status, or hangs up. */
async function startProxy(refusal?: number | 'hang up') {
  const proxy = { url: '', authorizations: [] as (string | undefined)[] };
  const open = new Set<Duplex>();
  const server = createServer().on('connect', (request, client) => {
    client.on('error', () => {});
    open.add(client);
    proxy.authorizations.push(request.headers['proxy-authorization']);
    if (refusal === 'hang up') return void client.destroy();
    if (refusal !== undefined) return void client.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
    const [host, port] = String(request.url).split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    }).on('error', () => {});
    client.on('close', () => upstream.destroy());
  });
  closeAfterTest(async () => open.forEach((socket) => socket.destroy()));
  proxy.url = await listening(server);
  return proxy;
}
