import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { SandboxWebhooks } from '../../lib/sandbox/webhooks/sandbox-webhooks.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { HookServer, status as answerWith } from './support/hook-server.js';
import { createHosted, mainOf, submit, wordsOf } from './support/pages.js';
import { type Answer, RawClient } from './support/raw-client.js';

/** The attributes of each element with this name. */
function elementsOf(answer: Answer, name: string): Record<string, string>[] {
  const elements = mainOf(answer).matchAll(new RegExp(`<${name}\\s([^>]*)>`, 'g'));
  return [...elements].map(([, attributes = '']) =>
    Object.fromEntries(
      [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
        key,
        value,
      ]),
    ),
  );
}

describe.each(PLATFORMS)('what the page of a verification shows on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });

  it('is the sample document, with inputs that hold its fields', async () => {
    const { page } = await createHosted(client);
    const answer = await client.send('GET', page);
    await submit(client, page, { choice: 'accept' });
    const [transaction] = await sandbox.transactions.list();
    const { given_name, family_name, date_of_birth, id_expiry_date } = transaction?.fields ?? {};
    expect(wordsOf(answer)).toContain(
      `${family_name}, ${given_name} ${date_of_birth} Expires ${id_expiry_date} The sample document`,
    );
    const input = (name: string, value: unknown, type: string) => ({
      type,
      name,
      value,
      maxlength: '100',
      autocomplete: 'off',
    });
    expect(elementsOf(answer, 'input').filter(({ type }) => type !== 'checkbox')).toEqual([
      input('given_name', given_name, 'text'),
      input('family_name', family_name, 'text'),
      input('date_of_birth', date_of_birth, 'date'),
      input('id_expiry_date', id_expiry_date, 'date'),
    ]);
    expect(wordsOf(answer)).toContain(
      'Document Driver license Passport Identity card Permanent resident card Passport card Given name Family name Date of birth Expiry date',
    );
    expect(elementsOf(answer, 'option').map(({ value }) => value)).toEqual([
      'DL',
      'P',
      'ID',
      'PRC',
      'PC',
    ]);
  });

  it('have a box for each documented flag', async () => {
    const { page } = await createHosted(client);
    const { text } = await client.send('GET', page);
    const flags = [...text.matchAll(/name="flags" value="id_(\w+)"/g)].map(([, flag]) => flag);
    expect(flags.join(' ')).toBe(
      'under_18 under_21 expired expiry_extended expiry_unknown age_unknown user_confirmed ' +
        'sample_detected photocopy_detected duplicate_detected duplicate_possible ' +
        'duplicate_face_detected blocked blocked_possible',
    );
  });

  it('are buttons that say what each one does, the first one as the usual one', async () => {
    const { page } = await createHosted(client);
    const { text } = await client.send('GET', page);
    const buttons = [
      ...text.matchAll(/<button name="choice" value="(\w+)" class="(\w*)">([^<]*)</g),
    ];
    expect(buttons.map(([, value, style, label = '']) => [value, style, label.trim()])).toEqual([
      ['flags', '', 'Let the flags decide'],
      ['accept', 'primary', 'Accept'],
      ['reject', '', 'Reject'],
      ['review', '', 'Review'],
      ['abandon', 'quiet', 'Abandon for now'],
    ]);
  });

  it.each([
    ['accept', 'good'],
    ['reject', 'bad'],
    ['review', 'warning'],
  ])('is the result %s as %s news', async (choice, style) => {
    const { page } = await createHosted(client);
    const { text } = await submit(client, page, { choice });
    expect(text).toContain(`<span class="badge ${style}">${choice}</span>`);
  });

  it('is each flag of a result', async () => {
    const { page } = await createHosted(client);
    const answer = await client.send('POST', page, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'choice=flags&flags=id_expired&flags=id_blocked',
    });
    expect(wordsOf(answer)).toContain(' Result reject Flags id_expired, id_blocked Webhook ');
  });

  /** What is said of a webhook, after the page has waited for this. */
  async function saidOf(server: HookServer, wait: (own: BerbixSandbox) => Promise<void>) {
    const webhooks = { retryDelayMs: 1, finished: { url: server.url } };
    const own = new RawClient(await startSandboxOn(platform, { webhooks }));
    // Otherwise it waits for the first attempt, two seconds at most.
    jest.spyOn(SandboxWebhooks.prototype, 'firstAttempts').mockImplementationOnce(() => {
      return wait(own.sandbox);
    });
    const { page } = await createHosted(own);
    const words = wordsOf(await submit(own, page, { choice: 'accept' }));
    return / Webhook finished (.*) Webhook status not sent: it has no URL You may /.exec(
      words,
    )?.[1];
  }

  it('is that a webhook has no answer yet, to its first attempt or to another one', async () => {
    const server = await HookServer.start();
    for (const answered of [0, 1]) {
      const before = server.hooks.length;
      server.answers.push(...[answerWith(500)].slice(0, answered), () => undefined);
      const said = await saidOf(server, () =>
        until(() => server.hooks.length === before + answered + 1),
      );
      expect([answered, said]).toEqual([answered, 'sent, no answer yet']);
    }
  });

  it('is that a webhook is not sent again when it was given up', async () => {
    const server = await HookServer.start();
    server.answers.push(...Array.from({ length: 5 }, () => answerWith(500)));
    const said = await saidOf(server, (own) => own.webhooks.settled());
    expect(said).toBe('answered with 500, given up');
  });

  it('is a title that tells what is wrong', async () => {
    const { page } = await createHosted(client);
    const wrong = await submit(client, page, { choice: 'later' });
    const { json } = await client.createApiOnly();
    const apiOnly = await submit(client, '/verify', { client_token: String(json.client_token) });
    const unknown = await client.send('GET', '/hosted/x');
    const gone = await createHosted(client);
    await client.delete(gone.accessToken);
    const deleted = await client.send('GET', gone.page);
    const titles = [wrong, apiOnly, unknown, deleted].map(({ status, text }) => [
      status,
      /<h1>([^<]*)<\/h1>/.exec(text)?.[1],
      /<title>([^<]*)<\/title>/.exec(text)?.[1],
    ]);
    expect(titles).toEqual(
      [
        [400, 'The request is not valid'],
        [403, 'This transaction has no page'],
        [404, 'Not found'],
        [410, 'This link is no longer valid'],
      ].map(([status, title]) => [status, title, `${title} - Berbix sandbox`]),
    );
  });

  it('is a form for the client token, not for another one', async () => {
    const answer = await client.send('GET', '/verify');
    expect(wordsOf(answer)).toBe(
      'Open a verification This page stands in for a page with a front-end SDK. Paste the client token of a transaction to open its verification. Client token Open',
    );
    expect(answer.text).toMatch(/<textarea [^>]* required>/);
  });

  it('is in the frame what else can happen there', async () => {
    const { json } = await client.create();
    const answer = await client.send('GET', `/v0/verify?client_token=${json.client_token}`);
    const messages = elementsOf(answer, 'button').flatMap((button) => button['data-message'] ?? []);
    expect(messages.map((text) => JSON.parse(text.replaceAll('&quot;', '"')) as unknown)).toEqual([
      { type: 'RELOAD_IFRAME' },
      { type: 'VERIFICATION_COMPLETE', payload: { success: false } },
    ]);
    expect(wordsOf(answer)).toContain(
      ' What else can happen in the frame These test how your page reacts. The transaction does not change. Load it again Asks your page to load this frame again. Fail Tells your page that the verification failed. ',
    );
    const address = `/v0/verify?client_token=${json.client_token}`;
    expect(wordsOf(await submit(client, address, { choice: 'review' }))).toMatch(
      /^The verification is complete Your backend can fetch the result\. /,
    );
  });
});
