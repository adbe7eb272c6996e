import { Limiter, NoTurn } from '../concurrency/index.js';
import { BerbixUnavailableError } from '../errors/index.js';
import type { EventBus } from '../events/index.js';
import type { Call } from './call.js';
import { CircuitBreaker, type Judged } from './circuit-breaker.js';
import { WireFailure } from './wire-failure.js';

/** Maximum number of waiting calls; more would time out in the queue anyway. */
const MAX_QUEUED = 1_000;

/** The share of the connections that long calls may use; the rest is for short calls. */
const LONG_CALLS_SHARE = 0.25;

/** Limits how many attempts of an account run at a time, and blocks them while the API is down. */
export class OverloadGuard {
  readonly #breaker: CircuitBreaker;
  readonly #turns: Limiter;
  readonly #turnsOfLong: Limiter;

  /** @param maxConcurrent attempts at a time */
  constructor(maxConcurrent: number, events: EventBus) {
    this.#breaker = new CircuitBreaker(events);
    this.#turns = new Limiter(maxConcurrent, MAX_QUEUED);
    const share = Math.max(1, Math.floor(maxConcurrent * LONG_CALLS_SHARE));
    this.#turnsOfLong = new Limiter(share, MAX_QUEUED);
  }

  /** How many calls wait for their turn, and whether attempts are blocked. */
  get state(): { waiting: number; isCircuitOpen: boolean } {
    const waiting = this.#turns.waiting + this.#turnsOfLong.waiting;
    return { waiting, isCircuitOpen: this.#breaker.isOpen };
  }

  /**
   * Makes the attempt when its turn comes, in the async context of the caller.
   *
   * @throws if the attempt was not made: {BerbixUnavailableError}; as a rejection also
   * {@link NoTurn}, or a {@link WireFailure} if the call ended while it waited
   */
  run<T extends Judged>(call: Call, attempt: () => Promise<T>): Promise<T> {
    // Inside the limiter, so that queued calls fail as soon as the circuit opens.
    const run = (): Promise<T> =>
      this.#breaker.run(attempt, (probe) => call.race(probe), call.isLong);
    // Fail before joining the queue.
    this.#breaker.check();
    return call.isLong
      ? this.#turnsOfLong.run(() => this.#turns.run(run, call), call)
      : this.#turns.run(run, call);
  }
}

/** Why a call did not get its turn. */
export function mapNoTurn({ reason, retryAfterMs }: NoTurn): BerbixUnavailableError | WireFailure {
  switch (reason) {
    case 'expired':
      return new WireFailure('total-timeout', 'queued');
    case 'full':
      return new BerbixUnavailableError(
        `${MAX_QUEUED} calls are already waiting for Berbix. Slow down, or raise http.connections.`,
        { retryable: true },
      );
    case 'late':
      return new BerbixUnavailableError(
        'Too many calls wait for Berbix: this one could not end within its time limit. Slow down, or raise http.connections.',
        { retryable: true, retryAfterMs },
      );
  }
}
