import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';

/** The name under which the page keeps the language of the samples. */
const LANGUAGE = 'berbix-reference-language';

/** The parts of the page that have colors of their own, in light and dark; the others are Swagger UI's. */
const COLORS = [
  ['body', 'background-color', '245, 246, 251', '14, 16, 25'],
  ['nav a', 'color', '67, 56, 202', '165, 180, 252'],
  ['.scheme-container', 'background-color', '255, 255, 255', '23, 26, 39'],
  ['.scheme-container', 'border-top-color', '218, 222, 234', '43, 48, 68'],
  ['.scheme-container', 'border-bottom-color', '218, 222, 234', '43, 48, 68'],
  ['.samples', 'background-color', '255, 255, 255', '23, 26, 39'],
  ['.samples', 'border-left-color', '218, 222, 234', '43, 48, 68'],
  ['.samples', 'color', '25, 28, 43', '233, 235, 245'],
  ['.samples-bar', 'border-bottom-color', '218, 222, 234', '43, 48, 68'],
  ['.samples-tab[aria-selected=false]', 'color', '86, 92, 115', '164, 171, 196'],
  ['.samples-tab[aria-selected=true]', 'color', '25, 28, 43', '233, 235, 245'],
  ['.samples-tab[aria-selected=true]', 'border-bottom-color', '67, 56, 202', '165, 180, 252'],
  ['.samples-copy', 'color', '67, 56, 202', '165, 180, 252'],
  ['.samples-copy', 'border-left-color', '218, 222, 234', '43, 48, 68'],
  ['.samples-panel', 'background-color', '238, 240, 247', '17, 19, 30'],
  ['.samples-panel code', 'color', '25, 28, 43', '233, 235, 245'],
] as const;

/** In the page: the same parts, with the color that each of them has. */
const SHOWN_COLORS = `(colors) => colors.map(([part, property]) =>
  [part, property, getComputedStyle(document.querySelector(part)).getPropertyValue(property)])`;

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
    const markup = await page.text();
    expect(markup).toContain('<title>API reference · Berbix sandbox</title>');
    expect(markup).toContain(
      '<meta name="viewport" content="width=device-width, initial-scale=1" />',
    );
    const links = [...markup.matchAll(/(?:src|href)="(\/[^"]+)"/g)];
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

