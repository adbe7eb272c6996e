import { createServer, request as send } from 'node:http';
import { expect } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { Tab } from '../../../support/browser/tab.js';
import { built } from '../../../support/programs.js';
import { listening } from '../../../support/services.js';
import { until } from '../../../support/until.js';

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

/** Holds requests of the page to addresses with this in them, from now on until they are released. */
export async function holdRequests(
  tab: Tab,
  part: string,
): Promise<{ untilHeld: () => Promise<void>; release: () => Promise<unknown> }> {
  await tab.evaluate(`{
    const { fetch } = window;
    const released = new Promise((resolve) => (window.release = resolve));
    window.fetch = async (address, options) => {
      if (address.includes('${part}')) {
        window.isHeld = true;
        await released;
      }
      return fetch(address, options);
    };
  }`);
  return {
    untilHeld: () => until(async () => (await tab.evaluate('window.isHeld')) === true),
    release: () => tab.evaluate('release()'),
  };
}

/** The console at an address where no list is answered until all are released. */
export async function holdLists(
  sandbox: BerbixSandbox,
): Promise<{ url: string; release: () => void }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const proxy = createServer(async ({ url = '', method, headers }, answer) => {
    if (/transactions|requests|deliveries|faults/.test(url)) await released;
    const forward = send(sandbox.url + url, { method, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 0, from.headers);
      from.pipe(answer);
    });
    // The sandbox may have closed meanwhile.
    forward.on('error', () => answer.destroy()).end();
    answer.once('close', () => forward.destroy());
  });
  return { url: await listening(proxy), release };
}
