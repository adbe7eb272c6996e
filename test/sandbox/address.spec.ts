import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { hostNames, urlOfListener } from '../../lib/sandbox/http/listeners.js';
import { resolveSettings } from '../../lib/sandbox/resolve-settings.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

/** An address of this machine in its network; without a network, the one it has at any rate. */
function networkAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** `connect`, or why there is no connection. */
async function reach(host: string, url: string): Promise<string> {
  const socket = connectTcp({ host, port: Number(new URL(url).port) });
  try {
    await once(socket, 'connect');
    return 'connect';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  } finally {
    socket.destroy();
  }
}

describe.each(PLATFORMS)('The address of a sandbox on %s', (platform) => {
  it('accepts connections from this machine only, unless an option says otherwise', async () => {
    const [closed, open] = await Promise.all([
      startSandboxOn(platform),
      startSandboxOn(platform, { host: '0.0.0.0' }),
    ]);
    await expect(reach(networkAddress(), open.url)).resolves.toBe('connect');
    expect(open.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    // Nobody can make an address lead elsewhere, so the one of this very connection is a good Host.
    const { port } = new URL(open.url);
    expect((await fetch(`http://${networkAddress()}:${port}/sandbox`)).status).toBe(200);
    if (networkAddress() !== '127.0.0.1') {
      await expect(reach(networkAddress(), closed.url)).resolves.toBe('ECONNREFUSED');
    }
  });

  it('is the public URL in everything that other programs read', async () => {
    const publicUrl = 'http://berbix:4010';
    const sandbox = await startSandboxOn(platform, { publicUrl, images: true, tls: true });
    expect(sandbox.ready()).toMatchObject({
      url: publicUrl,
      tlsUrl: expect.stringMatching(/^https:\/\/berbix:\d+$/),
    });
    const port = Number(new URL(sandbox.tlsUrl ?? '').port);
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'berbix',
      ca: readFileSync(sandbox.ca ?? ''),
    });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    const body = JSON.stringify({
      customer_uid: 'a',
      template_key: sandbox.templateKeys.hosted,
      hosted_options: {},
    });
    socket.end(
      `POST /v0/transactions HTTP/1.1\r\nHost: berbix\r\nConnection: close\r\nAuthorization: Basic ${btoa(`${sandbox.apiSecret}:`)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const answer = (await socket.toArray()).join('');
    expect(answer).toContain('"hosted_url":"http://berbix:4010/hosted/');
    const { id, accessToken } = await sandbox.transactions.create();
    await sandbox.transactions.complete(id);
    const result = await fetch(`${sandbox.localUrl}/v0/transactions`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(await result.json()).toMatchObject({
      images: {
        front: { full_image: expect.stringMatching(/^http:\/\/berbix:4010\/images\//) },
      },
    });
    const document = await (await fetch(`${sandbox.localUrl}/reference/openapi.json`)).text();
    expect(document).toContain(publicUrl);
    expect(document).not.toContain(sandbox.localUrl);
  });

  it('resets the connection of the client whose request has the fault, and no other', async () => {
    const sandbox = await startSandboxOn(platform, { host: '0.0.0.0' });
    sandbox.faults.add({ kind: 'reset' });
    await expect(fetch(`${sandbox.url}/v0/tokens`)).rejects.toThrow('fetch failed');
    expect((await new RawClient(sandbox).create()).status).toBe(200);
  });
});

describe('The options of the address', () => {
  it.each([
    [{}, ['localhost', '127.0.0.1', '::1']],
    [{ host: '0.0.0.0' }, ['localhost', '127.0.0.1', '::1']],
    [{ host: '::' }, ['localhost', '127.0.0.1', '::1']],
    [
      { host: '10.0.0.7', publicUrl: 'https://berbix.test' },
      ['localhost', '127.0.0.1', '::1', '10.0.0.7', 'berbix.test'],
    ],
    [{ publicUrl: 'http://[fd00::1]:4010/' }, ['localhost', '127.0.0.1', '::1', 'fd00::1']],
  ])('with %j it answers to %j', (options, names) => {
    expect(hostNames(resolveSettings(options))).toEqual(names);
  });

  it.each([
    [{ host: '::' }, 'https://127.0.0.1:4010'],
    [{ host: 'fd00::1' }, 'https://[fd00::1]:4010'],
    [{ publicUrl: 'http://[fd00::1]' }, 'https://[fd00::1]:4010'],
  ])('with %j it is reached at %s', (options, url) => {
    expect(urlOfListener('https', resolveSettings(options), 4010)).toBe(url);
  });

  it.each([
    [{ host: 'localhost' }, /"host" must be an IP address, such as 0\.0\.0\.0 in a container/],
    [{ host: '' }, /"host" must be an IP address/],
    [{ host: 1 }, /"host" must be an IP address/],
    [{ publicUrl: 'berbix:4010' }, /"publicUrl" must be a URL of http or https without a path/],
    [{ publicUrl: 'http://berbix/sandbox' }, /"publicUrl" must be a URL .* without a path/],
    [{ publicUrl: 'http://user:pw@berbix' }, /"publicUrl" must be a URL of http or https/],
    [{ publicUrl: 'ftp://berbix' }, /"publicUrl" must be a URL of http or https/],
    // TEST-NET-1, which is nobody's. [RFC 5737]
    [{ host: '192.0.2.1' }, /"host" is 192\.0\.2\.1, which this machine does not have/],
  ])('refuses %j', async (options, message) => {
    const start = BerbixSandbox.start(options as BerbixSandboxOptions);
    await expect(start).rejects.toThrow(message);
    await expect(start).rejects.toMatchObject({ name: 'SandboxOptionError' });
  });
});
