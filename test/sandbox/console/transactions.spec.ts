import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, holdRequests, shows } from './support/console.js';

/** Letters of a right-to-left script, a mark that turns text around, markup, and a very long rest. */
const ODD_UID = `מרים \u202e<img src=x onerror=alert(1)>"'& ${'x'.repeat(215)}`;

describeInBrowser('the transactions of the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let client: RawClient;
    let tab: Tab;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform, { refreshToken: 'rotate' });
      client = new RawClient(sandbox);
      tab = await openTab();
      await tab.resize(1280, 800);
    });

    const customers = async (): Promise<unknown> =>
      tab.evaluate("[...document.querySelectorAll('table .uid')].map((uid) => uid.textContent)");
    const expectCustomers = async (...expected: string[]): Promise<void> => {
      await until(async () => JSON.stringify(await customers()) === JSON.stringify(expected), 20);
    };

    it('can be created and completed, and their tokens expired, in the page alone', async () => {
      await tab.visit(sandbox.url);
      await shows(
        tab,
        'StaticText: There is no transaction yet. Create one above, or from your backend.',
      );
      await tab.activate('Create transaction');
      const field = 'Customer uid Your own name for the customer; empty for a random one.';
      await until(async () => (await tab.focused()) === field);
      await tab.type(field, 'ada');
      await tab.pressKey('Enter');
      await shows(tab, 'StaticText: The transaction was created.');
      await shows(tab, 'StaticText: They expire in ');
      await expectAccessible(tab);

      await tab.activate('Complete');
      await tab.choose('Result', 'Reject');
      await tab.type(
        'Flags Several with spaces between them; empty for those of the result.',
        'id_under_18 id_expired',
      );
      await tab.activate('Complete');
      await shows(tab, 'StaticText: The transaction is complete.');
      await shows(tab, 'StaticText: id_under_18, id_expired');
      const [transaction] = await sandbox.transactions.list();
      expect(transaction).toMatchObject({ customerUid: 'ada', action: 'reject', kind: 'sdk' });

      await tab.activate('Move clock to their expiry');
      await shows(tab, 'StaticText: They have expired');
      expectOnlyFrom(tab, sandbox.url);
    });

    it('show each exchange of their refresh tokens, and mark those that overlapped', async () => {
      const { refresh_token: first } = (await client.create()).json;
      const [{ id = '' } = {}] = await sandbox.transactions.list();
      sandbox.faults.add({ kind: 'status', status: 503 });
      expect((await client.refresh(first)).status).toBe(503);
      const { refresh_token: second } = (await client.refresh(first)).json;
      sandbox.faults.add({ kind: 'latency', ms: 300, times: 2 });
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      const both = await Promise.all([client.refresh(second), client.refresh(second)]);
      expect(both.map(({ status }) => status).toSorted()).toEqual([200, 401]);

      await shows(tab, 'region: Exchanges that overlapped');
      await shows(tab, 'StaticText: rotated before, refused');
      const outline = await tab.outline();
      expect(outline).toEqual(
        expect.arrayContaining([
          'heading: First refresh token',
          'StaticText: not reached',
          'heading: Refresh token 2',
          'StaticText: Overlap',
          'StaticText: rotated',
        ]),
      );
      await expectAccessible(tab);
      expectOnlyFrom(tab, sandbox.url);
    });

    it('have buttons that cannot be pressed again while they work', async () => {
      const { id } = await sandbox.transactions.create();
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await shows(tab, 'button: Expire tokens');
      const { untilHeld, release } = await holdRequests(tab, '/simulate');
      await tab.activate('Expire tokens');
      await untilHeld();
      const disabled =
        "[...document.querySelectorAll('button')].some((it) => it.disabled && it.innerText === 'Expire tokens')";
      await until(async () => (await tab.evaluate(disabled)) === true);
      expect((await sandbox.transactions.find(id)).tokensExpireAt).toBeDefined();
      await release();
      await until(async () => (await tab.evaluate(disabled)) === false);
      expect((await sandbox.transactions.find(id)).tokensExpireAt).toBeUndefined();
    });

    it('say that their tokens have expired while one watches', async () => {
      const { id } = await sandbox.transactions.create();
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await tab.until((outline) => outline.some((line) => line.includes('They expire in')));
      await tab.evaluate(`{ const { now } = Date; Date.now = () => now() + 3_600_000; }`);
      await shows(tab, 'StaticText: They have expired.');
      // By the clock of the page alone.
      expect((await sandbox.transactions.find(id)).tokensExpireAt).toBeDefined();
    });

    it('move the clock by the lifetime of the tokens of the last exchange', async () => {
      const { id, refreshToken } = await sandbox.transactions.create();
      sandbox.clock.advance(1_800_000);
      await client.refresh(refreshToken);
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await shows(tab, 'button: Move clock to ¾ of their lifetime');
      const meter = `{ const { min, low, max, value } = document.querySelector('meter');
        [min, low / max, Math.round(max / 60_000), value > max / 2]; }`;
      expect(await tab.evaluate(meter)).toEqual([0, 0.25, 60, true]);
      const titles =
        "[...document.querySelectorAll('.lifetimes button')].map(({ title }) => title)";
      expect(await tab.evaluate(titles)).toContain('The sandbox deletes the transaction then');
      await tab.activate('Move clock to ¾ of their lifetime');
      await tab.until((outline) =>
        outline.some((line) => line.startsWith('StaticText: The clock shows')),
      );
      const { tokensExpireAt } = await sandbox.transactions.find(id);
      const shown = "document.querySelector('.notice p').firstChild.textContent";
      const time = await tab.evaluate(`Date.parse(/The clock shows (.*)\\./.exec(${shown})[1])`);
      expect(Math.abs(Number(time) - sandbox.clock.now())).toBeLessThan(300_000);
      const leftMs = Number(tokensExpireAt) - sandbox.clock.now();
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(900_000);
    });

    it('are shown as they are, even if an earlier answer arrives after a later one', async () => {
      const { id } = await sandbox.transactions.create({ customerUid: 'ada' });
      await tab.visit(sandbox.url);
      await shows(tab, 'StaticText: ada');
      await tab.evaluate(`{
        const { fetch } = window;
        window.fetch = async (address, options) => {
          const answer = await fetch(address, options);
          if (address.endsWith('transactions/${id}') && window.late === undefined) {
            await new Promise((resolve) => (window.late = resolve));
          }
          return answer;
        };
        location.hash = '#/transactions/${id}';
      }`);
      await until(async () => (await tab.evaluate('window.late !== undefined')) === true);
      await sandbox.transactions.complete(id);
      await shows(tab, 'heading: ada accept');
      await tab.evaluate('late(); new Promise((resolve) => setTimeout(resolve, 150))');
      expect(await tab.outline()).toContain('heading: ada accept');
    });

    it('hide the refresh token until it is asked for, and again after each rotation', async () => {
      const { id, refreshToken } = await sandbox.transactions.create();
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await shows(tab, 'button: Show the refresh token');
      expect(await tab.evaluate('document.body.innerText')).not.toContain(refreshToken);
      await tab.activate('Show the refresh token');
      await shows(tab, `StaticText: ${refreshToken}`);
      await tab.activate('Hide the refresh token');
      await tab.until((outline) => !outline.includes(`StaticText: ${refreshToken}`));
      expect(tab.requests.filter((url) => url.includes(refreshToken))).toEqual([]);

      await tab.activate('Show the refresh token');
      await shows(tab, `StaticText: ${refreshToken}`);
      for (let shown = refreshToken, count = 0; count < 2; count++) {
        const rotated = await sandbox.transactions.rotateRefreshToken(id);
        await shows(tab, 'button: Show the refresh token');
        await tab.activate('Show the refresh token');
        await shows(tab, `StaticText: ${rotated}`);
        expect(await tab.outline()).not.toContain(`StaticText: ${shown}`);
        shown = rotated;
      }
      const other = await sandbox.transactions.create({ customerUid: 'grace' });
      await tab.evaluate(`location.hash = '#/transactions/${other.id}'`);
      await shows(tab, 'heading: grace open');
      await shows(tab, 'button: Show the refresh token');
    });

    it('open their page where it cannot reach the console', async () => {
      const { id, pagePath } = await sandbox.transactions.create({ kind: 'hosted' });
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await tab.evaluate(
        '{ const { open } = window; window.open = (...all) => (window.page = open(...all)); }',
      );
      await tab.activate('Open as the customer');
      await until(async () => (await tab.evaluate('window.page?.location.pathname')) === pagePath);
      expect(await tab.evaluate('window.page.opener')).toBeNull();
    });

    it('disappear after a reset, and when the clock passes their purge', async () => {
      const none =
        'StaticText: There is no transaction yet. Create one above, or from your backend.';
      const isGone = (outline: string[]): boolean =>
        outline.includes(none) &&
        outline.some((line) => line.startsWith('StaticText: The sandbox has no transaction'));
      const go = [() => sandbox.clock.advance(31 * 86_400_000), () => sandbox.reset()];
      await tab.visit(sandbox.url);
      for (const away of go) {
        const { id } = await sandbox.transactions.create();
        await tab.evaluate(`location.hash = '#/transactions/${id}'`);
        await shows(tab, 'button: Expire tokens');
        await away();
        await tab.until(isGone);
        const alert = "document.querySelector('.panel [role=alert]')?.innerText";
        expect(await tab.evaluate(alert)).toMatch(/^The sandbox has no transaction/);
        expect(await tab.outline()).not.toContain('button: Expire tokens');
      }
    });

    it('stay in their order when an old one changes', async () => {
      const { id } = await sandbox.transactions.create({ customerUid: 'oldest' });
      sandbox.clock.advance(1_000);
      for (let count = 0; count < 100; count += 1) await sandbox.transactions.create();
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await shows(tab, 'button: Complete');
      // The list may come later.
      await shows(tab, 'button: Show more');
      await sandbox.transactions.complete(id);
      await shows(tab, 'StaticText: Completed');
      const listed = "document.querySelector('table.list').innerText.includes('oldest')";
      expect(await tab.evaluate(listed)).toBe(false);
      await tab.activate('Show more');
      await until(async () => (await tab.evaluate(listed)) === true);
      expect(await tab.outline()).not.toContain('button: Show more');
    });

    it('can have their refresh token rotated and revoked, and can be purged', async () => {
      await client.create();
      const [{ id = '', refreshToken } = {}] = await sandbox.transactions.list();
      await tab.visit(`${sandbox.url}#/transactions/${id}`);
      await tab.activate('Rotate refresh token');
      await shows(tab, 'StaticText: Its refresh token was rotated.');
      const replaced = await sandbox.transactions.find(id);
      expect(replaced.refreshToken).not.toBe(refreshToken);
      await tab.activate('Revoke refresh token');
      await tab.activate('Revoke it');
      await shows(tab, 'StaticText: Its refresh token was revoked.');
      expect((await client.refresh(replaced.refreshToken)).status).toBe(401);
      await tab.activate('Expire tokens');
      await shows(tab, 'StaticText: Its tokens have expired.');
      await shows(tab, 'StaticText: They have expired');
      await tab.activate('Purge');
      await tab.activate('Purge it');
      await shows(tab, 'StaticText: The transaction was purged.');
      await tab.until((outline) =>
        outline.some((line) => line.startsWith('StaticText: The sandbox has no transaction')),
      );
      expect(await sandbox.transactions.list()).toEqual([]);
    });

    it('show any customer uid as text, whole on demand, and within the page', async () => {
      await client.create({ customer_uid: ODD_UID });
      await tab.resize(360, 640);
      await tab.visit(sandbox.url);
      await shows(tab, `StaticText: ${ODD_UID}`);
      expect(await tab.evaluate("document.querySelector('table .uid').title")).toBe(ODD_UID);
      await expectAccessible(tab);
      await tab.activate(ODD_UID);
      await shows(tab, 'button: Complete');
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      expect(await tab.evaluate("document.querySelector('h3 bdi').textContent")).toBe(ODD_UID);
      await expectAccessible(tab);
      expectOnlyFrom(tab, sandbox.url);
    });

    it('are filtered by customer and state', async () => {
      for (const customer_uid of ['ada', 'grace', 'linus']) await client.create({ customer_uid });
      const [linus] = await sandbox.transactions.list();
      await sandbox.transactions.complete(linus?.id ?? '');
      await tab.visit(sandbox.url);
      await expectCustomers('linus', 'grace', 'ada');
      const badges =
        "[...document.querySelectorAll('tbody .badge')].map((it) => it.className).join()";
      expect(await tab.evaluate(badges)).toBe(
        'badge badge-good,badge badge-plain,badge badge-plain',
      );
      await tab.choose('State', 'Open');
      await expectCustomers('grace', 'ada');
      await client.create({ customer_uid: 'alan' });
      await expectCustomers('alan', 'grace', 'ada');
      await tab.type('Customer uid', 'ada');
      await expectCustomers('ada');
      // Neither somebody else's nor those that are gone.
      for (const customer_uid of ['zoe', 'adaline', 'ada']) await client.create({ customer_uid });
      await expectCustomers('ada', 'ada');
      const [latest] = await sandbox.transactions.list();
      await sandbox.transactions.purge(latest?.id ?? '');
      await expectCustomers('ada');
      await tab.choose('State', 'Any');
      await tab.type('Customer uid', 'nobody');
      await shows(tab, 'StaticText: No transaction has this customer uid and state.');
      expect(await tab.evaluate("document.querySelector('[name=state]').value")).toBe('');
      expect(await tab.outline()).not.toContain('heading: Connect your backend');
    });

    it('are those of the latest filter, even if an earlier answer comes later', async () => {
      await sandbox.transactions.create({ customerUid: 'ada' });
      const complete = async (customerUid: string): Promise<void> => {
        const { id } = await sandbox.transactions.create({ customerUid });
        await sandbox.transactions.complete(id);
      };
      await complete('grace');
      await tab.visit(sandbox.url);
      await expectCustomers('grace', 'ada');
      const { untilHeld, release } = await holdRequests(tab, 'state=open');
      await tab.choose('State', 'Open');
      await untilHeld();
      await tab.choose('State', 'Completed');
      await expectCustomers('grace');
      await release();
      // The page shows what happens when all lists have arrived.
      await complete('alan');
      await expectCustomers('alan', 'grace');
      expect(await tab.outline()).not.toContain('StaticText: ada');
    });
  });
});
