import { Limiter, NoTurn } from '../concurrency/index.js';
import { BerbixUnavailableError } from '../errors/index.js';
import type { Cancellation } from './cancellation.js';
import { CircuitBreaker, type Judged } from './circuit-breaker.js';
import { WireFailure } from './wire-failure.js';

/** How many calls may wait for a turn; more than that would time out there anyway. */
const MAX_QUEUED = 1_000;

/** The share of the connections that long calls may use; the rest is kept for short ones. */
const LONG_CALLS_SHARE = 0.25;

/** An attempt that is to be made. */
export interface GuardedAttempt<T extends Judged> {
  make: () => Promise<T>;
  /** The call that it is part of, and by when that must have ended, by `performance.now()`. */
  call: Cancellation;
  deadline: number;
  /** Whether it may take minutes, as an upload does. */
  isLong: boolean;
}

/** Limits the attempts of one account: how many run at a time, and none while the API is down. */
export class OverloadGuard {
  readonly #breaker = new CircuitBreaker();
  readonly #turns: Limiter;
  readonly #turnsOfLong: Limiter;

  /** @param maxConcurrent attempts at a time */
  constructor(maxConcurrent: number) {
    this.#turns = new Limiter(maxConcurrent, MAX_QUEUED);
    const share = Math.max(1, Math.floor(maxConcurrent * LONG_CALLS_SHARE));
    this.#turnsOfLong = new Limiter(share, MAX_QUEUED);
  }

  /**
   * Makes the attempt when its turn has come, in the async context of the caller.
   *
   * @throws (as a rejection) {BerbixUnavailableError} when it was not made; a {@link WireFailure} when
   * the call ended while it waited
   */
  async run<T extends Judged>(attempt: GuardedAttempt<T>): Promise<T> {
    const { make, call, deadline, isLong } = attempt;
    const wait = {
      deadline,
      onWait: (leave: (error: unknown) => void): void =>
        call.onCancel((reason) => leave(new WireFailure(reason, 'queued'))),
    };
    // Inside the limiter, so that queued calls fail once the circuit opens.
    const run = (): Promise<T> => this.#breaker.run(make, (probe) => call.race(probe), isLong);
    try {
      // Fail before queueing for a turn.
      this.#breaker.check();
      return await (isLong
        ? this.#turnsOfLong.run(() => this.#turns.run(run, wait), wait)
        : this.#turns.run(run, wait));
    } catch (error) {
      throw error instanceof NoTurn ? whyNoTurn(error) : error;
    }
  }
}

function whyNoTurn({ reason, retryAfterMs }: NoTurn): BerbixUnavailableError | WireFailure {
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
