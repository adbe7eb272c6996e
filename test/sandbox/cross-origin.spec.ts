import { beforeAll, describe, expect, it } from '@jest/globals';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { FRONT } from './support/images.js';
import { RawClient } from './support/raw-client.js';

const ORIGIN = { origin: 'https://app.example.com' };
const UPLOADS = ['/v0/images/upload', '/v0/idscans/upload'];

describe.each(PLATFORMS)('A page of another origin on %s', (platform) => {
  let client: RawClient;

  beforeAll(async () => {
    client = new RawClient(await startSandboxOn(platform));
  });

  it.each(UPLOADS)('may send a preflight request for an upload to %s', async (path) => {
    const { status, headers, text } = await client.send('OPTIONS', path, {
      headers: {
        ...ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(status).toBe(204);
    expect(text).toBe('');
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Authorization, *',
      'access-control-max-age': '600',
    });
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('may read the answers to uploads, including errors', async () => {
    const { client_token } = (await client.createApiOnly()).json;
    const call = { authorization: `Bearer ${client_token}`, headers: ORIGIN };
    const answers = [
      await client.send('POST', '/v0/images/upload', { ...call, body: { images: [FRONT] } }),
      await client.send('POST', '/v0/images/upload', { ...call, body: { images: [FRONT] } }),
      await client.send('POST', '/prefix/v0/images/upload?x=1', { ...call, body: '{' }),
      await client.send('POST', '/v0/idscans/upload', { headers: ORIGIN, body: {} }),
    ];
    for (const processed of [false, true]) {
      client.sandbox.faults.add({ kind: 'status', status: 503, processed });
      answers.push(await client.send('POST', '/v0/images/upload', call));
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 409, 400, 401, 503, 503]);
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  it('may be refused by the answer of a fault', async () => {
    const headers = { 'access-control-allow-origin': 'https://other.example' };
    client.sandbox.faults.add({ kind: 'answer', body: {}, headers });
    const answer = await client.send('POST', '/v0/images/upload', { headers: ORIGIN });
    expect(answer.headers).toMatchObject(headers);
  });

  it('may do nothing else', async () => {
    const { access_token } = (await client.create()).json;
    const call = { authorization: `Bearer ${access_token}`, headers: ORIGIN };
    client.sandbox.requests.clear();
    const document = '/reference/openapi.json';
    const linked = { headers: { 'sec-fetch-site': 'cross-site' } };
    for (const { status, headers } of [
      await client.send('GET', '/v0/transactions', call),
      await client.send('OPTIONS', '/v0/transactions', call),
      await client.send('OPTIONS', '/v0/tokens', call),
      await client.send('GET', document, linked),
      await client.send('GET', '/Reference/openapi%2Ejson', linked),
      await client.send('HEAD', document, call),
    ]) {
      expect(status).toBe(403);
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
    expect(client.sandbox.requests.length).toBe(0);
    const customers = (await client.sandbox.transactions.list()).map((each) => each.customerUid);
    expect(customers).not.toContain('reference-page');
    for (const page of ['/reference', '/reference?from=elsewhere', '/verify?client_token=x']) {
      expect((await client.send('GET', page, linked)).status).toBe(200);
    }
    expect((await client.send('GET', document)).status).toBe(200);
  });
});
