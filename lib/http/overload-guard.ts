import {
  BrokenCircuitError,
  CircuitState,
  SamplingBreaker,
  circuitBreaker,
  handleWhenResult,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';
import { Limiter, NoTurn, type Wait } from '../concurrency/index.js';
import { BerbixUnavailableError } from '../errors/index.js';
import { WireFailure } from './wire-failure.js';

/** Half of at least ten attempts in ten seconds failing opens the circuit; one is tried after five. */
const BREAKER = { threshold: 0.5, duration: 10_000, minimumRps: 1 };
const HALF_OPEN_AFTER_MS = 5_000;

/** How many calls may wait for a turn; more than that would time out there anyway. */
const MAX_QUEUED = 1_000;

/** What an attempt says of the API's health; `none` where it is not the API that decided how it ended. */
export type Verdict = 'well' | 'outage' | 'none';

/** Runs attempts of one account: a limited number at a time, and none while the API is down (circuit breaker). */
export interface OverloadGuard<T> {
  /**
   * @param wait how long the attempt may wait for its turn
   * @throws (as a rejection) {BerbixUnavailableError} or a {@link WireFailure} when the attempt was not made
   */
  run(attempt: () => Promise<T>, wait: Wait): Promise<T>;
}

/** @param maxConcurrent attempts at once */
export function overloadGuard<T extends { readonly verdict: Verdict }>(
  maxConcurrent: number,
): OverloadGuard<T> {
  const turns = new Limiter(maxConcurrent, MAX_QUEUED);
  const breaker = circuitBreaker(
    handleWhenResult((result) => (result as T).verdict === 'outage').orType(
      NoVerdict,
      ({ isProbe }) => isProbe,
    ),
    { halfOpenAfter: { next: restAfter }, breaker: new SamplingBreaker(BREAKER) },
  );
  const judge = async (attempt: () => Promise<T>): Promise<T> => {
    const isProbe = breaker.state !== CircuitState.Closed;
    const result = await attempt();
    if (result.verdict === 'none') throw new NoVerdict(result, isProbe);
    return result;
  };
  const explain = (error: unknown): T => {
    if (error instanceof NoVerdict) return error.result as T;
    throw unavailable(error);
  };
  return {
    // The breaker is inside, so that those who wait for a turn are let go once it opens.
    run: (attempt, wait) =>
      turns.run(() => breaker.execute(() => judge(attempt)), wait).catch(explain),
  };
}

/** Thrown past the breaker, which counts what is returned; as the end of a probe it has the next one made at once. */
class NoVerdict {
  constructor(
    readonly result: unknown,
    readonly isProbe: boolean,
  ) {}
}

const OVER: IBackoff<unknown> = { duration: -Infinity, next: restAfter };

/**
 * The time for which the circuit is open, from now on. cockatiel counts it by the clock of the host,
 * which may be set back by more than that: this one is over when it is by a clock that nobody sets.
 */
function restAfter({ result }: IHalfOpenAfterBackoffContext): IBackoff<unknown> {
  if ('error' in result && (result.error as unknown) instanceof NoVerdict) return OVER;
  const overAt = performance.now() + HALF_OPEN_AFTER_MS;
  return {
    get duration() {
      return performance.now() < overAt ? Infinity : -Infinity;
    },
    next: restAfter,
  };
}

function unavailable(error: unknown): unknown {
  if (error instanceof BrokenCircuitError) {
    return new BerbixUnavailableError(
      'Berbix failed too often in the last seconds; calls are held back until it recovers.',
      { retryable: true, retryAfterMs: HALF_OPEN_AFTER_MS },
    );
  }
  if (error instanceof NoTurn) {
    if (error.reason === 'expired') return new WireFailure('total-timeout', 'queued');
    return new BerbixUnavailableError(
      `${MAX_QUEUED} calls wait for Berbix already. Slow down, or raise http.connections.`,
      { retryable: true },
    );
  }
  return error;
}
