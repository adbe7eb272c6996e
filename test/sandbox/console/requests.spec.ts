import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { basic, RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, shows } from './support/console.js';

describeInBrowser('the requests of the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let client: RawClient;
    let tab: Tab;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      client = new RawClient(sandbox);
      tab = await openTab();
      await tab.resize(1280, 800);
    });

    /** What the elements say, each in one line. */
    const texts = async (selector: string): Promise<string[]> =>
      (await tab.evaluate(
        `[...document.querySelectorAll('${selector}')].map((it) => it.innerText.replace(/\\s+/g, ' ').trim())`,
      )) as string[];

    it('appear while they happen, with their content and without their secrets', async () => {
      await tab.visit(`${sandbox.url}#/requests`);
      await tab.until((outline) => outline.some((line) => line.includes('No request yet.')));
      expect(await texts('.empty code')).toEqual([sandbox.url]);
      expect(await texts('button:disabled')).toEqual(['Clear']);
      const { json } = await client.create({ customer_uid: 'ada' });
      const refreshToken = String(json.refresh_token);
      await tab.activate('POST /v0/transactions');
      await shows(tab, 'heading: POST /v0/transactions 200');
      await shows(tab, 'StaticText: Basic [redacted]');
      const [ofResponse, ofRequest] = await texts('dl.facts');
      expect([ofResponse, ofRequest]).toEqual([
        expect.stringContaining(`x-request-id ${sandbox.requests.last?.id}`),
        expect.stringContaining('authorization Basic'),
      ]);
      expect(await texts('button:disabled')).toEqual([]);
      expect(await texts('tbody td:nth-child(3)')).toEqual([
        expect.stringMatching(/^(\d+ ms|\d+\.\d s)$/),
      ]);
      const received = sandbox.requests.last?.receivedAt;
      const time = `{ const { dateTime, title } = document.querySelector('tbody time');
        [dateTime, title === new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(dateTime))]; }`;
      expect(await tab.evaluate(time)).toEqual([received?.toISOString(), true]);
      const moment = "document.querySelector('tbody time').textContent";
      expect(await tab.evaluate(moment)).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
      await client.refresh(json.refresh_token);
      await tab.activate('POST /v0/tokens');
      await shows(tab, 'heading: POST /v0/tokens 200');
      const marked = "document.querySelector('table').querySelectorAll('[aria-current]')";
      expect(await tab.evaluate(`[...${marked}].map((it) => it.innerText).join()`)).toBe(
        'POST /v0/tokens',
      );
      expect(await tab.evaluate('document.body.innerText')).not.toContain(refreshToken);
      await expectAccessible(tab);
      await tab.activate('Show secrets');
      await until(async () =>
        String(await tab.evaluate('document.body.innerText')).includes(refreshToken),
      );
      // Those of this request: the other one has the token too.
      await tab.activate('POST /v0/transactions');
      await shows(tab, 'heading: POST /v0/transactions 200');
      expect(await tab.evaluate("document.querySelector('[name=secrets]').checked")).toBe(false);
      expect(await tab.evaluate('document.body.innerText')).not.toContain(refreshToken);
      expectOnlyFrom(tab, sandbox.url);
    });

    it('are sent again, found by their path, and cleared', async () => {
      const { json } = await client.create();
      await client.refresh(json.refresh_token);
      await tab.visit(`${sandbox.url}#/requests/${sandbox.requests.last?.id}`);
      await tab.evaluate(`document.cookie = 'of=the console'`);
      await shows(tab, 'button: Send again');
      // A page that opens with it leaves the focus where it is.
      expect(await tab.evaluate('document.activeElement.tagName')).toBe('BODY');
      await tab.activate('Send again');
      await shows(tab, 'StaticText: The request was sent again.');
      expect(sandbox.requests.last).toMatchObject({ path: '/v0/tokens', status: 200 });
      expect(sandbox.requests.last?.headers.cookie).toBeUndefined();
      expect(sandbox.requests).toHaveLength(3);

      await tab.type('Path contains', 'transactions');
      const paths = "document.querySelector('table')?.innerText.match(/v0.\\w+/g)?.join()";
      await until(async () => (await tab.evaluate(paths)) === 'v0/transactions');
      await tab.type('Path contains', 'nowhere');
      await shows(tab, 'StaticText: None of these requests has this path.');
      await tab.activate('Clear');
      await shows(tab, 'StaticText: The list of requests is empty.');
      expect(sandbox.requests).toHaveLength(0);
    });

    it('are shown as one command for a shell', async () => {
      const { json } = await client.create({ customer_uid: "O'Hara" });
      await tab.visit(`${sandbox.url}#/requests/${sandbox.requests.last?.id}`);
      await tab.evaluate(
        'navigator.clipboard.writeText = async (text) => { window.copied = text; };',
      );
      await tab.activate('Copy as curl, with its secrets');
      await shows(tab, 'StaticText: Copied, with the secrets of the request.');
      const command = String(await tab.evaluate('window.copied'));
      const { authorization } = sandbox.requests.last?.headers ?? {};
      expect(command.split(' \\\n  ')).toEqual([
        `curl -i -X POST '${sandbox.url}/v0/transactions'`,
        `-H 'authorization: ${String(authorization)}'`,
        "-H 'content-type: application/json'",
        expect.stringMatching(/^--data-raw '\{"customer_uid":"O'\\''Hara",.*\}'$/),
      ]);
      // Without a body, and without what curl sends of its own.
      const bearer = `Bearer ${String(json.access_token)}`;
      const own = { 'user-agent': 'shop/1.0', 'accept-encoding': 'gzip' };
      const call = { authorization: bearer, headers: own };
      await client.send('GET', '/v0/transactions', call);
      await tab.evaluate(`location.hash = '#/requests/${sandbox.requests.last?.id}'`);
      await shows(tab, 'heading: GET /v0/transactions 200');
      await tab.activate('Copy as curl, with its secrets');
      const copied = [
        `curl -i -X GET '${sandbox.url}/v0/transactions'`,
        `-H 'authorization: ${bearer}'`,
      ].join(' \\\n  ');
      await until(async () => (await tab.evaluate('window.copied')) === copied);
    });

    it('are sent again without a body, and to this sandbox whatever their path looks like', async () => {
      const { json } = await client.create();
      const authorization = `Bearer ${String(json.access_token)}`;
      await client.send('GET', '//shop.example/v0/transactions', { authorization });
      await tab.visit(`${sandbox.url}#/requests/${sandbox.requests.last?.id}`);
      await tab.activate('Send again');
      await shows(tab, 'StaticText: The request was sent again.');
      expect(sandbox.requests).toHaveLength(3);
      expect(sandbox.requests.last).toMatchObject({ method: 'GET', status: 200, body: '' });
      expectOnlyFrom(tab, sandbox.url);
    });

    it('say what is odd about them, in the list and beside it', async () => {
      await tab.visit(`${sandbox.url}#/requests`);
      await shows(tab, 'StaticText: Connected');
      await client.create({ nickname: 'ada' });
      sandbox.faults.add({ kind: 'status', status: 500 });
      await client.refresh('rt_1');
      sandbox.faults.add({ kind: 'reset' });
      await expect(client.refresh('rt_2')).rejects.toThrow('ECONNRESET');
      await client.refresh('rt_3');
      await until(async () => (await texts('tbody tr')).length === 4, 20);
      const shown = `[...document.querySelectorAll('tbody .badge')].map((it) => it.className + ': ' + it.innerText)`;
      const badges = [
        'badge badge-warning: 401',
        'badge badge-warning: fault: reset',
        'badge badge-warning: no answer',
        'badge badge-warning: fault: status',
        'badge badge-bad: 500',
        'badge badge-warning: departs from the documentation',
        'badge badge-good: 200',
      ];
      await until(
        async () => JSON.stringify(await tab.evaluate(shown)) === JSON.stringify(badges),
        20,
      );
      // The same when the list is loaded.
      await tab.visit('about:blank');
      const [creation, failure, broken] = [...sandbox.requests].map(({ id }) => id);
      await tab.visit(`${sandbox.url}#/requests/${creation}`);
      await until(
        async () => JSON.stringify(await tab.evaluate(shown)) === JSON.stringify(badges),
        20,
      );
      await shows(tab, 'StaticText: The member "nickname" is not documented.');
      expect(await texts('.panel .warning > p')).toEqual([
        'The sandbox accepts this request, but it departs from the documentation:',
      ]);
      expect((await texts('.panel pre')).at(-1)).toMatch(/^\{ "customer_uid": "alice", /);
      expect((await texts('.panel dl')).at(-1)).toContain('authorization Basic [redacted]');
      await tab.evaluate(`location.hash = '#/requests/${failure}'`);
      await until(
        async () =>
          (await texts('.panel .warning')).join() ===
          'A fault (status) replaced or delayed this answer.',
      );
      await tab.evaluate(`location.hash = '#/requests/${broken}'`);
      await shows(tab, 'StaticText: There is no answer, or it has not ended yet.');
      await shows(tab, 'heading: POST /v0/tokens no answer');
      // What is no JSON is shown as it is.
      await client.send('POST', '/v0/tokens', { body: 'no JSON' });
      await tab.evaluate(`location.hash = '#/requests/${sandbox.requests.last?.id}'`);
      await until(async () => (await texts('.panel pre')).at(-1) === 'no JSON', 20);
    });

    it('are there before they are answered, and tell it when they are', async () => {
      const headers = { authorization: basic(sandbox.apiSecret) };
      const call = request(`${sandbox.url}/v0/tokens`, { method: 'POST', headers });
      call.write('{"refresh_token":');
      await until(() => sandbox.requests.length === 1);
      await tab.visit(`${sandbox.url}#/requests`);
      const row = async (text: RegExp): Promise<boolean> =>
        text.test((await texts('tbody tr')).join());
      await until(() => row(/^POST \/v0\/tokens no answer … /i));
      const answered = once(call, 'response');
      call.end('"rt_1"}');
      const [answer] = (await answered) as [IncomingMessage];
      expect(answer.resume().statusCode).toBe(401);
      await until(() => row(/^POST \/v0\/tokens 401 \d/i));
    });

    it('open beside the list with the focus, say how long they took, and close with Escape', async () => {
      await client.create();
      await tab.visit(`${sandbox.url}#/requests`);
      await tab.evaluate(`{
        const { fetch } = window;
        window.fetch = async (...all) => {
          const answer = await fetch(...all);
          if (!all[0].includes('requests/')) return answer;
          const received_at = '2030-01-02T03:04:05.006Z';
          return Response.json({ ...(await answer.json()), duration_ms: 1_500, received_at });
        };
      }`);
      await tab.focus('POST /v0/transactions');
      await tab.pressKey('Enter');
      await shows(tab, 'heading: POST /v0/transactions 200');
      expect(await tab.focused()).toBe('Request');
      expect((await texts('.panel p'))[1]).toMatch(/^\d\d:\d\d:\d\d\.006, in 1\.5 s$/);
      await tab.pressKey('Escape');
      await until(async () => (await tab.evaluate('location.hash')) === '#/requests');
      // The focus goes back to the link in the list.
      await until(async () => (await tab.focused()) === 'POST /v0/transactions');
    });
  });
});
