import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { HookServer, status } from '../sandbox/support/hook-server.js';
import { createHosted, submit } from '../sandbox/support/pages.js';
import { RawClient } from '../sandbox/support/raw-client.js';
import { expectApproved } from './support/approved.js';
import { Conversation, startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';
import { newPageContent } from './support/page-content.js';

const DAY_MS = 86_400_000;
const HTML = '<b>"Ada" & \'Co\'</b>';

describe('the pages of the sandbox', () => {
  freezeTime();
  // Nobody waits longer than two seconds for the first webhook, which may load it.
  beforeAll(() => import('undici'));
  let sandbox: BerbixSandbox;
  let browser: Conversation;
  let backend: RawClient;

  beforeAll(async () => {
    sandbox = await startKnownSandbox({ webhooks: { retryDelayMs: 3_600_000 } });
  });

  beforeEach(async () => {
    await sandbox.reset();
    browser = new Conversation(sandbox, newPageContent());
    backend = new RawClient(sandbox);
  });

  const clientTokenOf = async (body = {}) => String((await backend.create(body)).json.client_token);

  it('are the console without its script', async () => {
    await browser.send('GET', '/');
    await browser.send('GET', '/console/unknown.js');
    await browser.send('GET', '/favicon.ico');
    expectApproved('pages/home.txt', browser.text);
  });

  it('open a verification by its client token', async () => {
    await browser.send('GET', '/verify');
    await submit(browser, '/verify', { client_token: ` ${await clientTokenOf()}\n` });
    const { json } = await backend.create();
    const apiOnly = (await backend.createApiOnly()).json.client_token;
    for (const token of ['', 'unknown', json.access_token, json.refresh_token, apiOnly]) {
      await submit(browser, '/verify', { client_token: String(token) });
    }
    const expired = await clientTokenOf();
    sandbox.clock.advance(DAY_MS);
    await submit(browser, '/verify', { client_token: expired });
    sandbox.clock.reset();
    const gone = await backend.create();
    await backend.delete(gone.json.access_token);
    await submit(browser, '/verify', { client_token: String(gone.json.client_token) });
    expectApproved('pages/verify.txt', browser.text);
  });

  it('complete a hosted verification', async () => {
    const { page } = await createHosted(backend, {}, { customer_uid: HTML });
    await browser.send('GET', page);
    await submit(browser, page, { choice: 'abandon' });
    await submit(browser, page, {
      choice: 'flags',
      flags: 'id_expired',
      id_type: 'P',
      given_name: ` ${HTML} `,
      family_name: '',
      date_of_birth: '2012-06-16',
    });
    await browser.send('GET', page);
    await submit(browser, page, { choice: 'accept' });
    const [done] = await sandbox.transactions.list();
    browser.note(JSON.stringify([done?.action, done?.flags, done?.fields]));
    expectApproved('pages/hosted.txt', browser.text);
  });

  it('lead back to the application', async () => {
    const { page } = await createHosted(backend, { redirect_url: 'https://shop.example/ä?a=b' });
    await browser.send('GET', page, {}, (text) => text.slice(0, 15));
    await submit(browser, page, { choice: 'abandon' });
    await submit(browser, page, { choice: 'review' });
    const script = await createHosted(backend, { redirect_url: 'javascript:alert(1)' });
    await submit(browser, script.page, { choice: 'abandon' });
    await submit(browser, script.page, { choice: 'reject' });
    expectApproved('pages/redirects.txt', browser.text);
  });

  it('say what became of the webhooks', async () => {
    const hooks = await HookServer.start();
    sandbox.webhooks.setUrl('finished', hooks.url);
    hooks.answers.push(status(500));
    await submit(browser, (await createHosted(backend)).page, { choice: 'accept' });
    await submit(browser, (await createHosted(backend)).page, { choice: 'flags' });
    await hooks.close();
    await submit(browser, (await createHosted(backend)).page, { choice: 'reject' });
    sandbox.webhooks.setUrl('finished', undefined);
    expectApproved('pages/webhooks.txt', browser.text);
  });

  it('refuse a form or a link that is not theirs', async () => {
    const { page, accessToken } = await createHosted(backend);
    for (const form of [
      {},
      { choice: 'maybe' },
      { choice: 'accept', more: '1' },
      { choice: 'accept', flags: 'Expired' },
      { choice: 'accept', id_type: 'X' },
      { choice: 'accept', given_name: 'x'.repeat(101) },
      { choice: 'accept', date_of_birth: '1990-02-30' },
      { choice: 'accept', id_expiry_date: '1990-1-1' },
    ] as Record<string, string>[]) {
      await submit(browser, page, form);
    }
    await browser.send('GET', `${page}0`);
    await browser.send(
      'GET',
      page.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    );
    await browser.send('DELETE', page);
    await backend.delete(accessToken);
    await browser.send('GET', page);
    expectApproved('pages/refusals.txt', browser.text);
  });

  it('show a verification in the frame of a front-end SDK', async () => {
    const { json } = await backend.create({ customer_uid: HTML });
    const frame = `/v0/verify?client_token=${String(json.client_token)}`;
    await browser.send('GET', '/v0/verify');
    await browser.send('GET', frame);
    const buttonOf = (text: string) =>
      /<button [^>]*>Close/.exec(text)?.[0] ?? 'No button to close.';
    for (const modal of ['1', '2', 'true', 'false']) {
      await browser.send('GET', `${frame}&modal=${modal}&max_height=500`, {}, buttonOf);
    }
    await submit(browser, frame, { choice: 'maybe' });
    await submit(browser, frame, { choice: 'reject' });
    await browser.send('GET', frame, {}, (text) =>
      text.slice(text.indexOf('<main>'), text.indexOf('<script')),
    );
    await submit(browser, frame, { choice: 'accept' });
    const [done] = await sandbox.transactions.list();
    browser.note(JSON.stringify([done?.action, done?.flags]));
    expectApproved('pages/frame.txt', browser.text);
  });
});
