/** Steps of the host's clock up to this many milliseconds are ordinary corrections. */
const STEP_MS = 1_000;

/**
 * Milliseconds since 1970, by the clock that says that more time has passed: the monotonic clock
 * (`performance.now()`) stands still while the machine is suspended, and `Date.now()` can be set
 * back. Setting `Date.now()` forward looks like time that has passed.
 */
export class SuspendAwareClock {
  #aheadMs = 0;
  #differenceMs = difference();

  now(): number {
    const differenceMs = difference();
    const stepMs = differenceMs - this.#differenceMs;
    if (stepMs > STEP_MS) this.#aheadMs += stepMs;
    this.#differenceMs = differenceMs;
    return performance.timeOrigin + performance.now() + this.#aheadMs;
  }
}

/**
 * The difference between the two clocks; it grows by the time for which the machine is suspended.
 */
function difference(): number {
  return Date.now() - performance.now();
}
