import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { createHosted, submit, wordsOf } from './support/pages.js';
import { type Answer, RawClient } from './support/raw-client.js';

const HOUR_MS = 3_600_000;

/** What the frame tells the page around it when it has loaded. */
function greetingOf({ text }: Answer): unknown {
  const [, attribute = ''] = /<script data-greeting="([^"]*)">/.exec(text) ?? [];
  return JSON.parse(attribute.replaceAll('&quot;', '"').replaceAll('&#39;', "'"));
}

describe.each(PLATFORMS)('the frame at /v0/verify on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });

  const addressOf = (token: unknown, more = '') => `/v0/verify?sdk=x&client_token=${token}${more}`;

  it('is the only page that other sites frame, and the only one with a script: its own', async () => {
    const { json } = await client.create();
    for (const address of [addressOf(json.client_token), addressOf('x')]) {
      const { headers } = await client.send('GET', address);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
      });
      expect(headers['x-frame-options']).toBeUndefined();
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/]+='; script-src 'sha256-[\w+/]+='; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors \*$/,
      );
    }
  });

  it('completes the transaction of its client token, once, and tells the result to nobody', async () => {
    const { json } = await client.create();
    const address = addressOf(json.client_token);
    const shown = await client.send('GET', address);
    expect(shown.status).toBe(200);
    expect(greetingOf(shown)).toEqual([
      { type: 'STATE_CHANGE', payload: { state: 'open' } },
      'display',
    ]);
    const complete = [
      { type: 'STATE_CHANGE', payload: { state: 'completed' } },
      { type: 'VERIFICATION_COMPLETE', payload: { success: true } },
    ];
    const form = { choice: 'reject', flags: 'id_expired' };
    expect(greetingOf(await submit(client, address, form))).toEqual(complete);
    expect((await client.fetch(json.access_token)).json).toMatchObject({
      action: 'reject',
      flags: ['id_expired'],
    });
    for (const again of [
      await client.send('GET', address),
      await submit(client, address, { choice: 'accept' }),
    ]) {
      expect(greetingOf(again)).toEqual(complete);
      expect(again.text).not.toMatch(/reject|id_expired/);
    }
    expect((await client.fetch(json.access_token)).json.action).toBe('reject');
  });

  it('works below a base URL with a path, and for hosted transactions', async () => {
    const { client_token: token, access_token } = (await createHosted(client)) as Record<
      string,
      string
    >;
    const address = `/berbix${addressOf(token)}`;
    expect(wordsOf(await client.send('GET', address))).toContain('Customer alice ');
    await submit(client, address, { choice: 'review' });
    expect((await client.fetch(access_token)).json.action).toBe('review');
  });

  it.each([
    ['', []],
    ['&modal=1', []],
    ['&modal=2', ['Close']],
    ['&modal=true', ['Close']],
  ])('has the buttons of the modal window %p', async (query, names) => {
    const { json } = await client.create();
    const { text } = await client.send('GET', addressOf(json.client_token, query));
    const buttons = [...text.matchAll(/data-message="([^"]*)"[^>]*>([^<]*)</g)];
    expect(buttons.map(([, , name = '']) => name.trim())).toEqual([
      ...names,
      'Load it again',
      'Fail',
    ]);
    if (names.length > 0) expect(buttons[0]?.[1]).toBe('{&quot;type&quot;:&quot;EXIT_MODAL&quot;}');
  });

  it('tells an error for a token that does not open it', async () => {
    const { json } = await client.create();
    const apiOnly = (await client.createApiOnly()).json;
    const deleted = (await client.create()).json;
    await client.delete(deleted.access_token);
    const expired = (await client.create()).json;
    const answers: [Answer, number, string, string][] = [
      [
        await client.send('GET', '/v0/verify'),
        401,
        'invalid_client_token',
        'is not one of this sandbox',
      ],
      [
        await client.send('GET', addressOf('x')),
        401,
        'invalid_client_token',
        'is not one of this sandbox',
      ],
      [
        await client.send('GET', addressOf(json.refresh_token)),
        403,
        'wrong_token_kind',
        'does not go here',
      ],
      [
        await client.send('GET', addressOf(apiOnly.client_token)),
        403,
        'not_allowed',
        'only uploads',
      ],
      [
        await client.send('GET', addressOf(deleted.client_token)),
        410,
        'transaction_gone',
        'was deleted',
      ],
      [
        await submit(client, addressOf(json.client_token), { choice: 'x' }),
        400,
        'invalid_request',
        'The choice must',
      ],
    ];
    sandbox.clock.advance(HOUR_MS);
    answers.push([
      await client.send('GET', addressOf(expired.client_token)),
      401,
      'invalid_client_token',
      'has expired',
    ]);
    answers.push([
      await submit(client, addressOf(json.client_token), { choice: 'accept' }),
      401,
      'invalid_client_token',
      'has expired',
    ]);
    for (const [answer, status, readable, words] of answers) {
      expect(answer.status).toBe(status);
      expect(greetingOf(answer)).toEqual([
        {
          type: 'ERROR_RENDERED',
          payload: {
            code: status,
            readable,
            message: expect.stringContaining(words),
          },
        },
      ]);
      expect(answer.text).not.toContain('<form');
    }
    expect((await client.refresh(json.refresh_token)).status).toBe(200);
  });

  it('takes no form of another site, and is neither recorded nor faulted', async () => {
    const { json } = await client.create();
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'status', status: 503 });
    const address = addressOf(json.client_token);
    const elsewhere: Record<string, string>[] = [
      { origin: 'https://shop.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of elsewhere) {
      expect((await client.send('GET', address, { headers })).status).toBe(200);
      const post = { headers, body: 'choice=accept' };
      expect((await client.send('POST', address, post)).status).toBe(403);
    }
    expect(sandbox.requests).toHaveLength(0);
    expect(sandbox.faults.pending).toHaveLength(1);
  });
});
