import { createHmac } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { TransactionResults } from '../../lib/sandbox/transactions/transaction-results.js';
import { Transactions } from '../../lib/sandbox/transactions/transactions.js';
import { databaseDirectory } from '../support/directories.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { HookServer } from './support/hook-server.js';
import { FRONT } from './support/images.js';
import { createHosted, expectPage, mainOf, pathOf, submit, wordsOf } from './support/pages.js';
import { type Answer, RawClient } from './support/raw-client.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const COMPLETE =
  'The verification is complete This link was for one result, which cannot change here. You may close this window.';

describe.each(PLATFORMS)('the page of a hosted transaction on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });
  beforeEach(async () => {
    for (const kind of ['finished', 'status'] as const) sandbox.webhooks.setUrl(kind, undefined);
    await sandbox.reset();
  });

  it('names the customer and the template, and asks for the result', async () => {
    const { page, accessToken } = await createHosted(client);
    const answer = await client.send('GET', page);
    expectPage(answer, 200);
    const words = wordsOf(answer);
    expect(words).toContain('Customer alice ');
    expect(words).toContain(`Template ${sandbox.templateKeys.hosted} `);
    expect(words).toMatch(/ Transaction \d+, test mode /);
    const choices = [...answer.text.matchAll(/<button name="choice" value="(\w+)"/g)];
    expect(choices.map(([, value]) => value).toSorted()).toEqual([
      'abandon',
      'accept',
      'flags',
      'reject',
      'review',
    ]);
    expect(answer.headers['content-security-policy']).toContain("form-action 'self';");
    // To look at it changes nothing.
    expect((await client.fetch(accessToken)).json).toMatchObject({ action: '', flags: [] });
    expectPage(await client.send('GET', page), 200);
  });

  it.each([
    ['accept', []],
    ['reject', ['id_blocked']],
    ['review', ['id_duplicate_possible']],
  ])('completes the transaction: %s', async (choice, flags) => {
    const { page, accessToken } = await createHosted(client, {}, { email: 'a@example.com' });
    const answer = await submit(client, page, { choice });
    expectPage(answer, 200);
    expect(wordsOf(answer)).toBe(
      `The verification is complete Result ${choice} Flags ${flags.join() || 'none'} Webhook finished not sent: it has no URL Webhook status not sent: it has no URL You may close this window.`,
    );
    const { json } = await client.fetch(accessToken);
    expect(json).toMatchObject({ action: choice, flags, completed_at: expect.any(String) });
    expect(json.fields).toMatchObject({
      given_name: { value: 'JOHN' },
      age: { value: expect.stringMatching(/^\d+$/) },
      email_address: { value: 'a@example.com' },
    });
    // It is good for one result.
    for (const again of [await client.send('GET', page), await submit(client, page, { choice })]) {
      expectPage(again, 410);
      expect(wordsOf(again)).toBe(COMPLETE);
    }
  });

  it('sends the webhooks of any completion, signed', async () => {
    const server = await HookServer.start();
    for (const kind of ['finished', 'status'] as const) sandbox.webhooks.setUrl(kind, server.url);
    const { page } = await createHosted(client);
    await submit(client, page, { choice: 'abandon' });
    await submit(client, page, { choice: 'reject' });
    await sandbox.webhooks.settled();
    expect(server.hooks).toHaveLength(2);
    const signers = server.hooks.map(({ headers, body }) => {
      expect(JSON.parse(body)).toMatchObject({ customer_uid: 'alice', action: 'reject' });
      const [version, timestamp, hex] = String(headers['x-berbix-signature']).split(',');
      expect(version).toBe('v0');
      return Object.entries(sandbox.webhookSecrets).find(
        ([, secret]) =>
          createHmac('sha256', secret).update(`${timestamp},${secret},${body}`).digest('hex') ===
          hex,
      )?.[0];
    });
    expect(signers.toSorted()).toEqual(['finished', 'status']);
  });

  it('redirects the browser to the redirect_url after the transaction is complete', async () => {
    const redirect_url = 'https://shop.example/done?a=1&b=ü#c';
    const { page } = await createHosted(client, { redirect_url });
    const shown = await client.send('GET', page);
    // The redirect may lead further, to where nobody here knows.
    expect(shown.headers['content-security-policy']).toContain("form-action 'self' http: https:;");
    const abandoned = await submit(client, page, { choice: 'abandon' });
    expectPage(abandoned, 200);
    expect(abandoned.text).toContain('<a href="https://shop.example/done?a=1&amp;b=%C3%BC#c">');
    const answer = await submit(client, page, { choice: 'accept' });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 303, text: '' });
    expect(answer.headers).toMatchObject({
      location: 'https://shop.example/done?a=1&b=%C3%BC#c',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
    });
    const local = await createHosted(client, { redirect_url: 'http://localhost:3000' });
    const { headers } = await submit(client, local.page, { choice: 'accept' });
    expect(headers.location).toBe('http://localhost:3000/');
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'myapp://done', '/done', 'not a url'])(
    'follows no redirect_url like %s',
    async (redirect_url) => {
      const { page, accessToken } = await createHosted(client, { redirect_url });
      const abandoned = await submit(client, page, { choice: 'abandon' });
      expect(mainOf(abandoned).match(/<a /g)).toHaveLength(1);
      const answer = await submit(client, page, { choice: 'accept' });
      expectPage(answer, 200);
      expect(wordsOf(answer)).toContain(
        'redirect_url of the transaction is not an http or https URL',
      );
      expect(answer.headers.location).toBeUndefined();
      expect((await client.fetch(accessToken)).json.action).toBe('accept');
    },
  );

  it('can be left, and continued later', async () => {
    const { page, accessToken } = await createHosted(client);
    const answer = await submit(client, page, { choice: 'abandon' });
    expectPage(answer, 200);
    expect(wordsOf(answer)).toContain(
      'You may close this window, and continue later. Continue now',
    );
    expect(answer.text).toContain(`<a href="${page}">`);
    expect((await client.fetch(accessToken)).json).toMatchObject({ action: '', flags: [] });
    expectPage(await client.send('GET', page), 200);
  });

  it('shows given values as text, never as markup', async () => {
    const customer_uid = `</dd><script>alert('1')</script>"&amp; \u0000 \ud800 <`;
    const { page } = await createHosted(client, {}, { customer_uid });
    const answer = await client.send('GET', page);
    expectPage(answer, 200);
    expect(answer.text).toContain(
      '<bdi>&lt;/dd&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;amp;',
    );
    const breaking = { redirect_url: `https://shop.example/"><script>'` };
    const other = await createHosted(client, breaking);
    expectPage(await submit(client, other.page, { choice: 'abandon' }), 200);
  });

  it('takes flags, a kind of document and values of its fields', async () => {
    const { page, accessToken } = await createHosted(client);
    await submit(client, page, {
      choice: 'reject',
      flags: 'id_expired',
      id_type: 'P',
      given_name: ' Grace ',
      family_name: '',
      date_of_birth: '1906-12-09',
      id_expiry_date: '2001-02-03',
    });
    const { json } = await client.fetch(accessToken);
    expect(json).toMatchObject({ action: 'reject', flags: ['id_expired'] });
    expect(json.fields).toMatchObject({
      id_type: { value: 'P' },
      nationality: { value: 'US' },
      given_name: { value: 'Grace' },
      family_name: { value: 'DOE' },
      date_of_birth: { value: '1906-12-09' },
      age: { value: expect.stringMatching(/^1\d\d$/) },
      id_expiry_date: { value: '2001-02-03' },
    });
  });

  it('takes fields of 100 characters', async () => {
    const { page, accessToken } = await createHosted(client);
    const value = 'x'.repeat(100);
    await submit(client, page, { choice: 'accept', given_name: value });
    const { json } = await client.fetch(accessToken);
    expect(json.fields).toMatchObject({ given_name: { value } });
  });

  it.each([
    [{ flags: 'id_under_18' }, 'reject', ['id_under_18']],
    [{}, 'accept', []],
  ])('lets the flags %j decide', async (fields, action, flags) => {
    const { page, accessToken } = await createHosted(client);
    await submit(client, page, { choice: 'flags', ...fields });
    expect((await client.fetch(accessToken)).json).toMatchObject({ action, flags });
  });

  it('says how the webhooks were answered', async () => {
    const server = await HookServer.start();
    sandbox.webhooks.setUrl('finished', server.url);
    sandbox.webhooks.setUrl('status', 'http://127.0.0.1:1/');
    const { page } = await createHosted(client);
    expect(wordsOf(await submit(client, page, { choice: 'accept' }))).toMatch(
      / Webhook finished answered with 20\d Webhook status failed with \w+, will be sent again You /,
    );
  });

  it.each([
    [{ choice: 'later' }, 'choice must be one of accept, reject, review, flags.'],
    [{ choice: '' }, 'choice must be one of'],
    [{}, 'choice must be one of'],
    [{ action: 'accept' }, 'has a field that is not known here'],
    [{ choice: 'accept', flags: 'No Flag' }, 'flags must be a list of names'],
    [{ choice: 'accept', id_type: 'X' }, 'id_type must be one of P, DL, PRC, PC, ID.'],
    [{ choice: 'accept', date_of_birth: '2001-02-30' }, 'date_of_birth must be a date'],
    [{ choice: 'accept', id_expiry_date: 'soon' }, 'id_expiry_date must be a date'],
    [{ choice: 'accept', given_name: 'x'.repeat(101) }, 'must have at most 100 characters'],
  ])('refuses the form %j', async (fields, message) => {
    const { page, accessToken } = await createHosted(client);
    const answer = await submit(client, page, fields as Record<string, string>);
    expectPage(answer, 400);
    expect(wordsOf(answer)).toContain(message);
    expect((await client.fetch(accessToken)).json.action).toBe('');
  });

  it('is gone with its transaction, and says nothing more', async () => {
    const [deleted, purged, known] = [
      await createHosted(client),
      await createHosted(client),
      await createHosted(client),
    ];
    await client.delete(deleted.accessToken);
    const seal = known.page.slice(-32);
    const forged =
      known.page.slice(0, -32) + seal.replace(/./, (digit) => (digit === '0' ? '1' : '0'));
    const answers: [answer: Answer, status: number][] = [];
    for (const path of [
      '/hosted/x',
      `/hosted/${'0'.repeat(500)}`,
      `/hosted/${'0'.repeat(48)}`,
      '/hosted/%F0%9F%98%80',
      forged,
    ]) {
      answers.push([await client.send('GET', path), 404]);
      answers.push([await submit(client, path, { choice: 'accept' }), 404]);
    }
    answers.push([await client.send('GET', deleted.page), 410]);
    answers.push([await submit(client, deleted.page, { choice: 'accept' }), 410]);
    sandbox.clock.advance(31 * DAY_MS);
    answers.push([await client.send('GET', purged.page), 410]);
    for (const [answer, status] of answers) {
      expectPage(answer, status);
      expect(answer.text).not.toMatch(/alice|tpk_|<form|\.[jt]s\b/);
    }
  });

  it('is open to everyone who has the link, in live mode too', async () => {
    const live = new RawClient(sandbox, sandbox.liveApiSecret);
    const { page, accessToken } = await createHosted(live);
    expect(wordsOf(await client.send('GET', page))).toContain('live mode');
    await submit(client, page, { choice: 'accept' });
    expect((await live.fetch(accessToken)).json.action).toBe('accept');
  });

  it('accepts one of two concurrent results', async () => {
    const { page, accessToken } = await createHosted(client);
    const { find } = Transactions.prototype;
    jest.spyOn(Transactions.prototype, 'find').mockImplementationOnce(async function (
      this: Transactions,
      id,
    ) {
      const open = await find.call(this, id);
      const blocked = { response_payload: 'us-dl', flags: ['id_blocked'] };
      expect((await client.override(accessToken, blocked)).status).toBe(204);
      return open;
    });
    const answer = await submit(client, page, { choice: 'accept' });
    expectPage(answer, 409);
    expect(wordsOf(answer)).toMatch(/^The verification is complete /);
    expect((await client.fetch(accessToken)).json.action).toBe('reject');
  });

  it('is not part of the API: its requests are not recorded, and have no faults', async () => {
    const { page } = await createHosted(client);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'status', status: 503 });
    expectPage(await client.send('GET', page), 200);
    expectPage(await client.send('GET', '/verify'), 200);
    expect(sandbox.requests).toHaveLength(0);
    expect(sandbox.faults.pending).toHaveLength(1);
  });

  it('works below a base URL that ends in the same word', async () => {
    for (const prefix of ['/hosted', '/verify']) {
      const answer = await client.send('GET', `${prefix}/v0/transactions`);
      expect(answer.json).toMatchObject({ code: 401 });
    }
  });

  it('shows no stack when it fails, and logs it', async () => {
    const { page } = await createHosted(client);
    jest.spyOn(TransactionResults.prototype, 'decide').mockRejectedValue(new Error('a bug'));
    const log = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    const answer = await submit(client, page, { choice: 'accept' });
    expectPage(answer, 500);
    expect(wordsOf(answer)).toBe(
      'Something went wrong The sandbox failed to answer. This is a bug in nestjs-berbix; please report it.',
    );
    expect(log).toHaveBeenCalledWith(expect.stringContaining('Error: a bug'));
  });
});

