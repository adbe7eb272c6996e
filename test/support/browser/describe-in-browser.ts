import { afterEach, jest } from '@jest/globals';
import { findOnPath } from '../find-on-path.js';
import { describeWith } from '../requirements.js';
import { Browser } from './browser.js';
import type { Tab } from './tab.js';

type OpenTab = (options?: Parameters<Browser['open']>[0]) => Promise<Tab>;

/**
 * Describes what is tried in Chromium; skipped where there is none.
 *
 * @param tests given what opens a tab, in a browser for the test alone
 */
export function describeInBrowser(name: string, tests: (openTab: OpenTab) => void): void {
  const path =
    process.env.CHROMIUM_PATH ?? findOnPath('chromium', 'chromium-browser', 'google-chrome');
  describeWith('Chromium', path !== undefined)(`${name} in Chromium`, () => {
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
