import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { RawClient } from '../sandbox/support/raw-client.js';
import { bundleForBrowser } from '../support/browser/bundle.js';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { listening, startSandbox } from '../support/services.js';
import { until } from '../support/until.js';

const MODULE = 'lib/browser/index.ts';

/** A page that logs what it is told. */
const PAGE = `<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Shop</title>
<h1>Shop</h1><ul id="log"></ul><div id="verification"></div>
<script type="module">
  import { mountBerbix } from '/berbix.js';
  const log = (text) => document.querySelector('#log')
    .append(Object.assign(document.createElement('li'), { textContent: text }));
  const query = new URLSearchParams(location.search);
  window.berbix = mountBerbix(document.querySelector('#verification'), {
    baseUrl: query.get('base'),
    maxRetries: Number(query.get('retries')),
    fetchClientToken: async (signal) => {
      const response = await fetch('/token', { method: 'POST', signal });
      if (!response.ok) throw new Error('The backend answered ' + response.status);
      return response.text();
    },
    onDisplay: () => log('displayed'),
    onComplete: () => log('complete'),
    onError: ({ message, cause }) => log(message + ' ' + JSON.stringify(cause)),
    onExit: () => log('exit'),
  });
</script>`;

const COMPLETE = JSON.stringify({ type: 'VERIFICATION_COMPLETE', payload: { success: true } });
/** Pages that tell the page around them something. */
const TELLING: Record<string, string[]> = {
  '/intruder': [COMPLETE],
  // A Berbix that speaks in riddles before it displays.
  '/v0/verify': [
    'x',
    'null',
    '5',
    '[]',
    '{}',
    '{"type":"toString"}',
    '{"type":"DISPLAY_IFRAME","payload":{"height":"1px;x"}}',
    '{"type":"RESIZE_IFRAME","payload":null}',
    '{"type":"RESIZE_IFRAME","payload":{"height":321}}',
  ],
};

describe('nestjs-berbix/browser', () => {
  it('has at most 1.5 KB without docstrings', async () => {
    expect((await bundleForBrowser(MODULE, true)).length).toBeLessThanOrEqual(1536);
  });
});

