import { afterEach, describe, jest } from '@jest/globals';
import { Browser } from './browser.js';
import { findChromium } from './chromium.js';
import type { Tab } from './tab.js';

type OpenTab = (options?: Parameters<Browser['open']>[0]) => Promise<Tab>;

/**
 * Describes what is tried in Chromium. Where there is none, it is skipped and said so; with `CI=true`
 * that is an error.
 *
 * @param tests given what opens a tab, in a browser for the test alone
 */
export function describeInBrowser(name: string, tests: (openTab: OpenTab) => void): void {
  const path = findChromium();
  if (path === undefined) {
    const sentence = `No Chromium on the PATH nor in CHROMIUM_PATH, to try in it: ${name}`;
    if (process.env.CI === 'true') throw new Error(`${sentence}; CI must have one.`);
    process.stderr.write(`${sentence}\n`);
  }
  (path === undefined ? describe.skip : describe)(`${name} in Chromium`, () => {
    // A browser hangs or crashes now and then, and that says nothing about what it shows.
    jest.retryTimes(1, { logErrorsBeforeRetry: true });
    let browser: Browser | undefined;
    afterEach(async () => {
      await browser?.close();
      browser = undefined;
    });
    tests(async (options) => {
      browser ??= await Browser.start(path ?? '');
      return browser.open(options);
    });
  });
}
