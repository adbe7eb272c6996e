import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Pauses } from '../../lib/concurrency/index.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** Milliseconds of the next pauses. */
async function lengthsOf(pauses: Pauses, count: number): Promise<number[]> {
  const lengths: number[] = [];
  for (let index = 0; index < count; index++) {
    const begunAt = Date.now();
    const pause = pauses.next();
    jest.runAllTimers();
    await pause;
    lengths.push(Date.now() - begunAt);
  }
  return lengths;
}

describe('pauses', () => {
  it('while another replica has the lease grow from 20 to 250 milliseconds', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const lengths = await lengthsOf(Pauses.whileLeased(), 9);
    expect(lengths).toEqual([20, 30, 45, 67, 101, 151, 227, 250, 250]);
  });

  it('are shortened by a random share of at most 30 percent', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(1);
    expect(await lengthsOf(new Pauses(100, 150), 3)).toEqual([70, 105, 105]);
  });

  it('are all the same length without a limit', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    expect(await lengthsOf(new Pauses(100), 3)).toEqual([100, 100, 100]);
  });
});
