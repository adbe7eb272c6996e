/** Milliseconds that a shutdown waits for work in flight. */
const DRAIN_MS = 5_000;

/**
 * Settles as the function does, unless that takes too long. The function is not stopped; a failure
 * that comes after the limit is ignored.
 *
 * @param work starts at once; if it throws, the result rejects
 * @param timeoutError makes the error of the rejection if the time is over
 * @param options.unref the timer does not keep the process alive: for work that callers with timers
 * of their own wait for
 */
export function withTimeout<T>(
  work: () => Promise<T> | T,
  timeoutMs: number,
  timeoutError: () => Error,
  options: { unref?: boolean } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(timeoutError()), timeoutMs);
    if (options.unref) timer.unref();
    const run = async (): Promise<void> => {
      try {
        resolve(await work());
      } catch (error) {
        reject(error);
      } finally {
        clearTimeout(timer);
      }
    };
    void run();
  });
}

/** Resolves when the promise has settled, or after five seconds. */
export async function drained(inFlight: Promise<unknown>): Promise<void> {
  await withTimeout(
    () => inFlight,
    DRAIN_MS,
    () => new Error('timeout'),
  ).catch(() => {});
}

/** Counts work in flight. A list of its promises would keep what they resolve to in memory. */
export class InFlight {
  #count = 0;
  #none: (() => void) | undefined;

  /** Counts a promise until it settles, and returns it. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#count++;
    const end = (): void => {
      if (--this.#count === 0) this.#none?.();
    };
    work.then(end, end);
    return work;
  }

  /** Resolves when nothing is in flight. */
  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#none = resolve));
  }
}
