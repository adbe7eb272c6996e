import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { shows } from './support/console.js';

const UID = 'Customer uid Your own name for the customer; empty for a random one.';
const FLAGS = 'Flags Several with spaces between them; empty for those of the result.';

describeInBrowser('the dialogs and notices of the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let tab: Tab;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      tab = await openTab();
      await tab.resize(1280, 800);
      await tab.visit(sandbox.url);
      await shows(tab, 'StaticText: Connected');
    });

    const has = async (selector: string): Promise<boolean> =>
      (await tab.evaluate(`document.querySelector('${selector}') !== null`)) === true;
    const factsOf = (): Promise<unknown> =>
      tab.evaluate("document.querySelector('dl.facts').innerText.replace(/\\s+/g, ' ')");
    const noticed = (): Promise<unknown> =>
      tab.evaluate("document.querySelector('.notice p')?.firstChild.textContent");
    async function openDetails(id: string): Promise<void> {
      await tab.evaluate(`location.hash = '#/transactions/${id}'`);
      await shows(tab, 'button: Expire tokens');
    }

    it('create a transaction of each kind, whose page opens if it has one', async () => {
      for (const [option, kind] of [
        ['On a hosted page', 'hosted'],
        ['By the API only', 'apiOnly'],
      ] as const) {
        await tab.activate('Create transaction');
        await until(() => has('dialog:modal'));
        await tab.type(UID, kind);
        await tab.choose('Kind', option);
        await tab.activate('Create');
        await shows(tab, `heading: ${kind} open`);
        expect(await has('dialog')).toBe(false);
        expect((await sandbox.transactions.list())[0]).toMatchObject({ customerUid: kind, kind });
        const outline = await tab.outline();
        expect(outline.includes('button: Open as the customer')).toBe(kind === 'hosted');
        const marked = "document.querySelector('table.list [aria-current=true]')?.innerText";
        await until(async () => (await tab.evaluate(marked)) === kind, 20);
      }
      await tab.activate('Create transaction');
      await until(() => has('dialog:modal'));
      await tab.activate('Create');
      await until(async () => (await sandbox.transactions.list()).length === 3);
      const [latest] = await sandbox.transactions.list();
      expect(latest).toMatchObject({
        kind: 'sdk',
        customerUid: expect.stringMatching(/^customer-/),
      });
    });

    it('are about a transaction whose mode and template the page tells', async () => {
      const { id } = await sandbox.transactions.create({ mode: 'live', kind: 'hosted' });
      await openDetails(id);
      expect(await factsOf()).toContain(
        `${id} Copy, in live mode Template ${sandbox.templateKeys.hosted} Created `,
      );
    });

    it('complete a transaction with a document, and let its flags decide', async () => {
      const { id } = await sandbox.transactions.create();
      await openDetails(id);
      expect(await factsOf()).toContain(`${id} Copy, in test mode`);
      sandbox.clock.advance(7_200_000);
      await tab.activate('Complete');
      const results =
        "[...document.querySelector('[name=result]').options].map(({ text, value }) => text + ': ' + value)";
      expect(await tab.evaluate(results)).toEqual([
        'Accept: accept',
        'Reject: reject',
        'Review: review',
        'What the flags lead to: ',
      ]);
      await tab.choose('Result', 'What the flags lead to');
      await tab.type(FLAGS, 'id_under_18,id_expired');
      const values = {
        given_name: 'GRACE',
        family_name: 'HOPPER',
        date_of_birth: '1990-12-09',
        id_expiry_date: '2031-02-03',
      };
      await tab.evaluate(
        `for (const [name, value] of Object.entries(${JSON.stringify(values)})) document.querySelector(\`dialog [name=\${name}]\`).value = value`,
      );
      await tab.activate('Complete');
      await shows(tab, 'StaticText: The transaction is complete.');
      expect(await has('.notice[role=status] p')).toBe(true);
      expect(await has('dialog')).toBe(false);
      const { action, flags, fields } = await sandbox.transactions.find(id);
      expect([action, flags]).toEqual(['reject', ['id_under_18', 'id_expired']]);
      expect(fields).toMatchObject(values);
      await shows(tab, 'StaticText: id_under_18, id_expired');
      const details = "document.querySelector('.facts details').innerText";
      expect(await tab.evaluate(details)).toBe(`${Object.keys(fields ?? {}).length} fields`);
      await tab.evaluate("document.querySelector('.facts details').open = true");
      expect(await tab.evaluate(details)).toMatch(/\ngiven_name\s+GRACE\n/);
      expect(await factsOf()).toMatch(/ Created 2 h ago Completed \d+ s ago /);
      expect(await has('.panel .button-primary')).toBe(false);
      expect(await tab.evaluate("document.querySelector('.panel h3 .badge').className")).toBe(
        'badge badge-bad',
      );
    });

    it('leave the details below them open when Escape closes them', async () => {
      const { id } = await sandbox.transactions.create();
      await openDetails(id);
      await tab.activate('Purge');
      await shows(tab, 'button: Purge it');
      await tab.pressKey('Escape');
      expect(await tab.evaluate('location.hash')).toBe(`#/transactions/${id}`);
      expect((await sandbox.transactions.find(id)).id).toBe(id);
    });

    it('stay open when they fail, with a notice that stays until it is dismissed', async () => {
      const { id } = await sandbox.transactions.create();
      await openDetails(id);
      // Notices that go by themselves go at once.
      await tab.evaluate(`{
        const { setTimeout } = window;
        window.setTimeout = (work, ms, ...rest) => setTimeout(work, ms >= 6_000 ? 0 : ms, ...rest);
      }`);
      await tab.activate('Complete');
      await tab.type(FLAGS, 'No/Flag');
      await tab.activate('Complete');
      await until(() => has('.notice[role=alert] .notice-failed'));
      expect(await noticed()).toContain('flags');
      expect(await has('dialog[open]')).toBe(true);
      // Within the dialog: the rest of the page cannot be reached.
      await shows(tab, 'alert: ');
      expect((await sandbox.transactions.find(id)).state).toBe('open');
      // What nobody has asked for in the meantime does not take it away.
      await tab.evaluate('new Promise((resolve) => setTimeout(resolve, 6_000))');
      expect(await has('.notice-failed')).toBe(true);
      await tab.activate('Dismiss');
      await until(async () => !(await has('.notice p')));
      await tab.activate('Complete');
      await shows(tab, 'alert: ');
      await tab.activate('Close');
      await shows(tab, 'alert: ');
      await tab.activate('Complete');
      await until(async () => !(await has('.notice p')));
      await tab.type(FLAGS, 'id_expired');
      await tab.activate('Complete');
      await until(async () => !(await has('dialog')));
      await until(async () => !(await has('.notice p')));

      await tab.activate('Create transaction');
      await tab.evaluate("window.fetch = async () => new Response('<p>', { status: 502 })");
      await tab.activate('Create');
      await until(async () => (await noticed()) === 'The sandbox answered 502.');
      expect(await has('dialog[open]')).toBe(true);
      await tab.evaluate('window.fetch = () => Promise.reject(new TypeError())');
      await tab.activate('Create');
      await until(
        async () => (await noticed()) === 'The sandbox does not answer. Is it still running?',
      );
      await tab.activate('Close');
      await until(async () => !(await has('dialog')));
      await tab.activate('Dismiss');
      await until(async () => !(await has('.notice p')));
    });

    it('stay as long as they should when they follow another notice', async () => {
      const { id } = await sandbox.transactions.create();
      await openDetails(id);
      // The time of a notice passes when the test says so.
      await tab.evaluate(`{
        const { setTimeout, clearTimeout } = window;
        window.times = [];
        window.setTimeout = (work, ms, ...rest) =>
          ms >= 6_000 ? -window.times.push(work) : setTimeout(work, ms, ...rest);
        window.clearTimeout = (id) => (id < 0 ? delete window.times[-id - 1] : clearTimeout(id));
      }`);
      await tab.activate('Expire tokens');
      await shows(tab, 'StaticText: Its tokens have expired.');
      await tab.activate('Rotate refresh token');
      await shows(tab, 'StaticText: Its refresh token was rotated.');
      await until(async () => (await tab.evaluate('window.times.length')) === 2);
      // The time of the first one does not end the second one.
      expect(await tab.evaluate('0 in window.times')).toBe(false);
      await tab.evaluate('window.times[1]()');
      await until(async () => (await noticed()) === undefined);
    });

    it('open no page that cannot be found', async () => {
      const { id } = await sandbox.transactions.create();
      await openDetails(id);
      await tab.evaluate(`
        window.page = { close: () => { window.isClosed = true; } };
        window.open = () => window.page;
        window.fetch = async () => new Response('{"message":"It is gone."}', { status: 410 });`);
      await tab.activate('Open as the customer');
      await shows(tab, 'StaticText: It is gone.');
      expect(await tab.evaluate('window.isClosed')).toBe(true);
    });

    it('copy what is asked for, and say where a browser copies nothing', async () => {
      await shows(tab, `StaticText: BERBIX_API_HOST=${sandbox.url}`);
      const stub = (content: string): Promise<unknown> =>
        tab.evaluate(
          `Object.defineProperty(navigator, 'clipboard', { value: ${content}, configurable: true })`,
        );
      await stub('{ writeText: async (text) => { window.copied = text; } }');
      await tab.activate('Copy the line for .env');
      await shows(tab, 'StaticText: Copied.');
      expect(await tab.evaluate('window.copied')).toBe(`BERBIX_API_HOST=${sandbox.url}`);
      const { id, refreshToken } = await sandbox.transactions.create();
      await openDetails(id);
      await tab.activate('Copy the id of the transaction');
      await until(async () => (await tab.evaluate('window.copied')) === id);
      await tab.activate('Show the refresh token');
      await tab.activate('Copy the refresh token');
      await until(async () => (await tab.evaluate('window.copied')) === refreshToken);
      await stub('undefined');
      await tab.activate('Copy the id of the transaction');
      await shows(
        tab,
        'StaticText: Browsers copy only over https, and on this machine. Select the text, and copy it by hand.',
      );
    });
  });
});
