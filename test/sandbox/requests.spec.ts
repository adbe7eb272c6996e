import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  type BerbixSandbox,
  type RecordedRequest,
  RequestLog,
  type SandboxFault,
} from 'nestjs-berbix/sandbox';
import { startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { PLATFORMS } from '../support/platforms.js';
import { basic, RawClient } from './support/raw-client.js';

describe.each(PLATFORMS)('The request log on %s', (platform) => {
  it('shows what has arrived', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const authorization = basic(sandbox.apiSecret);
    sandbox.clock.set(Date.UTC(2030, 0, 1));
    const body = '{"refresh_token" : "rt_☂",\n"grant_type":"refresh_token"}\n';
    const { headers, text } = await client.send('POST', '/prefix/v0/tokens?a=b', {
      authorization,
      body,
      headers: { 'X-Request-Id': 'r1' },
    });
    const record = sandbox.requests.last;
    expect(record).toEqual({
      id: headers['x-request-id'],
      method: 'POST',
      path: '/v0/tokens',
      url: '/prefix/v0/tokens?a=b',
      headers: expect.objectContaining({
        authorization,
        'x-request-id': 'r1',
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      }),
      body,
      receivedAt: expect.any(Date),
      status: 401,
      durationMs: expect.any(Number),
      notes: [],
      fault: undefined,
      response: {
        headers: expect.objectContaining({ 'content-type': 'application/json; charset=utf-8' }),
        body: text,
      },
    });
    expect(record?.receivedAt.getUTCFullYear()).toBe(2030);
    expect(Number.isInteger(record?.durationMs)).toBe(true);
  });

  it.each([
    '/sandbox',
    '/sandbox/requests',
    '/sandbox/eu/berbix',
    '/reference',
    '/hosted',
    '/images',
    '/verify',
    '/favicon.ico',
    '/.well-known',
  ])('has the requests below the base URL %s', async (base) => {
    const sandbox = await startSandboxOn(platform);
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens' });
    const client = new RawClient(sandbox);
    expect((await client.send('POST', `${base}/v0/tokens`)).status).toBe(503);
    const authorization = basic(sandbox.apiSecret);
    const body = { customer_uid: 'ada', template_key: sandbox.templateKeys.sdk };
    const created = await client.send('POST', `${base}/v0/transactions`, { authorization, body });
    expect(created.status).toBe(200);
    expect([...sandbox.requests].map(({ path, url }) => [path, url])).toEqual([
      ['/v0/tokens', `${base}/v0/tokens`],
      ['/v0/transactions', `${base}/v0/transactions`],
    ]);
  });

  it.each([
    ['/favicon.ico', 204],
    ['/robots.txt', 404],
    ['/apple-touch-icon.png', 404],
    ['/apple-touch-icon-120x120-precomposed.png', 404],
    ['/.well-known/appspecific/com.chrome.devtools.json', 404],
  ])('does not have what browsers request by themselves: %s', async (path, status) => {
    const sandbox = await startSandboxOn(platform);
    sandbox.faults.add({ kind: 'status', status: 503 });
    const client = new RawClient(sandbox);
    expect((await client.send('GET', path)).status).toBe(status);
    expect(sandbox.requests).toHaveLength(0);
    expect(sandbox.faults.pending).toHaveLength(1);
    // A wrong base URL is what the list is for.
    expect((await client.send('GET', '/v1/favicon.ico')).status).toBe(503);
    expect(sandbox.requests.last).toMatchObject({ path: '/v1/favicon.ico', status: 503 });
  });

  it('has requests to paths that only begin as those of the sandbox do', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const paths = [
      '/sandboxes',
      '/verify/x',
      '/hosted/x/y',
      '/images/x/y',
      '/reference/x/y',
      '/console/x/y',
    ];
    for (const path of paths) expect((await client.send('GET', path)).status).toBe(404);
    expect(Array.from(sandbox.requests, ({ path }) => path)).toEqual(paths);
  });

  it('has the path of the API if a base URL ends with a slash', async () => {
    const sandbox = await startSandboxOn(platform);
    const { status } = await new RawClient(sandbox).send('GET', '//v0/transactions');
    expect([status, sandbox.requests.last?.path]).toEqual([401, '/v0/transactions']);
  });

  it.each(['/SANDBOX/requests', '/%73andbox/requests', '/sandbox/requests'])(
    'is not to be had by a path that counts as a request to the API: %s',
    async (path) => {
      const sandbox = await startSandboxOn(platform);
      const { status } = await new RawClient(sandbox).send('GET', path);
      expect({ answered: status === 200, recorded: sandbox.requests.length === 1 }).not.toEqual({
        answered: true,
        recorded: true,
      });
    },
  );

  it('can be searched, listed and cleared', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const { access_token } = (await client.create()).json;
    await client.fetch(access_token);
    await client.delete(access_token);
    expect(sandbox.requests.length).toBe(3);
    expect([...sandbox.requests].map(({ method, status }) => [method, status])).toEqual([
      ['POST', 200],
      ['GET', 200],
      ['DELETE', 204],
    ]);
    expect(sandbox.requests.to('GET', '/v0/transactions')).toHaveLength(1);
    expect(sandbox.requests.to('GET', '/v0/tokens')).toHaveLength(0);
    expect(sandbox.requests.to('GET', '/v0/transaction')).toHaveLength(0);
    sandbox.requests.clear();
    expect(sandbox.requests.length).toBe(0);
    expect(sandbox.requests.last).toBeUndefined();
  });

  it('shows each answer as it was sent', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const { text, headers } = await client.create({ customer_uid: 'Ädä ☂' });
    const { response } = await ended(sandbox);
    expect(response?.body).toBe(text);
    const { date: _, connection: __, ...sent } = headers;
    const recorded = Object.entries(response?.headers ?? {});
    expect(Object.fromEntries(recorded.map(([name, value]) => [name, String(value)]))).toEqual(
      sent,
    );
    const { access_token } = JSON.parse(text) as { access_token: string };
    const refused = await client.update(access_token, { action: 'x' });
    expect((await ended(sandbox)).response?.body).toBe(refused.text);
    sandbox.faults.add({ kind: 'status', status: 503 });
    await client.send('HEAD', '/v0/transactions');
    expect(await ended(sandbox)).toMatchObject({ status: 503, response: { body: '' } });
    await client.delete(access_token);
    expect(await ended(sandbox)).toMatchObject({ status: 204, response: { body: '' } });
  });

  it('has the beginning of a long answer, and nothing of an image', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const body = `${'☂'.repeat(70_000)}end`;
    sandbox.faults.add({ kind: 'answer', body, headers: { 'content-type': 'text/plain' } });
    await client.fetch('x');
    const { fault, response } = await ended(sandbox);
    expect([fault, response?.body]).toEqual(['answer', '☂'.repeat(64 * 1024)]);
    sandbox.faults.add({ kind: 'answer', body, headers: { 'content-type': 'image/png' } });
    await client.fetch('x');
    expect((await ended(sandbox)).response).toMatchObject({
      headers: { 'content-type': 'image/png' },
      body: '',
    });
  });

  it('has what a client gets of an answer that a fault spoils', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const spoil = async (fault: SandboxFault) => {
      sandbox.faults.add(fault);
      const answer = await client.create().catch(() => undefined);
      return { answer, record: await ended(sandbox) };
    };
    const slow = await spoil({ kind: 'trickle', ms: 0 });
    expect(slow.record).toMatchObject({
      fault: 'trickle',
      response: { body: slow.answer?.text },
    });
    const { record } = await spoil({ kind: 'flood', bytes: 300_000 });
    expect(record.response?.body).toHaveLength(64 * 1024);
    const cut = await spoil({ kind: 'truncate', processed: true });
    expect(cut.record).toMatchObject({
      fault: 'truncate',
      response: { body: expect.stringMatching(/^\{.*[^}]$/) },
    });
    const lost = await spoil({ kind: 'reset', processed: true });
    expect(lost.record).toMatchObject({ fault: 'reset', response: undefined });
    const late = await spoil({ kind: 'latency', ms: 1 });
    expect(late.record).toMatchObject({ fault: 'latency', status: 200 });
  });

  it('has the kind of a fault while the fault lasts', async () => {
    const sandbox = await startSandboxOn(platform);
    sandbox.faults.add({ kind: 'latency', ms: 3_600_000 });
    const call = new RawClient(sandbox).open('GET', '/v0/transactions');
    call.on('error', () => undefined);
    await until(() => sandbox.requests.last?.fault === 'latency');
    expect(sandbox.requests.last?.durationMs).toBeUndefined();
    call.destroy();
  });

  it('shows a request whose body never arrives as a whole, and which has taken its fault', async () => {
    const sandbox = await startSandboxOn(platform);
    sandbox.faults.add({ kind: 'status', status: 503 });
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    socket.write(
      'POST /v0/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"half":',
    );
    await until(() => sandbox.requests.length === 1);
    const unfinished = { body: '', status: undefined, durationMs: undefined };
    expect(sandbox.requests.last).toMatchObject(unfinished);
    socket.destroy();
    await once(socket, 'close');
    await until(() => sandbox.requests.last?.durationMs !== undefined);
    expect(sandbox.requests.last?.status).toBeUndefined();
    expect((await new RawClient(sandbox).create()).status).toBe(200);
  });
});

