import { describe, expect, it } from '@jest/globals';
import { Caller, SharedRuns } from '../../lib/concurrency/index.js';

/** Runs that end when the test says so; the value of a run is its number. */
function heldRuns() {
  const ends: (() => void)[] = [];
  const aborted: number[] = [];
  const runs = new SharedRuns<undefined, number>(
    (_, caller) =>
      new Promise((resolve) => {
        const number = ends.push(() => resolve(number));
        caller.onLeave = () => void aborted.push(number);
      }),
  );
  const join = (key: string, caller?: Caller) => runs.join(key, undefined, caller);
  return { join, aborted, end: (number: number) => ends[number - 1]?.() };
}

describe('shared runs', () => {
  it('are for all callers of one key at the same time, and for no other', async () => {
    const { join, end } = heldRuns();
    const joined = [join('a'), join('a'), join('b')];
    for (const number of [1, 2]) end(number);
    expect(await Promise.all(joined)).toEqual([1, 1, 2]);
    const next = join('a');
    end(3);
    expect(await next).toBe(3);
  });

  it('are aborted by the last caller who leaves', () => {
    const { join, aborted } = heldRuns();
    const [one, other] = [new Caller(), new Caller()];
    for (const caller of [one, other]) void join('a', caller);
    one.leave();
    expect(aborted).toEqual([]);
    other.leave();
    expect(aborted).toEqual([1]);
  });

  it('do not end a newer run of their key if they end late', async () => {
    const { join, end } = heldRuns();
    const caller = new Caller();
    const abandoned = join('a', caller);
    caller.leave();
    const second = join('a');
    end(1);
    await abandoned;
    const third = join('a');
    end(2);
    expect(await Promise.all([second, third])).toEqual([2, 2]);
  });
});
