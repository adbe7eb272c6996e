/** A step of the host's clock by less is how clocks are kept right, in milliseconds. */
const STEP_MS = 1_000;

/**
 * Milliseconds since 1970, by whichever clock of this process says that more time has passed: the
 * even one (`performance.now()`) stands still while the machine is suspended, and the other one can
 * be set back. Where that one is set forward, time seems to have passed.
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
