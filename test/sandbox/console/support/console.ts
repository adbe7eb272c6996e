import { expect } from '@jest/globals';
import type { Tab } from '../../../support/browser/tab.js';
import { built } from '../../../support/programs.js';

// Without its script, the page would never show what a test waits for.
built('dist/console/console.js');

/** Waits until a screen reader finds this on the page, as `role: name`. */
export function shows(tab: Tab, line: string): Promise<void> {
  return tab.shows(line);
}

/** The browser's back button skips pages that were opened by a script, as these tests do. */
const isOfScript = /NavigationEntryMarkedSkippable/;

/** Nothing in the browser's console, nothing stopped, and nothing asked of anybody else. */
export function expectOnlyFrom({ complaints, requests }: Tab, url: string): void {
  expect(complaints.filter((complaint) => !isOfScript.test(complaint))).toEqual([]);
  const sent = requests.filter((request) => !request.startsWith('data:'));
  expect(new Set(sent.map((request) => new URL(request).origin))).toEqual(
    new Set([new URL(url).origin]),
  );
}