describeInBrowser('mountBerbix()', (openTab) => {
  let script = '';
  /** What the backend answers, in turn; the last one again and again. */
  let answers: (string | number | undefined)[] = [];
  let asked: ServerResponse[] = [];
  const shop = createServer(({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://shop');
    if (pathname === '/token') {
      asked.push(response);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (typeof answer === 'number') response.writeHead(answer).end();
      else if (answer !== undefined) response.end(answer);
      return;
    }
    const isScript = pathname === '/berbix.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    const messages = JSON.stringify(TELLING[pathname] ?? []);
    const telling = `<!DOCTYPE html><script>for (const text of ${messages}) parent.postMessage(text, '*')</script>`;
    response.end(isScript ? script : pathname === '/' ? PAGE : telling);
  });
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeAll(async () => {
    script = await bundleForBrowser(MODULE, true);
    await listening(shop);
  });
  beforeEach(async () => {
    sandbox = await startSandbox();
    client = new RawClient(sandbox);
    asked = [];
  });

  const shopUrl = () => `http://localhost:${(shop.address() as AddressInfo).port}`;

  async function visit(options: { base?: string; retries?: number } = {}): Promise<Tab> {
    const { base = sandbox.url, retries = 3 } = options;
    const query = new URLSearchParams({ base, retries: String(retries) });
    const tab = await openTab();
    await tab.resize(800, 1600);
    await tab.visit(`${shopUrl()}/?${query.toString()}`);
    return tab;
  }

  const create = async () => (await client.create()).json as Record<string, string>;

  async function endedToken(): Promise<string> {
    const { client_token: token = '', access_token } = await create();
    await client.delete(access_token);
    return token;
  }

  const logOf = (tab: Tab) =>
    tab.evaluate('[...document.querySelectorAll("li")].map((line) => line.textContent)');
  const frameIn = (tab: Tab, property: string) =>
    tab.evaluate(`document.querySelector("#verification iframe")?.${property}`);
  const logged = (tab: Tab, text: string) =>
    until(async () => ((await logOf(tab)) as string[]).includes(text), 50);

  /** Runs it in the page, and waits until the page gets a message with this word, after all others. */
  const heard = (tab: Tab, word: string, work: string) =>
    tab.evaluate(`new Promise((resolve) => {
      addEventListener('message', ({ data }) => data.includes('${word}') && resolve());
      ${work};
    })`);

  it('shows the verification, and says when it is complete', async () => {
    const { client_token, access_token } = await create();
    answers = [client_token];
    const tab = await visit();
    await logged(tab, 'displayed');
    expect(await frameIn(tab, 'offsetHeight')).toBeGreaterThan(500);
    await tab.activate('Review');
    await logged(tab, 'complete');
    expect(await frameIn(tab, 'src')).toBeUndefined();
    expect((await client.fetch(access_token)).json.action).toBe('review');
    expect(await logOf(tab)).toEqual(['displayed', 'complete']);
    expect(tab.complaints).toEqual([]);
    expect(new Set(tab.requests.map((url) => new URL(url).origin))).toEqual(
      new Set([shopUrl(), sandbox.url]),
    );
  });

  it('asks for another client token when one has expired', async () => {
    const { client_token } = await create();
    answers = [await endedToken(), client_token];
    const tab = await visit();
    await logged(tab, 'displayed');
    expect(asked).toHaveLength(2);
    expect(await frameIn(tab, 'src')).toContain(client_token);
    expect(await logOf(tab)).toEqual(['displayed']);
    expect(await tab.evaluate('document.querySelectorAll("iframe").length')).toBe(1);
  });

  it('survives a backend that answers only now and then', async () => {
    answers = [503, 503, (await create()).client_token];
    const tab = await visit({ retries: 2 });
    await logged(tab, 'displayed');
    expect(asked).toHaveLength(3);
  });

  it('starts to count anew after a minute in view', async () => {
    const second = await create();
    answers = [await endedToken(), second.client_token];
    const tab = await visit({ retries: 1 });
    await logged(tab, 'displayed');
    await client.delete(second.access_token);
    answers = [(await create()).client_token];
    await tab.evaluate('performance.now = () => 1e9');
    await tab.activate('What else can happen in the frame');
    await tab.activate('Load it again');
    await until(() => asked.length === 3);
    await until(async () => ((await logOf(tab)) as string[]).length === 2, 50);
    expect(await logOf(tab)).toEqual(['displayed', 'displayed']);
  });

  it('gives up in the end, and shows the error of Berbix', async () => {
    answers = [await endedToken()];
    const tab = await visit({ retries: 1 });
    await until(async () => ((await logOf(tab)) as string[]).length > 0, 50);
    expect(await logOf(tab)).toEqual([
      expect.stringMatching(/^Berbix shows an error \{"code":410,"readable":"transaction_gone"/),
    ]);
    expect(asked).toHaveLength(2);
    expect(await frameIn(tab, 'offsetHeight')).toBe(200);
    expect(await tab.outline()).toContain('heading: This link is no longer valid');
  });

  it('gives up in the end, also after a minute in view', async () => {
    const { client_token, access_token } = await create();
    answers = [client_token];
    const tab = await visit({ retries: 1 });
    await logged(tab, 'displayed');
    await client.delete(access_token);
    answers = [await endedToken()];
    await tab.evaluate('performance.now = () => 1e9');
    await tab.activate('What else can happen in the frame');
    await tab.activate('Load it again');
    await until(async () => ((await logOf(tab)) as string[]).length === 2, 50);
    expect(asked).toHaveLength(2);
  });

  it('gives up without a frame if the backend has no token', async () => {
    answers = [404];
    const tab = await visit({ retries: 0 });
    await logged(tab, 'The backend answered 404 undefined');
    expect(asked).toHaveLength(1);
    expect(await frameIn(tab, 'src')).toBeUndefined();
  });

  it('ignores messages of other origins and other windows', async () => {
    const { client_token } = await create();
    const other = await create();
    answers = [client_token];
    const tab = await visit();
    await logged(tab, 'displayed');
    // The page itself.
    await heard(tab, 'COMPLETE', `postMessage(${JSON.stringify(COMPLETE)})`);
    // Another window of the right origin.
    await sandbox.transactions.complete(String((await client.fetch(other.access_token)).json.id));
    const strange = `${sandbox.url}/v0/verify?client_token=${other.client_token}`;
    const frame = `Object.assign(document.createElement('iframe'), { src: '${strange}' })`;
    await heard(tab, 'COMPLETE', `document.body.append(${frame})`);
    expect(await logOf(tab)).toEqual(['displayed']);
    // The right window with another origin.
    const intrude = `document.querySelector('#verification iframe').src = '/intruder'`;
    await heard(tab, 'COMPLETE', intrude);
    expect(await logOf(tab)).toEqual(['displayed']);
    expect(await frameIn(tab, 'src')).toBe(`${shopUrl()}/intruder`);
  });

  it('ignores messages that it cannot read', async () => {
    answers = ['any'];
    const tab = await visit({ base: `${shopUrl()}/` });
    await until(async () => (await frameIn(tab, 'offsetHeight')) === 321, 50);
    expect(await logOf(tab)).toEqual(['displayed']);
    expect(tab.complaints).toEqual([]);
  });

  it('has the rights of the official SDKs, and the client token in its address', async () => {
    answers = ['a&b=c'];
    const tab = await visit({ base: `${shopUrl()}/` });
    await until(async () => (await frameIn(tab, 'offsetHeight')) === 321, 50);
    const height = String(await tab.evaluate('innerHeight'));
    expect(await frameIn(tab, 'src')).toBe(
      `${shopUrl()}/v0/verify?client_token=a%26b%3Dc&max_height=${height}&modal=2`,
    );
    expect(await frameIn(tab, 'title')).toBe('Identity verification');
    expect(await frameIn(tab, 'allow')).toBe('camera');
    expect(await frameIn(tab, 'referrerPolicy')).toBe('strict-origin');
    expect(await frameIn(tab, 'scrolling')).toBe('no');
  });

  it('is at Berbix without a close button, and tries three times again, unless told otherwise', async () => {
    answers = [404];
    const tab = await visit({ retries: 0 });
    const [src, delays] =
      (await tab.evaluate(`import('/berbix.js').then(async ({ mountBerbix }) => {
      const element = document.querySelector('#verification');
      const { unmount } = mountBerbix(element, { fetchClientToken: async () => 't' });
      while (!element.firstChild) await undefined;
      const { src } = element.firstChild;
      unmount();
      const delays = [];
      const { setTimeout } = window;
      window.setTimeout = (run, ms) => setTimeout(run, delays.push(ms) && 0);
      Math.random = () => 0.5;
      const fetchClientToken = () => Promise.reject(new Error('no token'));
      await new Promise((onError) => mountBerbix(element, { fetchClientToken, onError }));
      return [src, delays];
    })`)) as [string, number[]];
    expect(src).toMatch(
      /^https:\/\/verify\.berbix\.com\/v0\/verify\?client_token=t&max_height=\d+$/,
    );
    expect(delays).toEqual([0, 1500, 3000]);
  });

  it('loads the frame again, says that the user leaves, and that the verification failed', async () => {
    answers = [(await create()).client_token];
    const tab = await visit();
    await logged(tab, 'displayed');
    await tab.activate('Close');
    await logged(tab, 'exit');
    await tab.activate('What else can happen in the frame');
    await tab.activate('Load it again');
    await until(async () => ((await logOf(tab)) as string[]).length === 3, 50);
    expect(asked).toHaveLength(1);
    await tab.activate('What else can happen in the frame');
    await tab.activate('Fail');
    await logged(tab, 'The verification failed {"success":false}');
    expect(await logOf(tab)).toEqual([
      'displayed',
      'exit',
      'displayed',
      'The verification failed {"success":false}',
    ]);
    expect(await frameIn(tab, 'src')).toBeUndefined();
  });

  it('leaves nothing behind: no frame, no listener, no request', async () => {
    answers = [(await create()).client_token];
    const tab = await visit();
    await logged(tab, 'displayed');
    await tab.evaluate(
      'window.left = document.querySelector("#verification iframe"); berbix.unmount()',
    );
    expect(await frameIn(tab, 'src')).toBeUndefined();
    // The same window, once more in the page.
    await heard(tab, 'DISPLAY', `document.querySelector('#verification').append(left)`);
    expect(await logOf(tab)).toEqual(['displayed']);

    answers = [undefined];
    const waiting = await visit();
    await until(() => asked.length === 2);
    const closed = once(asked[1]!, 'close');
    await waiting.evaluate('berbix.unmount()');
    await closed;
    expect(await logOf(waiting)).toEqual([]);

    // A token that comes too late, since `fetchClientToken` ignores the signal.
    await waiting.evaluate(`import('/berbix.js').then(({ mountBerbix }) => {
      let give;
      const fetchClientToken = () => new Promise((resolve) => (give = resolve));
      mountBerbix(document.querySelector('#verification'), { fetchClientToken }).unmount();
      give('late');
      return new Promise((resolve) => setTimeout(resolve));
    })`);
    expect(await frameIn(waiting, 'src')).toBeUndefined();

    // Nor does the end of the request count as an error.
    const errors = await waiting.evaluate(`import('/berbix.js').then(async ({ mountBerbix }) => {
      const errors = [];
      const fetchClientToken = (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      const options = { fetchClientToken, maxRetries: 0, onError: (error) => errors.push(error) };
      mountBerbix(document.querySelector('#verification'), options).unmount();
      await new Promise((resolve) => setTimeout(resolve));
      return errors.length;
    })`);
    expect(errors).toBe(0);
  });
});
