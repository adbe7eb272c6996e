import {
  BrokenCircuitError,
  BulkheadRejectedError,
  SamplingBreaker,
  bulkhead,
  circuitBreaker,
  handleWhenResult,
  type IBackoff,
} from 'cockatiel';
import { BerbixUnavailableError } from '../errors/index.js';

/** Half of at least ten attempts in ten seconds failing opens the circuit; one is tried after five. */
const BREAKER = { threshold: 0.5, duration: 10_000, minimumRps: 1 };
const HALF_OPEN_AFTER_MS = 5_000;

/** How many calls may wait for a turn; more than that would time out there anyway. */
const MAX_QUEUED = 1_000;

/** Runs attempts of one account: so many at once (bulkhead), and none while the API is down (circuit breaker). */
export interface OverloadGuard {
  /** @throws {BerbixUnavailableError} (as a rejection) when the attempt was not made */
  run<T>(attempt: () => Promise<T>): Promise<T>;
}

/**
 * @param maxConcurrent attempts at once
 * @param isOutage whether the result of an attempt counts against the API
 */
export function overloadGuard(
  maxConcurrent: number,
  isOutage: (result: never) => boolean,
): OverloadGuard {
  const limit = bulkhead(maxConcurrent, MAX_QUEUED);
  const breaker = circuitBreaker(handleWhenResult(isOutage as (result: unknown) => boolean), {
    halfOpenAfter: { next: restFromNow },
    breaker: new SamplingBreaker(BREAKER),
  });
  return {
    // The breaker is inside, so that those who wait for a turn are let go once it opens.
    run: (attempt) => limit.execute(() => breaker.execute(attempt)).catch(explain),
  };
}

/**
 * The time for which the circuit is open, from now on. cockatiel counts it by the clock of the host,
 * which may be set back by more than that: this one is over when it is by a clock that nobody sets.
 */
function restFromNow(): IBackoff<unknown> {
  const overAt = performance.now() + HALF_OPEN_AFTER_MS;
  return {
    get duration() {
      return performance.now() < overAt ? Infinity : -Infinity;
    },
    next: restFromNow,
  };
}

function explain(error: unknown): never {
  if (error instanceof BrokenCircuitError) {
    throw new BerbixUnavailableError(
      'Berbix failed too often in the last seconds; calls are held back until it recovers.',
      { retryable: true, retryAfterMs: HALF_OPEN_AFTER_MS },
    );
  }
  if (error instanceof BulkheadRejectedError) {
    throw new BerbixUnavailableError(
      `${MAX_QUEUED} calls wait for Berbix already. Slow down, or raise http.connections.`,
      { retryable: true },
    );
  }
  throw error;
}
