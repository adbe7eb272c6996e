import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { temporaryDirectory } from '../../support/directories.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, shows } from './support/console.js';

const HOUR_MS = 3_600_000;
/** How long a transaction is kept by default. */
const RETENTION_MS = 30 * 24 * HOUR_MS;

describeInBrowser('the clock and the state in the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let tab: Tab;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      tab = await openTab();
      await tab.resize(1280, 800);
      await tab.visit(`${sandbox.url}#/clock`);
      await shows(tab, 'heading: Clock');
    });

    it('move ahead, to a date, and back to the real time', async () => {
      const before = Date.now();
      await tab.activate('1 hour ahead');
      await until(() => sandbox.clock.now() >= before + HOUR_MS);
      const ahead = /^StaticText: (1 h|59 min 59 s) ahead$/;
      await tab.until((outline) => outline.some((line) => ahead.test(line)));
      await expectAccessible(tab);
      await tab.activate('Back to the real time');
      await shows(tab, 'StaticText: The clock shows the real time.');
      expect(sandbox.clock.now()).toBeLessThan(before + HOUR_MS);
      expectOnlyFrom(tab, sandbox.url);
    });

    it('leave no transaction in the list that is gone by then', async () => {
      const { id } = await sandbox.transactions.create({ customerUid: 'ada' });
      await sandbox.transactions.complete(id);
      await tab.evaluate("location.hash = '#/transactions'");
      await shows(tab, 'StaticText: ada');
      // The list is loaded with the page, and once more when it opens.
      const loaded = "performance.getEntriesByType('resource').map(({ name }) => name).join(' ')";
      await until(
        async () => String(await tab.evaluate(loaded)).match(/transactions\?/g)?.length === 2,
      );
      sandbox.clock.advance(RETENTION_MS);
      await tab.until((outline) => !outline.includes('StaticText: ada'));
      expect(await sandbox.transactions.list()).toEqual([]);
    });

    it('are as new after a reset', async () => {
      await new RawClient(sandbox).create();
      await tab.activate('Reset');
      await expectAccessible(tab);
      await tab.activate('Reset it');
      await shows(tab, 'StaticText: The sandbox was reset.');
      expect(await tab.evaluate("document.querySelector('dialog')")).toBeNull();
      expect(await sandbox.transactions.list()).toEqual([]);
    });

    it('are exported to a file, and come back from it, unless it is of another version', async () => {
      await new RawClient(sandbox).create({ customer_uid: 'ada' });
      const link = "document.querySelector('a[download]')";
      expect(await tab.evaluate(`[${link}.textContent, ${link}.download]`)).toEqual([
        'Export',
        'berbix-sandbox.json',
      ]);
      const text = String(await tab.evaluate(`fetch(${link}.href).then((file) => file.text())`));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(await sandbox.exportState())));
      await sandbox.reset();
      const [other, file] = ['other.json', 'state.json'].map((name) =>
        join(temporaryDirectory(), name),
      ) as [string, string];
      writeFileSync(other, text.replace(/"version":\s*1/, '"version":2'));
      await tab.upload('File to import', other);
      await tab.activate('Import');
      await tab.until((outline) => outline.some((line) => /^StaticText: .*version/.test(line)));
      expect(await sandbox.transactions.list()).toEqual([]);
      writeFileSync(file, text);
      await tab.upload('File to import', file);
      await tab.activate('Import');
      await shows(tab, 'StaticText: The state was imported.');
      expect(await sandbox.transactions.list()).toEqual([
        expect.objectContaining({ customerUid: 'ada' }),
      ]);
    });

    it('move ahead by what each button says', async () => {
      for (const [label, ms] of [
        ['1 minute', 60_000],
        ['15 minutes', HOUR_MS / 4],
        ['1 hour', HOUR_MS],
        ['1 day', 24 * HOUR_MS],
        ['30 days', RETENTION_MS],
      ] as const) {
        const before = sandbox.clock.now();
        await tab.activate(`${label} ahead`);
        await until(() => sandbox.clock.now() >= before + ms);
        expect(sandbox.clock.now()).toBeLessThan(before + ms + 60_000);
      }
      await tab.until((outline) => outline.some((line) => /: 31 d( \d+ h)? ahead$/.test(line)));
      // The time goes on from there.
      const shown = "Date.parse(document.querySelector('.clock a').textContent)";
      const first = Number(await tab.evaluate(shown));
      let later = first;
      await until(async () => (later = Number(await tab.evaluate(shown))) !== first);
      expect(later - first).toBeGreaterThan(0);
      expect(later - first).toBeLessThan(60_000);
    });

    it('take a date and time, and say how far behind it is', async () => {
      await sandbox.transactions.create();
      const [past, local] = ['2020-02-03T04:05:06', "document.querySelector('[name=now]').value"];
      await tab.evaluate(`${local} = '${past}'`);
      await tab.activate('Set');
      await shows(tab, 'StaticText: The clock is set.');
      const set = Number(await tab.evaluate(`Date.parse('${past}')`));
      expect(sandbox.clock.now()).toBeGreaterThanOrEqual(set);
      expect(sandbox.clock.now()).toBeLessThan(set + 60_000);
      const behind = (outline: string[]): boolean =>
        outline.some((line) => / d (\d+ h )?behind$/.test(line));
      await tab.until(behind);
      // A page that opens later knows it too.
      await tab.visit('about:blank');
      await tab.visit(sandbox.url);
      await tab.until(behind);
      // What is from the real time is yet to come.
      const ahead = (outline: string[]): boolean =>
        outline.some((line) => /^StaticText: in \d+ d( \d+ h)?$/.test(line));
      await tab.until(ahead);
    });

    it('import only a file that was chosen, and is still the same', async () => {
      const disabled =
        "[...document.querySelectorAll('button:disabled')].map((it) => it.innerText)";
      expect(await tab.evaluate(disabled)).toEqual(['Import']);
      const file = join(temporaryDirectory(), 'state.json');
      writeFileSync(file, '{}');
      await tab.upload('File to import', file);
      await until(async () => JSON.stringify(await tab.evaluate(disabled)) === '[]');
      rmSync(file);
      await tab.activate('Import');
      await shows(tab, 'StaticText: state.json has changed, or is gone. Choose it again.');
    });
  });
});
