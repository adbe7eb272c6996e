import { BerbixUnavailableError } from '../errors/index.js';
import type { EventBus } from '../events/index.js';
import { FailureRate } from './failure-rate.js';

/** Milliseconds for which an open circuit blocks all attempts before it lets one through. */
const HALF_OPEN_AFTER_MS = 5_000;

/**
 * Milliseconds after which a failure no longer tells how the API is now. If it did, a replica that
 * gets no requests because it is unhealthy would never find out that it is healthy again.
 */
export const OUTDATED_AFTER_MS = 30_000;

/**
 * What an attempt says about the health of the API; `inconclusive` if its outcome had another
 * cause.
 */
export type Verdict = 'healthy' | 'unhealthy' | 'inconclusive';

/** An attempt that has ended. */
export interface Judged {
  readonly verdict: Verdict;
  /** The transaction or customer of the call, if the failure may be specific to them. */
  readonly subject?: string | undefined;
}

/**
 * Blocks attempts while the API is down.
 *
 * - Closed: attempts run. It opens if half of at least ten attempts in the last ten seconds
 *   failed.
 * - Open: attempts fail immediately. After five seconds, it is half open.
 * - Half open: one attempt at a time runs, and others wait for it. A healthy one closes the
 *   circuit, an unhealthy one opens it again.
 */
export class CircuitBreaker {
  readonly #rate = new FailureRate();
  /** When it becomes half open, by `performance.now()`; undefined while it is closed. */
  #halfOpenAt: number | undefined;
  /** Resolves when the half-open attempt has ended. */
  #probe: Promise<void> | undefined;

  constructor(private readonly events: EventBus) {}

  /**
   * Whether it blocks attempts, or waits for the first healthy one. Without attempts, it is known
   * only for half a minute after it last blocked them.
   */
  get isOpen(): boolean {
    if (this.#halfOpenAt === undefined) return false;
    return performance.now() < this.#halfOpenAt + OUTDATED_AFTER_MS;
  }

  /** @throws {BerbixUnavailableError} while it is open */
  check(): void {
    if (this.#halfOpenAt === undefined) return;
    const waitMs = Math.ceil(this.#halfOpenAt - performance.now());
    if (waitMs <= 0) return;
    throw new BerbixUnavailableError(
      'Berbix failed too often in the last seconds, so calls are blocked until it recovers.',
      { retryable: true, retryAfterMs: waitMs },
    );
  }

  /**
   * Runs an attempt. If another one is probing whether the API has recovered, it waits for that
   * first.
   *
   * @param waiting returns a promise that settles as the given one does, or if the caller leaves
   * @param isLong whether the attempt may take minutes; others do not wait for it
   * @throws {BerbixUnavailableError} while it is open
   */
  run<T extends Judged>(
    attempt: () => Promise<T>,
    waiting: (probe: Promise<void>) => Promise<void>,
    isLong: boolean,
  ): Promise<T> {
    this.check();
    if (this.#halfOpenAt === undefined) return this.#judged(attempt);
    if (this.#probe !== undefined) {
      return waiting(this.#probe).then(() => this.run(attempt, waiting, isLong));
    }
    return isLong ? this.#judged(attempt) : this.#probing(() => this.#judged(attempt));
  }

  #judged<T extends Judged>(attempt: () => Promise<T>): Promise<T> {
    const begunWith = this.#halfOpenAt;
    return attempt().then((result) => {
      this.#judge(result, begunWith);
      return result;
    });
  }

  #judge(result: Judged, begunWith: number | undefined): void {
    const isHalfOpen = this.#halfOpenAt !== undefined;
    // The circuit has opened during the attempt, which adds nothing new.
    if (isHalfOpen && this.#halfOpenAt !== begunWith) return;
    if (result.verdict === 'healthy') {
      if (isHalfOpen) this.events.emit('circuit.closed', () => ({}));
      this.#halfOpenAt = undefined;
      this.#rate.succeeded();
    }
    if (result.verdict === 'unhealthy') {
      this.#rate.failed(result.subject);
      if (isHalfOpen || this.#rate.isTooHigh) this.#open();
    }
    // Inconclusive: if it is half open, the next attempt decides.
  }

  /** Makes other attempts wait until this one has ended. */
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
    if (this.#halfOpenAt === undefined) this.events.emit('circuit.opened', () => ({}));
    this.#halfOpenAt = performance.now() + HALF_OPEN_AFTER_MS;
    this.#rate.reset();
  }
}
