import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { EventReader } from './support/event-reader.js';
import { basic, type Call, RawClient } from './support/raw-client.js';

describe.each(PLATFORMS)('the notes on requests on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;
  let authorization: string;
  let creation: { customer_uid: string; template_key: string };

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
    authorization = basic(sandbox.apiSecret);
    creation = { customer_uid: 'alice', template_key: sandbox.templateKeys.sdk };
  });

  /** The notes on a request, with what it was answered. */
  async function notesOn(method: string, path: string, call: Call = {}): Promise<unknown[]> {
    const { status } = await client.send(method, path, { authorization, ...call });
    await until(() => sandbox.requests.last?.durationMs !== undefined);
    return [status, ...(sandbox.requests.last?.notes ?? [])];
  }

  it('are none if it is as documented', async () => {
    expect(await notesOn('POST', '/v0/transactions', { body: creation })).toEqual([200]);
    const type = { 'content-type': 'Application/JSON; charset=utf-8' };
    const call = { body: creation, headers: type };
    expect(await notesOn('POST', '/v0/transactions', call)).toEqual([200]);
    const { access_token: token, client_token } = (await client.create()).json;
    const bearer = { authorization: `bearer ${token}` };
    expect(await notesOn('GET', '/v0/transactions', bearer)).toEqual([200]);
    // The official SDKs for Go, Java, PHP and Ruby do so.
    expect(await notesOn('GET', '/v0/transactions', { ...bearer, headers: type })).toEqual([200]);
    expect(client_token).toEqual(expect.any(String));
  });

  it('name members that are not documented, and those of another type', async () => {
    const body = {
      ...creation,
      template_key: sandbox.templateKeys.hosted,
      customer_uid: 7,
      email: null,
      hosted_options: { expires_in: 60, redirect_url: 'https://example.com' },
      'a"b': true,
      constructor: 7,
    };
    expect(await notesOn('POST', '/v0/transactions', { body })).toEqual([
      200,
      'The member "customer_uid" has the type integer instead of string.',
      'The member "email" has the type null instead of string.',
      'The member "hosted_options.expires_in" is not documented.',
      'The member "a\\"b" is not documented.',
      'The member "constructor" is not documented.',
    ]);
    // As the official SDK for PHP sends it.
    const php = { ...creation, template_key: body.template_key, hosted_options: [] };
    expect(await notesOn('POST', '/v0/transactions', { body: php })).toEqual([
      200,
      'The member "hosted_options" has the type array instead of object.',
    ]);
  });

  it('name members of the elements of lists once', async () => {
    const { json } = await client.createApiOnly();
    const image = { image_subject: 'document_front', data: 'QQ==', quality: 'high', size: 1 };
    const call = { authorization: `Bearer ${json.client_token}`, body: { images: [image] } };
    expect(await notesOn('POST', '/v0/images/upload', call)).toEqual([
      200,
      'The member "images[].quality" is not documented.',
      'The member "images[].size" is not documented.',
    ]);
    const { access_token } = (await client.create()).json;
    const override = { response_payload: 'us-dl', override_fields: { anything: 'X' } };
    const patch = { authorization: `Bearer ${access_token}`, body: override };
    expect(await notesOn('PATCH', '/v0/transactions/override', patch)).toEqual([204]);
  });

  it('tell of the content type, of the query, and of a prefix', async () => {
    const path = '/sandbox/eu/v0/transactions?limit=1&limit=2&api_key=x';
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await notesOn('POST', path, { body: creation, headers: form })).toEqual([
      200,
      'The path has "/sandbox/eu" before /v0/transactions, which https://api.berbix.com does not have.',
      'The query has "limit", but the operation has no parameters.',
      'The query has "api_key", but the operation has no parameters.',
      'The Content-Type is "application/x-www-form-urlencoded" instead of application/json.',
    ]);
    const answer = await fetch(`${sandbox.url}/v0/transactions`, {
      method: 'POST',
      headers: { authorization },
      body: Buffer.from(JSON.stringify(creation)),
    });
    expect(answer.status).toBe(200);
    await until(() => sandbox.requests.last?.durationMs !== undefined);
    expect(sandbox.requests.last?.notes).toEqual([
      'The body has no Content-Type. Send application/json.',
    ]);
  });

  it('tell of a path in another form', async () => {
    expect(await notesOn('POST', '/v0/transactions/', { body: creation })).toEqual([
      200,
      'The path is "/v0/transactions/" instead of /v0/transactions.',
    ]);
    // Express does not distinguish capitals.
    const [status, ...notes] = await notesOn('POST', '/v0/Transactions', { body: creation });
    expect([status, notes]).toEqual(
      platform === 'express'
        ? [200, ['The path is "/v0/Transactions" instead of /v0/transactions.']]
        : [404, []],
    );
  });

  it('tell of the scheme of the credential, and of a body that is not expected', async () => {
    const { access_token } = (await client.create()).json;
    const call = { authorization: `Token ${access_token}`, body: '{}' };
    expect(await notesOn('GET', '/v0/transactions', call)).toEqual([
      200,
      'The scheme of Authorization is "Token" instead of Bearer.',
      'The request has a body, but the operation takes none.',
    ]);
  });

  it('are none if it was refused, or a fault has answered in the place of the API', async () => {
    const body = { ...creation, template_key: 'tpk_wrong', wrong: true };
    expect(await notesOn('POST', '/v0/transactions?a=1', { body })).toEqual([400]);
    sandbox.faults.add({ kind: 'answer', status: 200, body: '{}' });
    const call = { body: 'no JSON', headers: { 'content-type': 'application/json' } };
    expect(await notesOn('POST', '/v0/transactions', call)).toEqual([200]);
  });

  it('are none if there was no answer', async () => {
    sandbox.faults.add({ kind: 'reset' });
    const call = notesOn('POST', '/v0/transactions?a=1', { body: creation });
    await expect(call).rejects.toThrow('ECONNRESET');
    await until(() => sandbox.requests.last?.durationMs !== undefined);
    expect(sandbox.requests.last).toMatchObject({ status: undefined, notes: [] });
  });

  it('are few and short', async () => {
    const members = Array.from({ length: 100 }, (_, index) => [`${'m'.repeat(100)}${index}`, 1]);
    const body = { ...creation, ...Object.fromEntries(members) };
    const [status, ...notes] = await notesOn('POST', '/v0/transactions?x', { body });
    expect({ status, length: notes.length }).toEqual({ status: 200, length: 2 });
    expect(notes.at(-1)).toBe(`The member "${'m'.repeat(60)}…" is not documented.`);
    const others = Array.from({ length: 100 }, (_, index) => [`m${index}`, 1]);
    const many = { ...creation, ...Object.fromEntries(others) };
    expect(await notesOn('POST', '/v0/transactions', { body: many })).toHaveLength(21);
    const large = { ...creation, m: 'x'.repeat(1024 * 1024) };
    expect(await notesOn('POST', '/v0/transactions', { body: large })).toEqual([200]);
  });

  it('are in the list of requests, in one request, and in its event', async () => {
    const reader = await EventReader.open(client);
    const notes = ['The query has "a", but the operation has no parameters.'];
    await notesOn('POST', '/v0/transactions?a=1', { body: creation });
    const events = await reader.until('request', { path: '/v0/transactions' });
    expect(events.find(({ kind }) => kind === 'request')?.data).toMatchObject({
      status: 200,
      notes,
    });
    const { json } = await client.send('GET', '/sandbox/requests');
    expect(json.requests).toEqual([expect.objectContaining({ notes })]);
    const one = await client.send('GET', `/sandbox/requests/${sandbox.requests.last?.id}`);
    expect(one.json).toMatchObject({ notes });
  });
});
