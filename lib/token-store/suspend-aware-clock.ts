/** Smaller steps of the host's clock are ordinary corrections, in milliseconds. */
const STEP_MS = 1_000;

/**
 * Milliseconds since 1970, by whichever clock of this process says that more time has passed: the
 * monotonic one (`performance.now()`) stands still while the machine is suspended, and `Date.now()` can
 * be set back. If that is set forward, time seems to have passed.
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

/** Between the two clocks; it grows by as long as the machine was suspended. */
function difference(): number {
  return Date.now() - performance.now();
}
