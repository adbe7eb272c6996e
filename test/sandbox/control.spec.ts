import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { OpenApiDocument } from '../../lib/sandbox/openapi/model.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { existingPath } from './support/control-ids.js';
import { type Answer, basic, RawClient } from './support/raw-client.js';
import { examplesOf, refusalsOf, type Route, routesOf, successOf } from './support/reference.js';

/** What is not valid where there is no body. */
const WRONG_QUERIES: Record<string, string> = {
  '/sandbox/state': '/sandbox/state?secrets=0',
  '/sandbox/transactions': '/sandbox/transactions?limit=0',
};

/** The operations of the control API in the OpenAPI document. */
async function documented(client: RawClient): Promise<Route[]> {
  const { text } = await client.send('GET', '/reference/openapi.json');
  const routes = routesOf(JSON.parse(text) as OpenApiDocument);
  return routes.filter(({ path }) => path.startsWith('/sandbox'));
}

describe.each(PLATFORMS)('/sandbox on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });

  it('lists and clears requests', async () => {
    const { headers } = await client.create();
    const { status, json } = await client.send('GET', '/sandbox/requests');
    expect(status).toBe(200);
    expect(json.requests).toEqual([
      {
        id: headers['x-request-id'],
        method: 'POST',
        path: '/v0/transactions',
        url: '/v0/transactions',
        headers: expect.objectContaining({ 'content-type': 'application/json' }),
        body: expect.stringContaining('"customer_uid":"alice"'),
        received_at: expect.stringMatching(/Z$/),
        status: 200,
        duration_ms: expect.any(Number),
        notes: [],
        fault: null,
        response: {
          headers: expect.objectContaining({ 'x-request-id': headers['x-request-id'] }),
          body: expect.stringContaining('"refresh_token":"[redacted]"'),
        },
      },
    ]);
    const summaries = (await client.send('GET', '/sandbox/requests?summary=1')).json.requests;
    const [{ url, headers: sent, body, response, ...summary }] = json.requests as [
      Record<string, unknown>,
    ];
    expect([url, sent, body, response]).not.toContain(undefined);
    expect(summaries).toEqual([summary]);
    const all = await client.send('GET', '/sandbox/requests?summary=0');
    expect(all.json.requests).toEqual(json.requests);
    expect((await client.send('DELETE', '/sandbox/requests')).status).toBe(204);
    expect((await client.send('GET', '/sandbox/requests')).text).toBe('{"requests":[]}');
  });

  it('does nothing for a request whose body never arrives as a whole', async () => {
    await client.create();
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1').resume();
    const head = 'DELETE /sandbox/requests HTTP/1.1\r\nHost: localhost';
    socket.end(`${head}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`);
    await once(socket, 'close');
    expect((await client.send('GET', '/sandbox/clock')).status).toBe(200);
    expect(sandbox.requests.length).toBe(1);
  });

  it('is neither recorded nor affected by faults', async () => {
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    await client.send('GET', '/sandbox/requests');
    await client.send('GET', '/sandbox/clock');
    expect(sandbox.requests.length).toBe(0);
    expect(sandbox.faults.pending).toHaveLength(1);
  });

  it('is recognized by what comes before a # that a client should not have sent', async () => {
    sandbox.requests.clear();
    expect((await client.send('GET', '/sandbox#x?y')).status).toBe(200);
    expect((await client.send('GET', '/v0/transactions#x')).status).toBe(401);
    expect(sandbox.requests).toHaveLength(1);
    expect(sandbox.requests.last).toMatchObject({
      path: '/v0/transactions',
      url: '/v0/transactions#x',
    });
  });

  it('lists everything that exists', async () => {
    sandbox.webhooks.setUrl('finished', 'http://127.0.0.1:9/');
    const { json } = await client.send('GET', '/sandbox');
    const operations = json.operations as { request: string; does: string }[];
    expect(operations).toHaveLength(27);
    expect(operations).toEqual(
      expect.arrayContaining([
        { request: 'GET /sandbox', does: 'List these operations' },
        {
          request: 'POST /sandbox/clock',
          does: 'Move the clock, or set it: {"advance_ms":3600000} or {"now":"2030-01-01T00:00:00Z"}',
        },
      ]),
    );
    for (const { request, does } of operations) {
      expect(does).not.toBe('');
      const [method = '', path = ''] = request.split(' ');
      const status = await client.statusOf(method, await existingPath(sandbox, path));
      const fits = [200, 204, 400].includes(status);
      expect({ request, status, fits }).toMatchObject({ fits: true });
    }
  });

  it('is in the OpenAPI document, with bodies that its operations accept', async () => {
    const control = await documented(client);
    const { json } = await client.send('GET', '/sandbox');
    const listed = (json.operations as { request: string }[]).map(({ request }) => request);
    expect(control.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      listed.toSorted(),
    );
    const list = control.find(({ operation }) => operation.operationId === 'getSandboxRequests');
    expect(list).toMatchObject({
      path: '/sandbox/requests',
      operation: {
        summary: 'List the requests so far, oldest first',
        parameters: [
          { name: 'summary', in: 'query', description: expect.stringMatching(/^1: /) },
          { name: 'secrets', in: 'query', description: '1: with secrets' },
        ],
      },
    });
    await client.send('PUT', '/sandbox/webhooks', { body: { finished: 'http://127.0.0.1:9/' } });
    for (const { method, path, operation } of control) {
      const { summary, security, tags, parameters = [], requestBody, responses } = operation;
      // Plain text, about something that takes no secret.
      expect([summary.includes('`'), security, tags]).toEqual([false, [], ['Control']]);
      const ids = parameters.filter((parameter) => parameter.in === 'path');
      expect(ids.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      for (const parameter of parameters) expect(parameter.required).toBe(ids.includes(parameter));
      expect(404 in responses).toBe(ids.length > 0);
      for (const status of [413, 415]) expect(status in responses).toBe(requestBody !== undefined);
      expect(operation.description).toBe('Not part of the API of Berbix.');
      for (const [name, body] of examplesOf(operation)) {
        // One of the examples moves it beyond the life of the transaction.
        sandbox.clock.reset();
        const target = await existingPath(sandbox, path);
        const status = await client.statusOf(method, target, { body });
        expect([method, path, name, status]).toEqual([method, path, name, successOf(operation)]);
      }
    }
  });

  it('refuses as the OpenAPI document says', async () => {
    sandbox.webhooks.setUrl('finished', 'http://127.0.0.1:9/');
    const limited = await startSandboxOn(platform, { testCompletionLimit: 1 });
    const refused: string[] = [];
    for (const { method, path, operation } of await documented(client)) {
      const [[, body] = []] = examplesOf(operation);
      const existing = await existingPath(sandbox, path);
      const simulate = () => client.send(method, existing, { body: { action: 'complete' } });
      const provocations: Record<number, () => Promise<Answer>> = {
        400: () => client.send(method, WRONG_QUERIES[path] ?? existing, body ? { body: [] } : {}),
        404: () => client.send(method, path.replace('{id}', '0'), { body }),
        409: async () => (await simulate()) && simulate(),
        413: () => client.send(method, existing, { body: ' '.repeat(20 * 1024 * 1024 + 1) }),
        415: () =>
          client.send(method, existing, { body, headers: { 'content-type': 'text/plain' } }),
        429: async () => {
          const { id } = await limited.transactions.create();
          await limited.transactions.complete(id);
          return new RawClient(limited).send(method, path, { body });
        },
      };
      for (const [status, name] of refusalsOf(operation)) {
        refused.push(`${status} ${operation.operationId}`);
        // The body is refused before anything looks at it, and is large.
        const isTested = status !== 413 || path === '/sandbox/clock';
        const answer = isTested && path !== '/sandbox/events' && (await provocations[status]?.());
        if (!answer) continue;
        const { headers } = operation.responses[status] ?? {};
        expect([method, path, answer.status, answer.json.readable]).toEqual([
          method,
          path,
          status,
          name,
        ]);
        expect('retry-after' in answer.headers).toBe('Retry-After' in (headers ?? {}));
      }
    }
    // Those that do not follow from a path and a body.
    expect(refused).toEqual(
      expect.arrayContaining([
        '400 getSandboxState',
        '400 getSandboxTransactions',
        '409 postSandboxTransactionsIdSimulate',
        '429 postSandboxTransactions',
        '429 getSandboxEvents',
      ]),
    );
  });

  it('lists the pending faults in the form in which they can be added', async () => {
    expect((await client.send('GET', '/sandbox/faults')).json).toEqual({ faults: [] });
    const faults = [
      { kind: 'status', status: 503, path: '/v0/transactions', times: 2 },
      { kind: 'answer', body: { id: 1 }, path: '/v0/tokens', times: 'Infinity' },
    ];
    const always = { id: expect.any(String), probability: null, seed: null, ends_at: null };
    const added: unknown[] = [];
    for (const body of faults) {
      const { status, json } = await client.send('POST', '/sandbox/faults', { body });
      expect([status, json]).toEqual([201, { ...body, ...always }]);
      added.push(json);
    }
    const listed = added as (typeof faults)[number][];
    expect((await client.send('GET', '/sandbox/faults')).json).toEqual({ faults: listed });
    await client.create();
    await client.refresh('rt_any');
    const { json } = await client.send('GET', '/sandbox/faults');
    expect(json).toEqual({ faults: [{ ...listed[0], times: 1 }, listed[1]] });
  });

  it('names the members of faults as in the rest of its bodies, in what it refuses too', async () => {
    const post = (body: object) => client.send('POST', '/sandbox/faults', { body });
    const status = { kind: 'status', status: 503 };
    expect((await post({ ...status, retry_after: 7 })).json).toMatchObject({ retry_after: 7 });
    expect(sandbox.faults.pending).toMatchObject([{ ...status, retryAfter: 7 }]);
    for (const [member, problem] of [
      [{ retry_after: -1 }, '"retry_after" of a fault of the kind status must be'],
      [{ for_ms: 0 }, '"for_ms" of a fault of the kind status must be'],
      [{ retryAfter: 7 }, '"retryAfter" of a fault of the kind status is not a member'],
      [{ forMs: 7 }, '"forMs" of a fault of the kind status is not a member'],
    ] as const) {
      const { status: refused, json } = await post({ ...status, ...member });
      expect([refused, json.message]).toEqual([400, expect.stringContaining(problem)]);
    }
  });

  it('adds a fault with a probability and an end, and removes it', async () => {
    sandbox.clock.set(Date.parse('2030-01-01T00:00:00Z'));
    const body = { kind: 'hang', method: 'PUT', probability: 0.5, for_ms: 60_000 };
    expect((await client.send('POST', '/sandbox/faults', { body })).status).toBe(201);
    const [fault] = sandbox.faults.pending;
    expect((await client.send('GET', '/sandbox/faults')).json).toEqual({
      faults: [
        {
          id: fault?.id,
          kind: 'hang',
          method: 'PUT',
          times: 'Infinity',
          probability: 0.5,
          seed: 1,
          ends_at: expect.stringMatching(/^2030-01-01T00:01:/),
        },
      ],
    });
    const seeded = await client.send('POST', '/sandbox/faults', { body: { ...body, seed: 7 } });
    expect(seeded.json).toMatchObject({ probability: 0.5, seed: 7 });
    await client.send('DELETE', `/sandbox/faults/${String(seeded.json.id)}`);
    expect((await client.send('DELETE', `/sandbox/faults/${fault?.id}`)).status).toBe(204);
    const { status, json } = await client.send('DELETE', `/sandbox/faults/${fault?.id}`);
    expect([status, json.readable]).toEqual([404, 'not_found']);
    expect(json.message).toContain('GET /sandbox/faults lists');
    expect(sandbox.faults.pending).toEqual([]);
  });

  it('shows one request, with its secrets on request only', async () => {
    const { headers } = await client.create();
    const path = `/sandbox/requests/${headers['x-request-id']}`;
    const [listed] = (await client.send('GET', '/sandbox/requests')).json.requests as unknown[];
    const { status, json } = await client.send('GET', path);
    expect([status, json]).toEqual([200, listed]);
    expect(json).toMatchObject({ headers: { authorization: 'Basic [redacted]' }, status: 200 });
    const shown = await client.send('GET', `${path}?secrets=1`);
    expect(shown.json.headers).toMatchObject({ authorization: basic(sandbox.apiSecret) });
    expect(sandbox.requests.find(String(json.id))).toBe(sandbox.requests.last);
    const unknown = await client.send('GET', '/sandbox/requests/none');
    expect([unknown.status, unknown.json.readable]).toEqual([404, 'not_found']);
    expect(unknown.json.message).toContain('GET /sandbox/requests lists');
  });

  it('adds and clears faults', async () => {
    const body = { kind: 'status', status: 503, path: '/v0/transactions', times: 'Infinity' };
    expect((await client.send('POST', '/sandbox/faults', { body })).status).toBe(201);
    expect(sandbox.faults.pending).toMatchObject([{ ...body, times: Infinity }]);
    expect((await client.create()).status).toBe(503);
    expect((await client.create()).status).toBe(503);
    const { requests } = (await client.send('GET', '/sandbox/requests?summary=1')).json;
    expect(requests).toMatchObject([{ fault: 'status' }, { fault: 'status' }]);
    expect((await client.send('DELETE', '/sandbox/faults')).status).toBe(204);
    expect((await client.create()).status).toBe(200);
  });

  it('reads and moves the clock', async () => {
    const read = async () =>
      Date.parse(String((await client.send('GET', '/sandbox/clock')).json.now));
    const created = (await client.create()).json;
    const before = await read();
    const moved = await client.send('POST', '/sandbox/clock', { body: { advance_ms: 3_600_000 } });
    expect(moved.status).toBe(200);
    expect(Date.parse(String(moved.json.now))).toBeGreaterThanOrEqual(before + 3_600_000);
    expect((await client.fetch(created.access_token)).status).toBe(401);
    await client.send('POST', '/sandbox/clock', { body: { now: '2030-01-01T00:00:00Z' } });
    expect(new Date(await read()).getUTCFullYear()).toBe(2030);
    await client.send('POST', '/sandbox/clock', { body: { now: 0 } });
    expect(new Date(await read()).getUTCFullYear()).toBe(1970);
  });

  it.each([
    ['faults', {}, 'kind of a fault must be one of'],
    [
      'faults',
      { kind: 'latency', ms: 'x' },
      '"ms" of a fault of the kind latency must be a whole number',
    ],
    ['faults', [], 'must be a JSON object'],
    ['clock', {}, 'either advance_ms or now'],
    ['clock', { advance_ms: 1, now: 1 }, 'either advance_ms or now'],
    ['clock', { advance_ms: 1, x: 1 }, 'nothing else'],
    ['clock', { advance_ms: '1' }, 'advance_ms must be a number'],
    ['clock', { advance_ms: 1e300 }, 'at most 7900000000000000 milliseconds from the real time'],
    ['clock', { now: 'tomorrow' }, 'now must be a date'],
    ['clock', { now: null }, 'now must be a date'],
    ['clock', '{', 'is not JSON'],
  ])('refuses for %s: %j', async (path, body, mention) => {
    const { status, json } = await client.send('POST', `/sandbox/${path}`, { body });
    expect(status).toBe(400);
    expect(json).toEqual({
      code: 400,
      readable: 'invalid_request',
      message: expect.stringContaining(mention),
    });
  });
});
