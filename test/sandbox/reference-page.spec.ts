import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';

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
    const script = await fetch(`${sandbox.url}/reference/swagger-ui-init.js`);
    expect(await script.text()).toContain("url: '/reference/openapi.json'");
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

  describeInBrowser('it', (openTab) => {
    let tab: Tab;

    const has = (line: RegExp) => (outline: string[]) =>
      outline.some((candidate) => line.test(candidate));

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

    it('shows the operations and tries them out', async () => {
      tab = await openTab();
      await tab.visit(`${sandbox.url}/reference`);
      await tab.until(has(/^button: POST \/v0 \/tokens Exchange a refresh token/));
      await tab.activate('Authorize');
      await tab.until(has(/^heading: Available authorizations$/));
      await tab.type('auth-basic-username', sandbox.apiSecret);
      await tab.activate('Apply credentials');
      await tab.until(has(/^button: Remove authorization$/));
      await tab.activate('Close');
      await tab.until((outline) => !has(/^heading: Available authorizations$/)(outline));

      await tryOut('post /v0/transactions', /^cell: Response body .*"refresh_token": "rt_/);
      // With the access token of the answer before.
      await tryOut(
        'get /v0/transactions',
        /^cell: Response body .*"entity": "transaction_metadata"/,
      );
      await tryOut('post /v0/tokens', /^cell: Response body .*"access_token": "at_/);

      const wrong = /"exceptionDetails"|"level":"error"|"type":"error"/;
      expect(tab.complaints.filter((complaint) => wrong.test(complaint))).toEqual([]);
      const asked = tab.requests.filter((url) => !url.startsWith('data:'));
      expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set([sandbox.url]));
    });
  });
});
