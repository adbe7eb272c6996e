import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** The paths of the specs that take longest; most of the time, they wait for clocks and processes. */
const LONGEST = new Set(
  [
    'fleet/fleet',
    'fleet/store-outage',
    'fleet/killed-holder',
    'examples/start',
    'token-store/postgres-clients',
    'sandbox/cli',
    'sandbox/reference-page',
  ].map((name) => realpathSync(resolve(import.meta.dirname, `../../${name}.spec.ts`))),
);

/**
 * The longest specs first, so that none of them is the last to end. Jest does that by itself if it
 * remembers an earlier run. In a fresh clone, it would start with the largest files.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    // Not a method of arrays: it returns a new list.
    // oxlint-disable-next-line unicorn/no-array-sort
    const sorted = super.sort(tests);
    const isFirst = ({ path, duration }) => duration === undefined && LONGEST.has(path);
    return [...sorted.filter(isFirst), ...sorted.filter((test) => !isFirst(test))];
  }
}
