let installed: FakeClock | undefined;

/**
 * A clock that a test can advance, with any test runner: `Date` and `performance.now()` of this
 * process are then ahead of the real ones. A sandbox and an in-memory store in this process follow
 * it; PostgreSQL, Redis and a sandbox in another process have their own clocks. Timers are real, so
 * that connections work, unlike with the fake timers of most runners.
 *
 * @example
 * ```ts
 * const clock = FakeClock.install();
 * clock.advance(3_600_000);
 * // Tokens of an hour ago have expired.
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
   * Replaces the clock; it starts with the real time.
   *
   * @throws {Error} if another FakeClock is installed
   */
  static install(): FakeClock {
    if (installed !== undefined) {
      throw new Error('A FakeClock is already installed. Call uninstall() on it first.');
    }
    installed = new FakeClock();
    return installed;
  }

  /**
   * Advances the clock.
   *
   * @param ms milliseconds
   * @throws {RangeError} if it is negative or not a number
   */
  advance(ms: number): void {
    if (!(ms >= 0 && ms < Infinity)) {
      throw new RangeError('A FakeClock can only be advanced, by a number of milliseconds.');
    }
    this.#aheadMs += ms;
  }

  /** Restores the real clock. It can be called again. */
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
