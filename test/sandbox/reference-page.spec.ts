import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';

const has = (line: RegExp) => (outline: string[]) =>
  outline.some((candidate) => line.test(candidate));

/** The page has neither complained nor asked for anything elsewhere. */
function expectNothingWrong(tab: Tab, sandbox: BerbixSandbox): void {
  const wrong = /"exceptionDetails"|"level":"error"|"type":"error"/;
  expect(tab.complaints.filter((complaint) => wrong.test(complaint))).toEqual([]);
  const asked = tab.requests.filter((url) => !url.startsWith('data:'));
  expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set([sandbox.url]));
}

describe.each(PLATFORMS)('the page at /reference on %s', (platform) => {
  let sandbox: BerbixSandbox;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform);
  });

  it('has everything that it refers to, and nothing else', async () => {
    const page = await fetch(`${sandbox.url}/reference`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const links = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)];
    expect(links.length).toBeGreaterThan(3);
    for (const [, link = ''] of links) {
      const answer = await fetch(new URL(link, `${sandbox.url}/reference`));
      expect([link, answer.status]).toEqual([link, 200]);
      // An answer that nobody reads would keep its connection, and the process.
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
    for (const [name, text] of [
      ['reference.js', "new URL('openapi.json', import.meta.url)"],
      ['reference.css', '.samples'],
    ]) {
      const file = await fetch(`${sandbox.url}/reference/${name}`);
      expect(await file.text()).toContain(text);
    }
    for (const other of [
      'nothing',
      '..%2fpackage.json',
      '..%2f..%2f@nestjs%2fcore%2fpackage.json',
    ]) {
      const { status, headers } = await fetch(`${sandbox.url}/reference/${other}`);
      expect([other, status]).toEqual([other, 404]);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });
});

describeInBrowser('the page at /reference', (openTab) => {
  let sandbox: BerbixSandbox;
  let tab: Tab;

  beforeEach(async () => {
    sandbox = await startSandbox();
  });

  /** Opens the page at an operation. */
  async function openAt(operation: string): Promise<void> {
    tab = await openTab();
    await tab.visit(`${sandbox.url}/reference#/${operation}`);
    await tab.until(has(/^tabpanel: /));
  }

  async function authorize(apiSecret: string): Promise<void> {
    await tab.activate('Authorize');
    await tab.until(has(/^heading: Available authorizations$/));
    expect(await tab.focused()).toBe('auth-basic-username');
    expect(await tab.evaluate(`document.querySelector('.modal-ux-content').scrollTop`)).toBe(0);
    await tab.type('auth-basic-username', apiSecret);
    await tab.activate('Apply credentials');
    await tab.until(has(/^button: Remove authorization$/));
    await tab.activate('Close');
    await tab.until((outline) => !has(/^heading: Available authorizations$/)(outline));
  }

  /** Opens an operation, sends its example, and waits for an answer that shows this. */
  async function tryOut(operation: string, answer: RegExp): Promise<void> {
    const name = operation.replaceAll('/', '\u200b/');
    await tab.activate(name);
    await tab.until(has(/^button: Execute$/));
    await tab.activate('Execute');
    await tab.until(has(answer));
    await tab.activate(name);
    await tab.until((outline) => !has(/^button: Execute$/)(outline));
  }

  it('tries operations out, and exchanges each refresh token that replaces another', async () => {
    const rotating = await startSandbox({ refreshToken: 'rotate' });
    tab = await openTab();
    await tab.visit(`${rotating.url}/reference`);
    await tab.until(has(/^button: POST \/v0 \/tokens Exchange a refresh token/));
    await authorize(rotating.apiSecret);
    await tryOut('post /v0/transactions', /^cell: Response body .*"refresh_token": "rt_/);
    // With the access token of the answer before.
    await tryOut('get /v0/transactions', /^cell: Response body .*"entity": "transaction_metadata"/);

    await tab.activate('post \u200b/v0\u200b/tokens');
    await tab.until(has(/^button: Execute$/));
    const body = (): Promise<unknown> =>
      tab.evaluate(`document.querySelector('textarea.body-param__text').value`);
    for (let exchanges = 0; exchanges < 3; exchanges += 1) {
      const sent = await body();
      await tab.activate('Execute');
      await until(async () => (await body()) !== sent);
    }
    const statuses = rotating.requests.to('POST', '/v0/tokens').map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200]);
    expectNothingWrong(tab, rotating);
  });

  it('shows samples in tabs, which keys can reach, and remembers the language', async () => {
    await openAt('Tokens/refreshTokens');
    await tab.until(has(/^tablist: Language$/));
    await tab.until(has(/^tabpanel: curl$/));
    await tab.until(has(/^StaticText: # Set BERBIX_API_SECRET to the API secret\.\ncurl /));
    await tab.focus('curl');
    for (const [key, label] of [
      ['ArrowRight', 'Node.js'],
      ['ArrowLeft', 'curl'],
      ['ArrowLeft', 'NestJS'],
      ['Home', 'curl'],
      ['End', 'NestJS'],
      ['ArrowRight', 'curl'],
    ] as const) {
      await tab.pressKey(key);
      await tab.until(has(new RegExp(`^tabpanel: ${label}$`)));
      expect(await tab.focused()).toBe(label);
    }
    await tab.activate('Python');
    await tab.until(has(/^tabpanel: Python$/));
    await tab.until(has(/^StaticText: import os\n\nimport berbix\n/));

    // The same in the next visit, except where this SDK has no such operation.
    await openAt('Uploads/uploadImages');
    await tab.until(has(/^tabpanel: curl$/));
    await tab.activate('delete \u200b/v0\u200b/transactions');
    await tab.until(has(/^tabpanel: Python$/));
    expectNothingWrong(tab, sandbox);
  });

  it('leads from one operation to another, copies a sample, and shows the webhooks', async () => {
    await openAt('Tokens/refreshTokens');
    await tab.activate('fetch the transaction');
    await tab.until(has(/^button: GET \/v0 \/transactions Fetch the metadata/));
    const isTablist = (line: string): boolean => line === 'tablist: Language';
    await tab.until((outline) => outline.filter(isTablist).length === 2);
    expect(await tab.address()).toBe(`${sandbox.url}/reference#/Transactions/fetchTransaction`);

    await tab.activate('Ruby');
    await tab.focus('Copy the sample for Ruby');
    // Browsers copy nothing that a person has not asked for.
    await tab.pressKey('Enter');
    await tab.until(has(/^StaticText: Copied$/));
    await tab.activate('Go');
    await tab.until((outline) => !has(/^StaticText: Copied$/)(outline));

    await tab.activate('post finished');
    await tab.until((outline) => outline.filter(isTablist).length === 3);
    expectNothingWrong(tab, sandbox);
  });

  it('fits into a narrow window, and leads back to the console', async () => {
    await openAt('Transactions/createTransaction');
    await tab.resize(360, 800);
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await tab.activate('Back to the console');
    await tab.until(has(/^heading: /));
    expect(await tab.address()).toBe(`${sandbox.url}/`);
  });
});
