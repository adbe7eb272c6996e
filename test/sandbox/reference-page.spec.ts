import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import { built } from '../support/built.js';
import type { Tab } from '../support/browser/tab.js';
import { PLATFORMS } from './support/platforms.js';

// What @fastify/static serves with cannot be loaded by Jest: the sandbox runs as it is shipped.
describe.each(PLATFORMS)('the page at /reference of the built sandbox on %s', (platform) => {
  let child: ChildProcess;
  let ready: { url: string; apiSecret: string };

  beforeEach(async () => {
    built('dist/esm/index.js');
    child = fork('test/sandbox/support/built-sandbox.mjs', [platform], { silent: true });
    const output = child.stdout as NodeJS.ReadableStream;
    const failed = once(child, 'exit').then(() => Promise.reject(new Error('It has ended.')));
    failed.catch(() => undefined);
    const [line] = (await Promise.race([once(output, 'data'), failed])) as [Buffer];
    ready = JSON.parse(line.toString()) as typeof ready;
  });
  afterEach(() => {
    child.kill('SIGKILL');
  });

  it('comes with all that it refers to, and nothing else', async () => {
    const page = await fetch(`${ready.url}/reference`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const links = [...(await page.text()).matchAll(/(?:src|href)="(\.\/[^"]+)"/g)];
    expect(links.length).toBeGreaterThan(3);
    for (const [, link = ''] of links) {
      const { status, headers } = await fetch(new URL(link, `${ready.url}/reference`));
      expect([link, status]).toEqual([link, 200]);
      expect(Number(headers.get('content-length'))).toBeGreaterThan(0);
    }
    const script = await fetch(`${ready.url}/reference/swagger-ui-init.js`);
    expect(await script.text()).toContain('"swaggerUrl": "/reference/openapi.json"');
    for (const other of [
      'nothing',
      '..%2fpackage.json',
      '..%2f..%2f@nestjs%2fcore%2fpackage.json',
    ]) {
      const { status, headers } = await fetch(`${ready.url}/reference/${other}`);
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
      await tab.visit(`${ready.url}/reference`);
      await tab.until(has(/^button: POST \/v0 \/tokens Exchange a refresh token/));
      await tab.activate('Authorize');
      await tab.until(has(/^heading: Available authorizations$/));
      await tab.type('auth-basic-username', ready.apiSecret);
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
      expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set([ready.url]));
    });
  });
});
