import { setImmediate } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { LinkedList, SharedRuns } from '../../lib/concurrency/index.js';
import type { ListEntry } from '../../lib/concurrency/linked-list.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;

const ROUNDS = 200;
const CONCURRENT = 32;

/** Large enough that keeping a third of them shows, and keeping a few does not. */
const valueOf = (number: number): number[] => Array.from({ length: 1_000 }, (_, i) => i + number);
const ALL_BYTES = ROUNDS * CONCURRENT * 8_000;

/** Bytes that survive minor collections, and so stay until the next major one. */
async function promotedBy(round: (number: number) => Promise<void>): Promise<number> {
  const used = (): number =>
    getHeapSpaceStatistics()
      .filter(({ space_name }) => space_name === 'old_space')
      .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
  collect();
  const before = used();
  for (let number = 0; number < ROUNDS; number++) {
    await round(number);
    collect({ type: 'minor' });
  }
  return used() - before;
}

describe('values are not kept in memory', () => {
  it('by shared runs that have ended', async () => {
    const runs = new SharedRuns(async (seed: number) => {
      await setImmediate();
      return valueOf(seed);
    });
    const promoted = await promotedBy(async (number) => {
      const keys = Array.from({ length: CONCURRENT }, (_, i) => `${number * CONCURRENT + i}`);
      await Promise.all(keys.map(async (key) => void (await runs.join(key, Number(key)))));
    });
    expect(promoted).toBeLessThan(ALL_BYTES / 10);
  });

  it('by calls that have ended', async () => {
    const append = jest.spyOn(LinkedList.prototype, 'append');
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { http: { connections: 1 } });
    const { tokens } = services;
    const { refreshToken } = await createTransaction(sandbox, services);
    const calls = [1, 2, 3].map((call) => errorOf(tokens.refresh(`rt_${call}`)));
    await Promise.all([...calls, firstValueFrom(tokens.fresh(refreshToken))]);
    const lists = new Set(append.mock.contexts as LinkedList<unknown>[]);
    append.mockRestore();
    // Of the account, of the queue, and of the waits for tokens.
    expect(lists.size).toBeGreaterThanOrEqual(3);
    expect([...lists].filter(({ size }) => size > 0)).toEqual([]);
  });

  it('by a list that they were removed from', async () => {
    const list = new LinkedList<number[]>();
    // It is in the old space when it leaves: whatever it still refers to would be kept too.
    const first = list.append([]);
    let earlier: ListEntry<number[]>[] = [];
    const promoted = await promotedBy(async (number) => {
      const later = Array.from({ length: CONCURRENT }, () => list.append(valueOf(number)));
      for (const entry of earlier) list.remove(entry);
      earlier = later;
      if (number === 4) list.remove(first);
    });
    expect(promoted).toBeLessThan(ALL_BYTES / 10);
  });
});
