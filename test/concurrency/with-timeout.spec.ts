import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { withTimeout } from '../../lib/concurrency/index.js';

const timeoutError = (): Error => new Error('too late');
const hang = (): Promise<never> => new Promise(() => {});

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('a time limit', () => {
  it('passes on what the function resolves to, or what it throws', async () => {
    const failure = new Error('no such thing');
    await expect(withTimeout(async () => 1, 100, timeoutError)).resolves.toBe(1);
    await expect(withTimeout(() => 2, 100, timeoutError)).resolves.toBe(2);
    await expect(withTimeout(() => Promise.reject(failure), 100, timeoutError)).rejects.toBe(
      failure,
    );
    const throwing = (): never => {
      throw failure;
    };
    await expect(withTimeout(throwing, 100, timeoutError)).rejects.toBe(failure);
  });

  it('rejects as soon as the time is over, and not before', async () => {
    let error: unknown;
    withTimeout(hang, 100, timeoutError).catch((thrown: unknown) => (error = thrown));
    await jest.advanceTimersByTimeAsync(99);
    expect(error).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(error).toEqual(timeoutError());
  });

  it.each<[string, () => Promise<unknown>]>([
    ['resolves', async () => 1],
    ['rejects', () => Promise.reject(new Error('no such thing'))],
  ])('leaves no timer behind if the function %s', async (_how, work) => {
    await withTimeout(work, 100, timeoutError).catch(() => {});
    await setImmediate();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([true, false])('keeps the process alive unless unref is set: %s', async (unref) => {
    jest.useRealTimers();
    const set = jest.spyOn(globalThis, 'setTimeout');
    const limited = withTimeout(hang, 20, timeoutError, { unref });
    const timer = set.mock.results[0]?.value as NodeJS.Timeout;
    set.mockRestore();
    expect(timer.hasRef()).toBe(!unref);
    // The test itself waits for the timer.
    timer.ref();
    await expect(limited).rejects.toEqual(timeoutError());
  });

  it('ignores a failure that comes after the limit', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      let fail: (error: Error) => void = () => {};
      const work = (): Promise<never> => new Promise((_resolve, reject) => (fail = reject));
      let error: unknown;
      withTimeout(work, 100, timeoutError).catch((thrown: unknown) => (error = thrown));
      await jest.advanceTimersByTimeAsync(100);
      expect(error).toEqual(timeoutError());
      fail(new Error('late'));
      await setImmediate();
      await setImmediate();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });
});
