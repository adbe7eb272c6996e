import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { PLATFORMS } from '../support/platforms.js';
import { HookServer, status } from './support/hook-server.js';
import { RawClient } from './support/raw-client.js';

const SAMPLE =
  '{"transaction_id":1234123412341234,"customer_uid":"unique-uid","action":"test-action","dashboard_link":"https://docs.berbix.com","id":1234123412341234}\n';

let server: HookServer;

beforeEach(async () => {
  server = await HookServer.start();
});

describe('what happens to a transaction', () => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    const webhooks = { finished: { url: server.url }, status: { url: server.url } };
    sandbox = await startSandbox({ largeIds: true, webhooks });
    client = new RawClient(sandbox);
  });

  /** A transaction that is complete, and whatever was sent for it. */
  async function complete(flags: string[] = []) {
    const created = await client.create({ customer_uid: 'Zoë & <co>' });
    const authorization = `Bearer ${created.json.access_token}`;
    const override = await client.send('PATCH', '/v0/transactions/override', {
      authorization,
      body: { response_payload: 'us-dl', flags },
    });
    expect(override.status).toBe(204);
    return { id: /"transaction_id":(\d+)/.exec(created.text)?.[1], authorization };
  }

  it('is reported by both webhooks when it is complete', async () => {
    const { id, authorization } = await complete(['id_blocked']);
    await sandbox.webhooks.settled();
    const { text } = await client.send('GET', '/v0/transactions', { authorization });
    const [, link] = /"dashboard_url":("[^"]+")/.exec(text) ?? [];
    const body = `{"transaction_id":${id},"customer_uid":"Zoë \\u0026 \\u003cco\\u003e","action":"reject","dashboard_link":${link},"id":${id}}\n`;
    expect(sandbox.deliveries.of('finished')).toMatchObject([{ body, delivered: true }]);
    expect(sandbox.deliveries.of('status')).toMatchObject([{ body, delivered: true }]);
    expect(server.hooks.map((hook) => hook.body)).toEqual([body, body]);
  });

  it('is reported by the status webhook when its action changes', async () => {
    const { authorization } = await complete();
    await sandbox.webhooks.settled();
    sandbox.deliveries.clear();
    const body = { action: 'review' };
    await client.send('PATCH', '/v0/transactions', { authorization, body });
    await sandbox.webhooks.settled();
    expect([...sandbox.deliveries]).toMatchObject([
      { kind: 'status', body: expect.stringContaining('"action":"review"') },
    ]);
  });

  it('is answered whether the webhooks are accepted or not', async () => {
    server.answers.push(() => undefined, status(500));
    const { authorization } = await complete();
    expect((await client.send('GET', '/v0/transactions', { authorization })).status).toBe(200);
    await until(() => server.hooks.length === 2);
    expect([...sandbox.deliveries].some(({ delivered }) => delivered)).toBe(false);
  });

  it('is reported to nobody without a URL', async () => {
    sandbox.webhooks.setUrl('finished', undefined);
    await complete();
    await sandbox.webhooks.settled();
    expect([...sandbox.deliveries].map(({ kind }) => kind)).toEqual(['status']);
  });
});

