import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, SandboxFault } from 'nestjs-berbix/sandbox';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { createHosted, pathOf } from './support/pages.js';
import { type Answer, basic, RawClient, readAll } from './support/raw-client.js';

const NO_PAGE = {
  'referrer-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
};
const HTML = '<script>document.title = "taken over"</script>';
const FAULTS: SandboxFault[] = [
  { kind: 'status', status: 503 },
  { kind: 'html' },
  { kind: 'html', processed: true },
  { kind: 'latency', ms: 1 },
  { kind: 'trickle', ms: 0 },
  { kind: 'flood', bytes: 0 },
  { kind: 'answer', body: HTML },
  {
    kind: 'answer',
    body: HTML,
    headers: {
      'Content-Type': 'text/html',
      'Content-Security-Policy': 'default-src *',
      'X-Content-Type-Options': 'sniff',
    },
  },
  { kind: 'answer', body: HTML, headers: { 'content-type': 'text/html' }, processed: true },
];

describe.each(PLATFORMS)('The headers of answers on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform, { images: true });
    client = new RawClient(sandbox);
  });
  afterEach(() => sandbox.faults.clear());

  it('allow scripts and styles only in pages', async () => {
    const { access_token } = (await client.create()).json;
    await client.override(access_token, { response_payload: 'us-dl' });
    const result = (await client.fetch(access_token)).json;
    const { front } = result.images as { front: { full_image: string } };
    const answers: Answer[] = [
      await client.create(),
      await client.fetch('at_wrong'),
      await client.delete(access_token),
      await client.send('GET', pathOf(front.full_image)),
      await client.send('GET', '/images/x'),
      await client.send('GET', '/sandbox/requests'),
      await client.send('GET', '/sandbox/requests', { headers: { host: 'evil.example' } }),
      await client.send('GET', '/elsewhere'),
      await client.send('GET', '/%zz'),
      await client.send('GET', '/reference/openapi.json'),
      await client.send('OPTIONS', '/v0/images/upload'),
      await client.send('POST', '/v0/tokens', { body: 'x'.repeat(21 * 1024 * 1024) }),
    ];
    for (const { headers } of answers) {
      expect(headers).toMatchObject(NO_PAGE);
      // What only one of the platforms would add.
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('etag');
    }
    const ids = answers.map(({ headers }) => headers['x-request-id']);
    expect(new Set(ids).size).toBe(answers.length);
  });

  it.each(FAULTS)('are those of a fault too: %j', async (fault) => {
    sandbox.faults.add(fault);
    const authorization = basic(sandbox.apiSecret);
    const answer = await client.send('POST', '/v0/tokens', { authorization, body: {} });
    expect(sandbox.faults.pending).toEqual([]);
    expect(answer.headers).toMatchObject(NO_PAGE);
    expect(sandbox.requests.last?.id).toBe(answer.headers['x-request-id']);
  });

  it('say with a 401 which credentials to send', async () => {
    const basicly = 'Basic realm="Berbix sandbox"';
    const authorization = basic(sandbox.apiSecret);
    const expectChallenge = async (method: string, path: string, sent: object, wanted: string) => {
      const { status, headers } = await client.send(method, path, sent);
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, wanted]);
    };
    const body = { refresh_token: 'rt_unknown' };
    await expectChallenge('POST', '/v0/transactions', { body: {} }, basicly);
    await expectChallenge('POST', '/v0/tokens', { body }, basicly);
    await expectChallenge('POST', '/v0/tokens', { body, authorization }, basicly);
    const bearer = 'Bearer realm="Berbix sandbox"';
    await expectChallenge('GET', '/v0/transactions', {}, bearer);
    await expectChallenge('POST', '/v0/images/upload', { body: {} }, bearer);
    sandbox.faults.add({ kind: 'status', status: 401 });
    await expectChallenge('POST', '/v0/tokens', { body, authorization }, basicly);
  });

  it('may have the request id of a fault', async () => {
    sandbox.faults.add({ kind: 'answer', body: {}, headers: { 'X-Request-Id': 'mine' } });
    const { headers } = await client.send('GET', '/v0/transactions');
    expect(headers['x-request-id']).toBe('mine');
  });

  it.each([204, 304])(
    'say nothing of a body with the status %d, which has none',
    async (status) => {
      sandbox.faults.add({ kind: 'answer', status, body: 'x' });
      const { headers, text } = await client.send('GET', '/v0/transactions');
      expect([headers['content-length'], text]).toEqual([undefined, '']);
    },
  );

  it("keep a page's own policy, and no other site may use the page", async () => {
    const { page } = await createHosted(client);
    for (const path of ['/', '/verify', page, `${page}/`, '/hosted/x']) {
      const { headers } = await client.send('GET', path);
      expect(headers['content-security-policy']).toMatch(
        /style-src '(?:self|sha256-.*)'.*frame-ancestors/,
      );
      expect(headers).toMatchObject({
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-request-id': NO_PAGE['x-request-id'],
      });
    }
  });

  it('are those of answers to what is not HTTP too', async () => {
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    const [head = ''] = (await readAll(socket)).split('\r\n\r\n');
    expect(head).toMatch(/\nX-Content-Type-Options: nosniff\r\n/i);
    expect(head).toMatch(/\nContent-Security-Policy: default-src 'none'; sandbox\r\n/i);
    expect(head).toMatch(/\nX-Request-Id: [0-9a-f-]{36}(\r\n|$)/i);
  });
});
