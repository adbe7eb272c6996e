import { expect, jest } from '@jest/globals';
import { closeAfterTest } from '../closing.js';
import { usualOrLong } from '../long.js';
import { type Platform, PLATFORMS } from '../platforms.js';
import { findOnPath } from '../programs.js';
import { describeWith } from '../requirements.js';
import { Browser, type TabOptions } from './browser.js';
import type { Tab } from './tab.js';

type OpenTab = (options?: TabOptions) => Promise<Tab>;

/**
 * A page is the same on both platforms, and the requests that it makes have tests of their own on
 * both: in a normal run, one of them is enough.
 */
export const PAGE_PLATFORMS = usualOrLong<readonly Platform[]>(['express'], PLATFORMS);

/** The first that is installed: without the parts for a window, it takes half the time. */
const PROGRAMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

/** The files that one process runs share a browser, which takes longer to start than most tests. */
const shared = globalThis as { [SHARED]?: Browser };
const SHARED = Symbol.for('nestjs-berbix.test.browser');

/**
 * `describe` for tests in Chromium; they are skipped if it is not installed.
 *
 * @param tests get a function that opens a tab, in a profile of its own for each test
 */
export function describeInBrowser(name: string, tests: (openTab: OpenTab) => void): void {
  const path = process.env.CHROMIUM_PATH ?? findOnPath(...PROGRAMS);
  describeWith('Chromium', path !== undefined)(`${name} in Chromium`, () => {
    // A browser hangs or crashes now and then, which says nothing about the page.
    jest.retryTimes(1, { logErrorsBeforeRetry: true });
    let profile: string | undefined;
    let latest: string | undefined;

    tests(async (options) => {
      const test = expect.getState().currentTestName;
      if (profile === undefined) {
        const isRepeated = test === latest;
        latest = test;
        const browser = await openBrowser(path ?? '', isRepeated);
        profile = await browser.createProfile();
        closeAfterTest(removeProfile);
      }
      return (shared[SHARED] as Browser).open(profile, options);
    });

    async function removeProfile(): Promise<void> {
      const removed = profile as string;
      profile = undefined;
      await shared[SHARED]?.removeProfile(removed).catch(closeBrowser);
    }
  });
}

async function openBrowser(path: string, isNew: boolean): Promise<Browser> {
  if (isNew || shared[SHARED]?.isOpen === false) closeBrowser();
  shared[SHARED] ??= await Browser.start(path);
  return shared[SHARED];
}

function closeBrowser(): void {
  shared[SHARED]?.close();
  delete shared[SHARED];
}
