import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { temporaryDirectory } from '../../support/directories.js';
import { usualOrLong } from '../../support/long.js';
import { startSandbox } from '../../support/services.js';
import { until } from '../../support/until.js';
import { basic, RawClient } from '../support/raw-client.js';
import { shows } from './support/console.js';

const COMMITTED = 'docs/images';
const LATENCY_MS = 400;
const PNG = '\x89PNG\r\n\x1a\n';

/** The pictures of the documentation: `npm run screenshots` writes them to `docs/images`. */
describeInBrowser('the screenshots of the documentation', (openTab) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;
  let tab: Tab;
  let folder: string;

  beforeEach(async () => {
    sandbox = await startSandbox({ refreshToken: 'rotate' });
    client = new RawClient(sandbox);
    tab = await openTab();
    folder = process.env.SCREENSHOTS ?? temporaryDirectory();
    mkdirSync(folder, { recursive: true });
  });

  async function expectPicture(name: string): Promise<void> {
    await until(async () => (await tab.evaluate("document.querySelector('.loading')")) === null);
    const picture = await tab.picture();
    expect(picture.subarray(0, PNG.length).toString('latin1')).toBe(PNG);
    writeFileSync(join(folder, `${name}.png`), picture);
    expect([name, existsSync(join(COMMITTED, `${name}.png`))]).toEqual([name, true]);
  }

  /** Some minutes in the life of an application. */
  async function prepare(): Promise<string> {
    for (const customerUid of ['linus', 'margaret', 'grace', 'alan', 'ada']) {
      await sandbox.transactions.create({ customerUid });
    }
    const [ada, alan, grace, margaret] = await sandbox.transactions.list();
    await sandbox.transactions.complete(margaret?.id ?? '');
    await sandbox.transactions.complete(alan?.id ?? '', { action: 'review' });
    const rejected = { action: 'reject', flags: ['id_under_18'] };
    await sandbox.transactions.complete(grace?.id ?? '', rejected);
    let token = await exchange(ada?.refreshToken, 'BerbixNode/2.0.0');
    sandbox.faults.add({ kind: 'latency', ms: LATENCY_MS, times: 2 });
    const first = exchange(token, 'BerbixPHP/1.0.0');
    await wait(LATENCY_MS / 3);
    await exchange(token, 'BerbixPHP/1.0.0');
    token = await first;
    await exchange(token, 'nestjs-berbix/0.1.0');
    return ada?.id ?? '';
  }

  /** The new refresh token, if there is one. */
  async function exchange(refreshToken: unknown, userAgent: string): Promise<unknown> {
    const { json } = await client.send('POST', '/v0/tokens', {
      authorization: basic(client.secret),
      headers: { 'user-agent': userAgent },
      body: { grant_type: 'refresh_token', refresh_token: refreshToken },
    });
    return json.refresh_token;
  }

  it('show a transaction whose exchanges overlapped, in light and dark', async () => {
    const id = await prepare();
    await tab.resize(1280, 1060);
    await tab.visit(`${sandbox.url}#/transactions/${id}`);
    await shows(tab, 'heading: Refresh token 3');
    await expectPicture('console');
    await tab.prefer('dark');
    await expectPicture('console-dark');
  });

  it('show a webhook that was refused', async () => {
    sandbox.webhooks.setUrl('finished', `${sandbox.url}/webhooks/berbix`);
    const { json } = await client.send('POST', '/sandbox/webhooks/test', {
      body: { kind: 'finished' },
    });
    await tab.resize(1280, 1060);
    await tab.visit(`${sandbox.url}#/webhooks/${json.id}`);
    await shows(tab, 'heading: Signature');
    await shows(tab, 'button: Send a finished sample');
    await expectPicture('webhook');
  });

  it('show the page of a verification', async () => {
    await client.create({ template_key: sandbox.templateKeys.hosted, hosted_options: {} });
    const [{ id = '' } = {}] = await sandbox.transactions.list();
    const details = await client.send('GET', `/sandbox/transactions/${id}?secrets=1`);
    await tab.resize(720, 900);
    await tab.visit(new URL(String(details.json.page_path), sandbox.url).href);
    await expectPicture('verification');
  });

  // It takes Chromium long, and the tests of the reference see the same.
  if (process.env.SCREENSHOTS !== undefined || usualOrLong(false, true)) {
    it('show the reference', async () => {
      await tab.resize(1280, 1060);
      await tab.visit(`${sandbox.url}/reference#/Tokens/refreshTokens`);
      await tab.activate('NestJS');
      await shows(tab, 'tabpanel: NestJS');
      await tab.evaluate(
        "document.querySelector('[role=tablist]').scrollIntoView({ block: 'center' })",
      );
      await expectPicture('reference');
    });
  }
});