// A visit takes Chromium long, so there are two.
describeInBrowser('the page at /reference', (openTab) => {
  let sandbox: BerbixSandbox;
  let tab: Tab;

  beforeEach(async () => {
    sandbox = await startSandbox({ refreshToken: 'rotate' });
    tab = await openTab();
  });

  /** Waits until the page has this many. */
  async function has(count: number, selector: string): Promise<void> {
    const counted = `document.querySelectorAll('${selector}').length`;
    await until(async () => (await tab.evaluate(counted)) === count, 20);
  }

  /** Opens an operation, or closes it. */
  async function toggle(operation: string): Promise<void> {
    await tab.activate(operation.replaceAll('/', '\u200b/'));
  }

  async function shownSample(): Promise<unknown> {
    return tab.evaluate(`document.querySelector('.samples [role=tabpanel]').innerText`);
  }

  async function authorize(): Promise<void> {
    await tab.activate('Authorize');
    await tab.shows('heading: Available authorizations');
    expect(await tab.focused()).toBe('auth-basic-username');
    expect(await tab.evaluate(`document.querySelector('.modal-ux-content').scrollTop`)).toBe(0);
    await tab.type('auth-basic-username', sandbox.apiSecret);
    await tab.activate('Apply credentials');
    await tab.shows('button: Remove authorization');
    await tab.activate('Close');
    await has(0, '.modal-ux-content');
  }

  /** Sends the example of the open operation, and waits for an answer that shows this. */
  async function execute(answer: RegExp): Promise<void> {
    await tab.activate('Execute');
    await tab.until((outline) => outline.some((line) => answer.test(line)));
  }

  it('shows samples in tabs, which keys can reach, copies them, and leads to other operations', async () => {
    await tab.visit(`${sandbox.url}/reference#/Tokens/refreshTokens`);
    await tab.shows('tablist: Language');
    await tab.shows('tabpanel: curl');
    const operation = String(
      await tab.evaluate(`document.querySelector('.opblock.is-open').innerText`),
    );
    const parts = [
      'curl\n',
      'NestJS\n',
      'Copy\n',
      '# Set',
      'Parameters\n',
      'Request body',
      'Responses',
    ];
    const places = parts.map((part) => operation.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(await shownSample()).toMatch(/^# Set BERBIX_API_SECRET to the API secret\.\ncurl /);
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
      await tab.shows(`tabpanel: ${label}`);
      expect(await tab.focused()).toBe(label);
    }
    await tab.activate('Python');
    await tab.shows('tabpanel: Python');
    expect(await shownSample()).toMatch(/^import os\n\nimport berbix\n/);
    expect(await tab.evaluate(`localStorage.getItem('${LANGUAGE}')`)).toBe('Python');
    const tabs = (condition: string, value: string): Promise<unknown> =>
      tab.evaluate(
        `[...document.querySelectorAll('.samples [role=tab]')].filter((it) => ${condition}).map((it) => ${value})`,
      );
    // One of them is a stop of the Tab key, and all of them say what they change.
    expect(await tabs("it.ariaSelected === 'true'", 'it.innerText')).toEqual(['Python']);
    expect(await tabs('it.tabIndex === 0', 'it.innerText')).toEqual(['Python']);
    expect(new Set((await tabs('true', "it.getAttribute('aria-controls')")) as string[])).toEqual(
      new Set(['samples-refreshTokens-panel']),
    );

    await tab.activate('fetch the transaction');
    await has(1, '#samples-fetchTransaction-panel');
    await has(2, '.samples');
    expect(await tab.address()).toBe(`${sandbox.url}/reference#/Transactions/fetchTransaction`);

    await tab.evaluate(`{
      Storage.prototype.setItem = () => { throw new Error('Nothing is stored.'); };
      const copy = navigator.clipboard.writeText.bind(navigator.clipboard);
      navigator.clipboard.writeText = (text) => copy((window.copied = text));
    }`);
    await tab.activate('Ruby');
    await tab.focus('Copy the sample for Ruby');
    // Browsers copy nothing that a person has not asked for.
    await tab.pressKey('Enter');
    await tab.shows('StaticText: Copied');
    expect(await tab.evaluate('window.copied')).toBe(await shownSample());
    await tab.activate('Go');
    await tab.until((outline) => !outline.includes('StaticText: Copied'));
    await tab.evaluate(`{
      navigator.clipboard.writeText = () => Promise.reject();
      document.execCommand = (command) => {
        const { value, selectionStart, selectionEnd } = document.activeElement;
        window.tried = [command, value.slice(selectionStart, selectionEnd)];
        return window.works === true;
      };
    }`);
    await tab.focus('Copy the sample for Go');
    await tab.pressKey('Enter');
    await until(async () => (await tab.evaluate('window.tried')) !== undefined);
    expect(await tab.evaluate('window.tried')).toEqual(['copy', await shownSample()]);
    expect(await tab.outline()).not.toContain('StaticText: Copied');
    // It leaves nothing behind, and the focus where it was.
    expect(await tab.evaluate("document.querySelectorAll('body > textarea').length")).toBe(0);
    expect(await tab.focused()).toBe('Copy the sample for Go');
    await tab.evaluate('window.works = true');
    await tab.pressKey('Enter');
    await tab.shows('StaticText: Copied');

    for (const color of ['dark', 'light'] as const) {
      await tab.prefer(color);
      const isDark = "document.documentElement.classList.contains('dark-mode')";
      await until(async () => (await tab.evaluate(isDark)) === (color === 'dark'));
      const colors = COLORS.map(([part, property, light, dark]) => [
        part,
        property,
        `rgb(${color === 'light' ? light : dark})`,
      ]);
      expect(await tab.evaluate(`(${SHOWN_COLORS})(${JSON.stringify(colors)})`)).toEqual(colors);
    }

    await toggle('post finished');
    await has(3, '.samples');
    expectNothingWrong(tab, sandbox);
  });

  it('remembers the language, tries operations out, and uses the tokens of their answers', async () => {
    await tab.visit(sandbox.url);
    await tab.evaluate(`localStorage.setItem('${LANGUAGE}', 'Python')`);
    await tab.visit(`${sandbox.url}/reference`);
    await tab.shows('button: Authorize');
    // The SDK has no such operation.
    await toggle('post /v0/images/upload');
    await tab.shows('tabpanel: curl');
    await toggle('post /v0/images/upload');
    await has(0, '.samples');
    await authorize();
    await tab.evaluate(`document.cookie = 'of=another page'`);

    await toggle('post /v0/transactions');
    await tab.shows('tabpanel: Python');
    await tab.resize(360, 800);
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await execute(/^cell: Response body .*"refresh_token": "rt_/);
    await toggle('post /v0/transactions');
    await has(0, '.execute');
    await toggle('get /v0/transactions');
    await tab.shows('button: Execute');
    // With the access token of the answer before.
    await execute(/^cell: Response body .*"entity": "transaction_metadata"/);
    await toggle('get /v0/transactions');
    await has(0, '.execute');
    await toggle('post /v0/images/upload');
    await tab.shows('button: Execute');
    // The transaction is one of another kind, and the browser would complain of a refusal.
    sandbox.faults.add({ kind: 'answer', path: '/v0/images/upload', body: { next_step: 'done' } });
    await tab.activate('Execute');
    await until(() => sandbox.requests.to('POST', '/v0/images/upload').length === 1);
    const [created] = sandbox.requests.to('POST', '/v0/transactions');
    const answer = JSON.parse(created?.response?.body ?? '') as Record<string, string>;
    expect(sandbox.requests.last?.headers.authorization).toBe(`Bearer ${answer.client_token}`);
    await toggle('post /v0/images/upload');
    await has(0, '.execute');

    await toggle('post /v0/tokens');
    await has(1, 'textarea.body-param__text');
    const body = (): Promise<unknown> =>
      tab.evaluate(`document.querySelector('textarea.body-param__text').value`);
    for (let exchanges = 0; exchanges < 3; exchanges += 1) {
      const sent = await body();
      await tab.activate('Execute');
      await until(async () => (await body()) !== sent, 20);
    }
    const statuses = sandbox.requests.to('POST', '/v0/tokens').map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200]);
    for (const { headers } of sandbox.requests) expect(headers.cookie).toBeUndefined();
    expectNothingWrong(tab, sandbox);

    await tab.activate('Back to the console');
    await tab.shows('heading: Berbix sandbox');
    expect(await tab.address()).toBe(`${sandbox.url}/`);
  });
});
