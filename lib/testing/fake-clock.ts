let installed: FakeClock | undefined;

/**
 * A clock that a test sets forward, in any test runner: `Date` and `performance.now()` of this process
 * are ahead of the real ones from then on. A sandbox and an in-memory store in this process go with
 * it; a sandbox of another process, PostgreSQL and Redis have clocks of their own. Timers run as ever,
 * so that connections work, which they do not under the fake timers of most runners.
 *
 * @example
 * ```ts
 * const clock = FakeClock.install();
 * clock.advance(3_600_000);
 * // Tokens that came an hour ago have ended.
 * clock.uninstall();
 * ```
 */
export class FakeClock {
  #aheadMs = 0;
  readonly #uninstall: () => void;

  private constructor() {
    const restoreDate = this.#replaceDate();
    const restorePerformance = this.#replacePerformance();
    this.#uninstall = () => {
      restoreDate();
      restorePerformance();
    };
  }

  /**
   * Takes the place of the clock, at the same time.
   *
   * @throws {Error} when another one has
   */
  static install(): FakeClock {
    if (installed !== undefined) {
      throw new Error('There is a FakeClock already. Call uninstall() on it first.');
    }
    installed = new FakeClock();
    return installed;
  }

  /**
   * Sets it forward.
   *
   * @param ms milliseconds
   * @throws {RangeError} for what is no time, or would set it back
   */
  advance(ms: number): void {
    if (!(ms >= 0 && ms < Infinity)) {
      throw new RangeError('A FakeClock can be set forward by a number of milliseconds only.');
    }
    this.#aheadMs += ms;
  }

  /** Puts the real clock back; it may be called again. */
  uninstall(): void {
    if (installed !== this) return;
    this.#uninstall();
    installed = undefined;
  }

  #replaceDate(): () => void {
    const real = globalThis.Date;
    const now = (): number => Math.floor(real.now() + this.#aheadMs);
    globalThis.Date = new Proxy(real, {
      construct: (target, args, newTarget) =>
        Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
      apply: () => new real(now()).toString(),
      get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
    });
    return () => (globalThis.Date = real);
  }

  #replacePerformance(): () => void {
    const before = Object.getOwnPropertyDescriptor(performance, 'now');
    const real = performance.now.bind(performance);
    const value = (): number => real() + this.#aheadMs;
    Object.defineProperty(performance, 'now', { value, configurable: true, writable: true });
    return () => {
      if (before === undefined) Reflect.deleteProperty(performance, 'now');
      else Object.defineProperty(performance, 'now', before);
    };
  }
}