describe.each(PLATFORMS)('/sandbox/webhooks on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });

  const call = (method: string, path: string, body?: unknown) =>
    client.send(method, `/sandbox/webhooks${path}`, { body });

  it('sets URLs, sends the sample, and lists what was sent', async () => {
    expect((await call('GET', '')).json).toEqual({ finished: null, status: null });
    const set = await call('PUT', '', { finished: server.url });
    const hidden = { finished_secret: '[redacted]', status_secret: '[redacted]' };
    expect([set.status, set.json]).toEqual([
      200,
      { finished: server.url, status: null, ...hidden },
    ]);
    const { finished: finished_secret, status: status_secret } = sandbox.webhookSecrets;
    expect((await call('GET', '?secrets=1')).json).toMatchObject({
      finished_secret,
      status_secret,
    });
    const sent = await call('POST', '/test', { kind: 'finished' });
    expect([sent.status, sent.json]).toEqual([
      202,
      {
        id: expect.stringMatching(/^[\w-]{36}$/),
        kind: 'finished',
        transaction_id: '1234123412341234',
        customer_uid: 'unique-uid',
        url: server.url,
        fault: null,
        resend_of: null,
        sent_at: expect.stringMatching(/Z$/),
        body: SAMPLE,
        headers: expect.objectContaining({ 'content-type': 'application/json' }),
        attempts: 1,
        status: 200,
        problem: null,
        delivered: true,
      },
    ]);
    expect((await call('GET', '/deliveries')).json).toEqual({ deliveries: [sent.json] });
    expect((await call('DELETE', '/deliveries')).status).toBe(204);
    expect((await call('GET', '/deliveries')).text).toBe('{"deliveries":[]}');
    expect((await call('PUT', '', { finished: null })).json.finished).toBeNull();
    expect(sandbox.requests.length).toBe(0);
  });

  it('does not wait for a target that hangs, or for retries', async () => {
    await call('PUT', '', { finished: server.url, status: 'http://127.0.0.1:9/' });
    server.answers.push(() => undefined);
    const hanging = await call('POST', '/test', { kind: 'finished' });
    expect(hanging.status).toBe(202);
    expect(hanging.json).toMatchObject({
      attempts: 1,
      status: null,
      problem: null,
      delivered: false,
    });
    const refused = await call('POST', '/test', { kind: 'status' });
    expect(refused.status).toBe(202);
    expect(refused.json).toMatchObject({ attempts: 1, problem: 'ECONNREFUSED', delivered: false });
    // Both go on, and are to be found.
    const ids = [...sandbox.deliveries].map(({ id }) => id);
    expect(ids).toEqual([hanging.json.id, refused.json.id]);
  });

  it('sends a webhook again, spoiled on request', async () => {
    await call('PUT', '', { finished: server.url });
    const { json: first } = await call('POST', '/test', { kind: 'finished' });
    sandbox.clock.advance(60_000);
    const again = await call('POST', `/deliveries/${first.id}/resend`, {});
    expect([again.status, again.json]).toEqual([
      202,
      {
        ...first,
        id: again.json.id,
        headers: expect.any(Object),
        resend_of: first.id,
        sent_at: expect.not.stringContaining(String(first.sent_at)),
      },
    ]);
    expect(again.json.headers).not.toEqual(first.headers);
    const body = { fault: 'unsigned' };
    const spoiled = await call('POST', `/deliveries/${first.id}/resend`, body);
    expect(spoiled.json).toMatchObject({
      headers: { 'content-type': 'application/json' },
      fault: 'unsigned',
      resend_of: first.id,
    });
    const ids = [...sandbox.deliveries].map(({ id }) => id);
    expect(ids).toEqual([first.id, again.json.id, spoiled.json.id]);
    expect(server.hooks.map((hook) => hook.body)).toEqual([SAMPLE, SAMPLE, SAMPLE]);
  });

  it.each(['finished', 'status'] as const)(
    'explains how a signature is checked: %s',
    async (kind) => {
      await call('PUT', '', { [kind]: server.url });
      const { json: sent } = await call('POST', '/test', { kind });
      const secret = sandbox.webhookSecrets[kind];
      const header = String(server.hooks[0]?.headers['x-berbix-signature']);
      const [, timestamp, hex] = header.split(',');
      const signature = {
        header,
        timestamp: Number(timestamp),
        signed_text: `${timestamp},${secret},${SAMPLE}`,
        algorithm: 'HMAC-SHA256',
        expected: hex,
      };
      const path = `/deliveries/${sent.id}`;
      expect((await call('GET', `${path}?secrets=1`)).json).toEqual({ ...sent, signature });
      const masked = { ...signature, signed_text: `${timestamp},[redacted],${SAMPLE}` };
      expect((await call('GET', path)).json).toEqual({ ...sent, signature: masked });

      const resend = async (fault: string) => {
        const { json } = await call('POST', `${path}/resend`, { fault });
        return (await call('GET', `/deliveries/${json.id}`)).json.signature;
      };
      await expect(resend('unsigned')).resolves.toBeNull();
      const { expected, header: forged } = (await resend('forged')) as Record<string, string>;
      expect(forged).toMatch(/^v0,\d+,[0-9a-f]{64}$/);
      expect(forged?.endsWith(expected ?? '')).toBe(false);
    },
  );

  it('masks a secret of any form in what is signed', async () => {
    const secret = 'nothing~special';
    const webhooks = { finished: { url: server.url, secret } };
    const other = new RawClient(await startSandboxOn(platform, { webhooks }));
    const { id } = await other.sandbox.webhooks.sendTest('finished');
    const path = `/sandbox/webhooks/deliveries/${id}`;
    expect((await other.send('GET', path)).text).not.toContain(secret);
    expect((await other.send('GET', `${path}?secrets=1`)).text).toContain(secret);
  });

  it.each([
    ['GET', '/deliveries/1', undefined],
    ['POST', '/deliveries/1/resend', {}],
  ])('has no webhook that was not sent: %s %s', async (method, path, body) => {
    const { status: code, json } = await call(method, path, body);
    expect([code, json.readable]).toEqual([404, 'not_found']);
    expect(json.message).toContain('GET /sandbox/webhooks/deliveries lists');
  });

  it('adds faults to the next webhooks', async () => {
    await call('PUT', '', { status: server.url });
    expect((await call('POST', '/faults', { fault: 'unsigned' })).status).toBe(204);
    const { json } = await call('POST', '/test', { kind: 'status' });
    expect(json.headers).toEqual({ 'content-type': 'application/json' });
    await call('POST', '/faults', { fault: 'unsigned', kind: 'status' });
    expect((await call('DELETE', '/faults')).status).toBe(204);
    const { json: next } = await call('POST', '/test', { kind: 'status' });
    expect(next.headers).toHaveProperty('x-berbix-signature');
  });

  it('refuses too many faults', async () => {
    for (let index = 0; index < 1000; index += 1) sandbox.webhooks.failNext('late');
    const { status: code, json } = await call('POST', '/faults', { fault: 'late' });
    expect(code).toBe(400);
    expect(json.message).toMatch(
      /^1000 faults of webhooks .* DELETE \/sandbox\/webhooks\/faults\.$/,
    );
  });

  it.each([
    ['PUT', '', { finished: 'localhost' }, 'The URL for finished must be a URL that'],
    ['PUT', '', { done: 'http://x' }, 'The kind must be one of finished, status.'],
    ['POST', '/test', {}, 'The kind must be one of finished, status.'],
    ['POST', '/test', { kind: 'status', x: 1 }, '"x" is not known here.'],
    ['POST', '/test', { kind: 'status' }, 'The status webhook has no URL.'],
    ['POST', '/deliveries/1/resend', { fault: 'x' }, 'The fault must be one of duplicate, late,'],
    ['POST', '/deliveries/1/resend', { times: 2 }, '"times" is not known here.'],
    ['POST', '/faults', { kind: 'status' }, 'The fault must be one of duplicate, late,'],
    ['POST', '/faults', { fault: 'late', kind: 'x' }, 'The kind must be one of'],
    ['POST', '/faults', { fault: 'late', times: 2 }, '"times" is not known here.'],
  ])('refuses %s %s %j', async (method, path, body, mention) => {
    const { status: code, json } = await call(method, path, body);
    expect(code).toBe(400);
    expect(json).toEqual({
      code: 400,
      readable: 'invalid_request',
      message: expect.stringContaining(mention),
    });
  });
});
