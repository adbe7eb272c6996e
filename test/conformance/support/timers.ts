import { jest } from '@jest/globals';
import { closeAfterTest } from '../../support/closing.js';

/** Watches the timers that are set in a test. */
export function watchTimers(): {
  /** Milliseconds of the timers that were set. */
  set(): number[];
  /** Milliseconds of the timers that were set and not cleared. */
  left(): number[];
} {
  const set = jest.spyOn(globalThis, 'setTimeout');
  const cleared = jest.spyOn(globalThis, 'clearTimeout');
  closeAfterTest(async () => {
    set.mockRestore();
    cleared.mockRestore();
  });
  const durations = (timers: (index: number) => boolean): number[] =>
    set.mock.calls.filter((_call, index) => timers(index)).map(([, ms]) => ms as number);
  return {
    set: () => durations(() => true),
    left: () => {
      const gone = new Set<unknown>(cleared.mock.calls.map(([timer]) => timer));
      return durations((index) => !gone.has(set.mock.results[index]?.value));
    },
  };
}