describe.each(PLATFORMS)('the page for a client token on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });
  beforeEach(() => sandbox.reset());

  const bring = (token: unknown) => submit(client, '/verify', { client_token: String(token) });

  it('asks for a client token', async () => {
    const answer = await client.send('GET', '/verify');
    expectPage(answer, 200);
    expect(answer.text).toMatch(/<form method="post" action="\/verify">/);
    expect(answer.text).toMatch(/<label for="client_token">/);
    expect(answer.text).toMatch(/<textarea[^>]+id="client_token"[^>]+name="client_token"/);
  });

  it('leads to the page of its transaction, without the token', async () => {
    const { json } = await client.create();
    const { status, headers, text } = await bring(` ${json.client_token}\n`);
    expect({ status, text }).toEqual({ status: 303, text: '' });
    expect(headers['cache-control']).toBe('no-store');
    const page = String(headers.location);
    expect(page).toMatch(/^\/hosted\/[0-9a-f]{48}$/);
    expect(wordsOf(await client.send('GET', page))).toContain(
      `Template ${sandbox.templateKeys.sdk} `,
    );
    expect(wordsOf(await submit(client, page, { choice: 'review' }))).toContain('complete');
    expect((await client.fetch(json.access_token)).json.action).toBe('review');
    const after = await bring(json.client_token);
    expectPage(await client.send('GET', String(after.headers.location)), 410);
  });

  it('opens a hosted transaction as its link does', async () => {
    const { client_token, page } = (await createHosted(client)) as Record<string, string>;
    expect((await bring(client_token)).headers.location).toBe(page);
  });

  it('refuses a transaction that accepts uploads', async () => {
    const { json } = await client.createApiOnly();
    const answer = await bring(json.client_token);
    expectPage(answer, 403);
    expect(wordsOf(answer)).toContain('API-only transactions have no page, only uploads');
    expect((await client.uploadImages(json.client_token, [FRONT])).status).toBe(200);
  });

  it('refuses a token that is wrong, expired, of another kind or of one that is gone', async () => {
    const { json } = await client.create();
    const wrong: [token: unknown, status: number][] = [
      ['', 401],
      ['x.y.z', 401],
      [`${json.client_token}x`, 401],
      [json.access_token, 403],
      [json.refresh_token, 403],
    ];
    for (const [token, status] of wrong) {
      const refusal = await bring(token);
      expectPage(refusal, status);
      const title =
        status === 401 ? 'The client token is not accepted' : 'This is not a client token';
      expect(wordsOf(refusal)).toMatch(new RegExp(`^${title} `));
      expect(refusal.text).toContain('<a href="/verify">Try another client token</a>');
    }
    sandbox.clock.advance(HOUR_MS);
    const answer = await bring(json.client_token);
    expectPage(answer, 401);
    expect(wordsOf(answer)).toContain('The client token has expired.');
    const fresh = (await client.refresh(json.refresh_token)).json;
    expect((await bring(fresh.client_token)).status).toBe(303);
    await client.delete(fresh.access_token);
    expectPage(await bring(fresh.client_token), 410);
  });
});

