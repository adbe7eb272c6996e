import { BerbixUnavailableError } from '../errors/index.js';
import { FailureRate } from './failure-rate.js';

/** An open circuit lets nothing through for this long, in milliseconds; then one attempt. */
const HALF_OPEN_AFTER_MS = 5_000;

/** What an attempt says about the health of the API; `inconclusive` if the API did not decide its outcome. */
export type Verdict = 'healthy' | 'unhealthy' | 'inconclusive';

/** An attempt that has ended. */
export interface Judged {
  readonly verdict: Verdict;
  /** The transaction or customer of the call, if the failure may be specific to them. */
  readonly subject?: string | undefined;
}

/**
 * Holds attempts back while the API is down. It opens when half of at least ten attempts in the last
 * ten seconds failed; after five seconds it is half open: one attempt at a time is let through until
 * one decides whether it closes.
 */
export class CircuitBreaker {
  readonly #rate = new FailureRate();
  /** From when on one attempt is let through, by `performance.now()`; undefined while it is closed. */
  #halfOpenAt: number | undefined;
  /** Resolves when the half-open attempt has ended. */
  #probe: Promise<void> | undefined;

  /** @throws {BerbixUnavailableError} while nothing is let through */
  check(): void {
    if (this.#halfOpenAt === undefined) return;
    const waitMs = Math.ceil(this.#halfOpenAt - performance.now());
    if (waitMs <= 0) return;
    throw new BerbixUnavailableError(
      'Berbix failed too often in the last seconds; calls are held back until it recovers.',
      { retryable: true, retryAfterMs: waitMs },
    );
  }

  /**
   * Makes an attempt; while another one probes whether the API is back, waits for that first.
   *
   * @param waiting a promise that settles as the given one does, or when the caller leaves
   * @param isLong whether it may take minutes: it decides like any other, but none waits for it
   * @throws {BerbixUnavailableError} (as a rejection) while nothing is let through
   */
  async run<T extends Judged>(
    attempt: () => Promise<T>,
    waiting: (probe: Promise<void>) => Promise<void>,
    isLong: boolean,
  ): Promise<T> {
    for (;;) {
      this.check();
      if (this.#halfOpenAt === undefined) return this.#judged(attempt);
      if (this.#probe === undefined) {
        return isLong ? this.#judged(attempt) : this.#probing(() => this.#judged(attempt));
      }
      await waiting(this.#probe);
    }
  }

  async #judged<T extends Judged>(attempt: () => Promise<T>): Promise<T> {
    const begunWith = this.#halfOpenAt;
    const result = await attempt();
    const isHalfOpen = this.#halfOpenAt !== undefined;
    // The circuit opened since then: says nothing new.
    if (isHalfOpen && this.#halfOpenAt !== begunWith) return result;
    if (result.verdict === 'healthy') {
      this.#halfOpenAt = undefined;
      this.#rate.succeeded();
    }
    if (result.verdict === 'unhealthy') {
      this.#rate.failed(result.subject);
      if (isHalfOpen || this.#rate.isTooHigh) this.#open();
    }
    // Inconclusive: while it is half open, the next attempt decides.
    return result;
  }

  /** Makes the others wait until it has ended. */
  async #probing<T>(run: () => Promise<T>): Promise<T> {
    let end: (() => void) | undefined;
    this.#probe = new Promise((resolve) => (end = resolve));
    try {
      return await run();
    } finally {
      this.#probe = undefined;
      end?.();
    }
  }

  #open(): void {
    this.#halfOpenAt = performance.now() + HALF_OPEN_AFTER_MS;
    this.#rate.reset();
  }
}