/** The last record, once all of it is known. */
async function ended({ requests }: BerbixSandbox): Promise<RecordedRequest> {
  await until(() => requests.last?.durationMs !== undefined);
  return requests.last as RecordedRequest;
}

function recordOf(url: string) {
  const receivedAt = new Date();
  return {
    id: url,
    method: 'GET',
    path: url,
    url,
    headers: {},
    body: '',
    receivedAt,
    status: undefined,
    durationMs: undefined,
    notes: [],
    fault: undefined,
    response: undefined,
  };
}

describe('RequestLog', () => {
  it('keeps the last 1000', () => {
    const log = new RequestLog();
    for (let index = 0; index < 1005; index += 1) log.add(recordOf(`/${index}`));
    expect(log.length).toBe(1000);
    expect([...log][0]?.url).toBe('/5');
    expect(log.last?.url).toBe('/1004');
  });

  it('keeps fewer if they are large', () => {
    const log = new RequestLog();
    const image = 'x'.repeat(20 * 1024 * 1024);
    const fill = (...urls: string[]) => {
      for (const url of urls) {
        const large = recordOf(url);
        log.add(large);
        log.complete(large, image);
        log.end(large, { headers: {}, body: '' }, 1, true);
      }
    };
    fill('/1', '/2', '/3', '/4');
    expect([...log].map(({ url }) => url)).toEqual(['/2', '/3', '/4']);
    log.clear();
    const late = recordOf('/late');
    log.complete(late, image);
    expect(log.length).toBe(0);
    log.end(late, { headers: {}, body: image }, 1, true);
    // What is not in it any more takes no room.
    fill('/5', '/6', '/7');
    expect([...log].map(({ url }) => url)).toEqual(['/5', '/6', '/7']);
  });

  it('counts answers too', () => {
    const log = new RequestLog();
    const half = 'x'.repeat(12 * 1024 * 1024);
    for (const url of ['/1', '/2', '/3', '/4', '/5']) {
      const large = recordOf(url);
      log.add(large);
      log.complete(large, half);
      log.end(large, { headers: {}, body: half }, 1, true);
    }
    expect([...log].map(({ url }) => url)).toEqual(['/4', '/5']);
  });

  it('is a list of its records in JSON', () => {
    const log = new RequestLog();
    log.add(recordOf('/x'));
    expect(JSON.parse(JSON.stringify(log))).toMatchObject([{ url: '/x' }]);
  });
});