describe('the action of a choice', () => {
  it.each([
    // The first entry that makes it.
    [{ id_expired: 'reject', id_blocked: 'reject' }, 'reject', ['id_expired']],
    [{ id_expired: 'review' }, 'review', ['id_expired']],
    // No flag makes it: it is the one that was chosen all the same.
    [{ id_expired: 'block' }, 'reject', []],
    [{ id_duplicate_possible: 'reject' }, 'review', []],
    [{ id_expired: 'accept' }, 'accept', []],
  ])('with %j is %s, by %j', async (actionMap, choice, flags) => {
    const client = new RawClient(await startSandbox({ actionMap }));
    const { page, accessToken } = await createHosted(client);
    await submit(client, page, { choice });
    expect((await client.fetch(accessToken)).json).toMatchObject({ action: choice, flags });
  });
});

describe('a link', () => {
  it('works over HTTPS too', async () => {
    const sandbox = await startSandbox({ tls: true });
    const client = new RawClient(sandbox, sandbox.apiSecret, true);
    const { page, accessToken } = await createHosted(client);
    expectPage(await client.send('GET', page), 200);
    expectPage(await submit(client, page, { choice: 'accept' }), 200);
    expect((await client.fetch(accessToken)).json.action).toBe('accept');
  });

  it('outlives the sandbox only with a data directory', async () => {
    const options = { dataDir: await databaseDirectory() };
    const redirect_url = 'http://localhost:1/done';
    const first = await startSandbox(options);
    const { page, accessToken } = await createHosted(new RawClient(first), { redirect_url });
    await first.close();
    const client = new RawClient(await startSandboxOn('fastify', options));
    expectPage(await client.send('GET', page), 200);
    const { status, headers } = await submit(client, page, { choice: 'reject' });
    expect([status, headers.location]).toEqual([303, redirect_url]);
    expect((await client.fetch(accessToken)).json.action).toBe('reject');
    const stranger = new RawClient(await startSandbox());
    expectPage(await stranger.send('GET', page), 404);
  });

  it('belongs to one transaction, also to one with a large id', async () => {
    const client = new RawClient(await startSandbox({ largeIds: true }));
    const [one, other] = [await createHosted(client), await createHosted(client)];
    await submit(client, one.page, { choice: 'accept' });
    expect((await client.fetch(one.accessToken)).json.action).toBe('accept');
    expect((await client.fetch(other.accessToken)).json.action).toBe('');
    expect(pathOf(client.sandbox.url + one.page)).not.toBe(other.page);
  });
});
