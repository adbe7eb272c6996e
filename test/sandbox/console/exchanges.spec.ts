import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { basic, RawClient } from '../support/raw-client.js';
import { shows } from './support/console.js';

describeInBrowser('the refresh tokens in the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let client: RawClient;
    let tab: Tab;
    let id: string;
    let first: string;

    async function open(options: BerbixSandboxOptions): Promise<void> {
      sandbox = await startSandboxOn(platform, options);
      client = new RawClient(sandbox);
      const created = await sandbox.transactions.create();
      [id, first] = [created.id, created.refreshToken];
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await shows(tab, 'button: Expire tokens');
    }

    const texts = (selector: string): Promise<unknown> =>
      tab.evaluate(
        `[...document.querySelectorAll('${selector}')].map((it) => it.innerText.replace(/\\s+/g, ' ').trim())`,
      );
    /** Waits until the elements have these texts. */
    const have = (selector: string, ...expected: string[]): Promise<void> =>
      until(async () => JSON.stringify(await texts(selector)) === JSON.stringify(expected), 20);

    beforeEach(async () => {
      tab = await openTab();
      await tab.resize(1280, 800);
    });

    it('are told apart, and say which of them is the current one', async () => {
      await open({ refreshToken: 'rotate', rotationGraceSeconds: 60 });
      await have('.lineage h5', 'First refresh token current');
      expect(await texts('.lineage .empty')).toEqual(['Nobody has exchanged it.']);
      await client.refresh(first);
      await client.refresh(first);
      await have('.lineage h5', 'First refresh token', 'Refresh token 2 current');
      await have('.exchange .badge', 'rotated', 'rotated before, accepted in its grace period');
      expect(await texts('.agent')).toEqual(['no user agent', 'no user agent']);
      expect(await texts('.exchange > span:not(.badge)')).toEqual([
        expect.stringMatching(/^answered 200 in (\d+ ms|\d+\.\d s)$/),
        expect.stringMatching(/^replayed 200 in (\d+ ms|\d+\.\d s)$/),
      ]);
      const { id: last } = sandbox.requests.last ?? {};
      expect(
        await tab.evaluate(
          "[...document.querySelectorAll('.exchange a')].at(-1).getAttribute('href')",
        ),
      ).toBe(`#/requests/${last}`);
      await sandbox.transactions.revokeRefreshToken(id);
      await have('.lineage h5', 'First refresh token', 'Refresh token 2 revoked');
    });

    it('name the program that exchanged one, and the token that stays the same', async () => {
      await open({ refreshToken: 'echo' });
      await client.send('POST', '/v0/tokens', {
        authorization: basic(client.secret),
        headers: { 'user-agent': 'BerbixPHP/1.0.0' },
        body: { grant_type: 'refresh_token', refresh_token: first },
      });
      await have('.agent', 'BerbixPHP/1.0.0');
      expect(await tab.evaluate("document.querySelector('.agent').title")).toBe('BerbixPHP/1.0.0');
      expect(await texts('.exchange .badge')).toEqual(['kept']);
      await sandbox.transactions.revokeRefreshToken(id);
      await client.refresh(first);
      await have('.exchange .badge', 'kept', 'revoked, refused');
    });

    it('say when the answer with the new one was lost', async () => {
      await open({ refreshToken: 'rotate' });
      sandbox.faults.add({ kind: 'reset', processed: true });
      await expect(client.refresh(first)).rejects.toThrow('ECONNRESET');
      await shows(tab, 'region: An answer that was lost');
      expect(await texts('.exchange .badge')).toEqual(['rotated', 'answer lost']);
      expect(await texts('.exchange > span:not(.badge)')).toEqual([
        expect.stringMatching(/^failed in \d/),
      ]);
      await have('.lineage h5', 'First refresh token', 'Refresh token 2 current');
    });

    it('show overlaps apart from each other, each on a time line of its own', async () => {
      await open({ refreshToken: 'echo' });
      for (let pairs = 0; pairs < 2; pairs += 1) {
        sandbox.faults.add({ kind: 'latency', ms: 30, times: 2 });
        await Promise.all([client.refresh(first), client.refresh(first)]);
        sandbox.clock.advance(60_000);
      }
      const line =
        /^overlap 2 exchanges of this refresh token ran at the same time\. If each exchange rotates the token, only one of them gets the next one\.$/i;
      await until(
        async () => ((await texts('.overlap > p:first-child')) as unknown[]).length === 2,
        20,
      );
      expect(await texts('.overlap > p:first-child')).toEqual([
        expect.stringMatching(line),
        expect.stringMatching(line),
      ]);
      const ends = `[...document.querySelectorAll('.overlap')].map((overlap) =>
        Math.max(...[...overlap.querySelectorAll('.bar')].map(({ style }) =>
          parseFloat(style.marginInlineStart) + parseFloat(style.inlineSize))))`;
      // The last one to end is at the end of its line; the shortest ones are drawn a little longer.
      await until(async () =>
        ((await tab.evaluate(ends)) as number[]).every((end) => end > 99.9 && end <= 101),
      );
      // The sandbox may have forgotten the other one of a pair.
      await tab.evaluate(`{
        const { fetch } = window;
        window.fetch = async (...all) => {
          const content = await (await fetch(...all)).json();
          return Response.json({ ...content, exchanges: content.exchanges.slice(1) });
        };
      }`);
      await sandbox.transactions.expireTokens(id);
      await until(async () =>
        /^overlap An exchange and an earlier one of this refresh token ran at the same time\./i.test(
          String(((await texts('.overlap > p:first-child')) as unknown[])[0]),
        ),
      );
    });

    it('say whether there will be new tokens when those of a transaction have expired', async () => {
      await open({ refreshToken: 'rotate' });
      await tab.activate('Expire tokens');
      await shows(tab, 'StaticText: They have expired');
      await have(
        '.lifetimes > p',
        'They have expired, unless they are from before a restart or an import. An exchange of the refresh token gives new ones.',
      );
      expect(await texts('.lifetimes button')).toEqual(['Move clock to the purge']);
      await client.refresh(first);
      await tab.activate('Expire tokens');
      await have(
        '.lifetimes > p',
        'They have expired. An exchange of the refresh token gives new ones.',
      );
      await tab.activate('Revoke refresh token');
      await tab.activate('Revoke it');
      await have(
        '.lifetimes > p',
        'They have expired. There will be no new ones: the refresh token was revoked.',
      );
      await until(
        async () =>
          (await tab.evaluate("document.querySelector('button.button-danger').innerText")) ===
          'Refresh token revoked',
      );
      expect(await tab.evaluate("document.querySelector('button.button-danger').disabled")).toBe(
        true,
      );
      expect(await tab.evaluate("document.querySelector('dialog')")).toBeNull();
    });

    it('lead to the moments of the life of their transaction, until these have passed', async () => {
      await open({ refreshToken: 'rotate' });
      const enabled =
        "[...document.querySelectorAll('.lifetimes button:enabled')].map((it) => it.innerText).join()";
      const all =
        'Move clock to ¾ of their lifetime,Move clock to their expiry,Move clock to the purge';
      expect(await tab.evaluate(enabled)).toBe(all);
      // Of the refresh tokens, it shows those that were sent, and the current one.
      await sandbox.transactions.rotateRefreshToken(id);
      await have('.lineage h5', 'Refresh token 2 current');
      const { tokensExpireAt } = await sandbox.transactions.find(id);
      await tab.activate('Move clock to their expiry');
      await until(() => sandbox.clock.now() >= Number(tokensExpireAt));
      await until(async () => (await tab.evaluate(enabled)) === 'Move clock to the purge', 20);
      const { purgesAt } = await sandbox.transactions.find(id);
      await tab.activate('Move clock to the purge');
      await until(() => sandbox.clock.now() >= Number(purgesAt));
      await tab.until((outline) =>
        outline.some((line) => line.startsWith('StaticText: The sandbox has no transaction')),
      );
    });
  });
});
