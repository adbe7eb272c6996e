import assert from 'node:assert/strict';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { RequestGate } from '../../lib/sandbox/http/request-gate.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { createHosted, submit } from './support/pages.js';
import { basic, RawClient } from './support/raw-client.js';

const FAULT = { kind: 'answer', body: '<script>alert(1)</script>' };
/** One of each kind of route, all of them answered for the sandbox itself. */
const PATHS = ['/', '/verify', '/hosted/x', '/reference', '/images/x', '/v0/tokens', '/elsewhere'];
const CONTROL = [
  ['GET', '/sandbox'],
  ['GET', '/sandbox/requests'],
  ['GET', '/sandbox/requests?secrets=1'],
  ['DELETE', '/sandbox/requests'],
  ['POST', '/sandbox/faults'],
  ['POST', '/sandbox/faults/'],
  ['POST', '/%73andbox/faults'],
  ['POST', '/SANDBOX/faults'],
  ['PUT', '/sandbox/webhooks'],
  ['GET', '/v0/transactions'],
  ['POST', '/v0/tokens'],
  ['OPTIONS', '/sandbox/faults'],
] as const;

describe.each(PLATFORMS)('The gate on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;
  let port: string;

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform, { tls: true });
    client = new RawClient(sandbox);
    ({ port } = new URL(sandbox.url));
  });
  afterEach(() => {
    // Nothing was planted, and nothing counts as a request to the API.
    assert.deepEqual(sandbox.faults.pending, []);
    assert.equal(sandbox.requests.length, 0);
  });

  it.each(['127.0.0.1', '127.8.8.8', 'localhost', 'LOCALHOST:1', 'shop.localhost', '[::1]:80'])(
    'knows itself as %s',
    async (host) => {
      const { status } = await client.send('GET', '/sandbox/clock', { headers: { host } });
      expect(status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:4010',
    '127.0.0.1.evil.example',
    '127.evil.example',
    'localhost.evil.example',
    'evillocalhost',
    'evil@localhost',
    'localhost:80@evil.example',
    'localhost/',
    '0.0.0.0',
    '192.168.0.1',
    '[::2]',
  ])('does not answer for the host %j', async (host) => {
    for (const path of ['/sandbox/requests', ...PATHS]) {
      const authorization = basic(sandbox.apiSecret);
      const answer = await client.send('GET', path, { authorization, headers: { host } });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.json).toEqual({
        code: 403,
        readable: 'not_allowed',
        message: expect.stringMatching(/Host header.*127\.0\.0\.1/),
      });
    }
  });

  it.each([
    ['GET', 'http://evil.example/sandbox/requests?secrets=1'],
    ['POST', 'http://127.0.0.1/sandbox/clock'],
    ['POST', 'http://127.0.0.1/v0/tokens'],
    ['OPTIONS', '*'],
  ])('refuses %s %s, which is not a path', async (method, target) => {
    const headers = { host: '127.0.0.1', 'content-type': 'text/plain' };
    const call = method === 'POST' ? { headers, body: { advance_ms: 1 } } : { headers };
    const { status, json } = await client.send(method, target, call);
    expect(status).toBe(400);
    expect(json).toMatchObject({ message: expect.stringContaining('must begin with /') });
  });

  describe.each([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ origin: 'http://localhost:1' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'nonsense' }],
  ])('for %j', (headers: Record<string, string>) => {
    it.each(CONTROL)('refuses %s %s', async (method, path) => {
      const { status, json } = await client.send(method, path, { headers, body: FAULT });
      expect(status).toBe(403);
      expect(json).toMatchObject({ message: expect.stringContaining('another origin') });
    });

    it('allows links to pages, and refuses forms', async () => {
      const { page, accessToken } = await createHosted(client);
      const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
      for (const path of ['/', '/verify', page]) {
        for (const method of ['GET', 'HEAD']) {
          expect([method, await client.statusOf(method, path, { headers })]).toEqual([method, 200]);
        }
        const body = 'choice=accept&client_token=x';
        expect((await client.send('POST', path, { headers: form, body })).status).toBe(403);
      }
      expect((await client.fetch(accessToken)).json.action).toBe('');
      sandbox.requests.clear();
    });
  });

  it('allows requests of its own pages, over HTTP and HTTPS', async () => {
    const own: Record<string, string>[] = [
      { origin: sandbox.url, 'sec-fetch-site': 'same-origin' },
      { origin: `http://localhost:${port}`, host: `localhost:${port}` },
      { origin: `http://localhost:${port}`, host: `LocalHost:${port}` },
      { 'sec-fetch-site': 'none' },
    ];
    for (const headers of own) {
      expect((await client.send('GET', '/sandbox/requests', { headers })).status).toBe(200);
    }
    const tls = new RawClient(sandbox, sandbox.apiSecret, true);
    const headers = { origin: sandbox.tlsUrl ?? '' };
    expect((await tls.send('GET', '/sandbox/requests', { headers })).status).toBe(200);
    const { page } = await createHosted(client);
    expect((await submit(client, page, { choice: 'abandon' })).status).toBe(200);
    sandbox.requests.clear();
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    '',
    'application/jsonp',
    'x/y, application/json',
  ])('refuses a command with the content type %j', async (type) => {
    for (const path of ['/sandbox/faults', '/sandbox/clock', '/sandbox/webhooks/test']) {
      const headers = { 'content-type': type };
      const { status, json } = await client.send('POST', path, { headers, body: FAULT });
      expect(status).toBe(415);
      expect(json).toEqual({
        code: 415,
        readable: 'unsupported_media_type',
        message: expect.stringContaining('content-type: application/json'),
      });
    }
  });

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/json ;x=y'])(
    'takes a command as %j',
    async (type) => {
      const headers = { 'content-type': type };
      const call = { headers, body: { advance_ms: 1 } };
      expect((await client.send('POST', '/sandbox/clock', call)).status).toBe(200);
    },
  );
});

describe('RequestGate', () => {
  const gate = new RequestGate(['FD00::1', 'Berbix']);
  const codeOf = (host: string, localAddress: string) =>
    gate.refusalOf({ url: '/', headers: { host }, socket: { localAddress } } as never, '/')?.code;

  it('knows its names in any case, and no other ones', () => {
    const hosts = ['berbix', 'BERBIX:80', '[fd00::1]:80', '[FD00::1]', '[fd00::2]', 'berbix2'];
    const codes = hosts.map((host) => codeOf(host, '127.0.0.1'));
    expect(codes).toEqual([undefined, undefined, undefined, undefined, 403, 403]);
  });

  it.each([
    ['192.168.7.7', '192.168.7.7'],
    ['::ffff:192.168.7.7', '192.168.7.7:4010'],
    ['fd00::7', '[fd00::7]:4010'],
  ])('knows the address of the connection, %s, as %s', (localAddress, host) => {
    expect(codeOf(host, localAddress)).toBeUndefined();
    expect(codeOf(host, '127.0.0.1')).toBe(403);
  });
});
