import { expect, jest } from '@jest/globals';
import { closeAfterFile, closeAfterTest } from '../closing.js';
import { findOnPath } from '../programs.js';
import { describeWith } from '../requirements.js';
import { Browser, type TabOptions } from './browser.js';
import type { Tab } from './tab.js';

type OpenTab = (options?: TabOptions) => Promise<Tab>;

/**
 * `describe` for tests in Chromium; they are skipped if it is not installed.
 *
 * @param tests get a function that opens a tab, in a profile of its own for each test
 */
export function describeInBrowser(name: string, tests: (openTab: OpenTab) => void): void {
  const path =
    process.env.CHROMIUM_PATH ?? findOnPath('chromium', 'chromium-browser', 'google-chrome');
  describeWith('Chromium', path !== undefined)(`${name} in Chromium`, () => {
    // A browser hangs or crashes now and then, which says nothing about the page.
    jest.retryTimes(1, { logErrorsBeforeRetry: true });
    let browser: Browser | undefined;
    let profile: string | undefined;
    let latest: string | undefined;
    closeAfterFile(closeBrowser);

    tests(async (options) => {
      if (profile === undefined) {
        const test = expect.getState().currentTestName;
        if (test === latest) await closeBrowser();
        latest = test;
        browser ??= await Browser.start(path ?? '');
        profile = await browser.createProfile();
        closeAfterTest(removeProfile);
      }
      return (browser as Browser).open(profile, options);
    });

    async function removeProfile(): Promise<void> {
      const removed = profile as string;
      profile = undefined;
      await browser?.removeProfile(removed).catch(closeBrowser);
    }

    async function closeBrowser(): Promise<void> {
      const closed = browser;
      browser = undefined;
      await closed?.close();
    }
  });
}
