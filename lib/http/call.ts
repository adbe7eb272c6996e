import type { Observable } from 'rxjs';
import type { Wait } from '../concurrency/index.js';
import type { TimeLimits } from './failure.mapper.js';
import { WireFailure, type CancelReason, type Stage } from './wire-failure.js';

type Listener = (reason: CancelReason) => void;

/** A linked list: one listener or two are usual, and this is the cheapest way to keep them. */
class Listening {
  constructor(
    readonly listener: Listener,
    readonly next: Listening | undefined,
  ) {}
}

/**
 * Cancels a call or one attempt.
 *
 * It is cheaper than the alternatives. Without a token, HttpService creates a token source for each
 * call and cancels it afterwards, which creates an error with a stack trace. An AbortController
 * costs more than all other bookkeeping of an attempt.
 */
abstract class Cancellation {
  #reason: CancelReason | undefined;
  #listening: Listening | undefined;

  /** The progress of the attempt, or of the last attempt of a call. */
  abstract readonly stage: Stage;

  /** Only the first reason counts. From then on it refers to nothing of the call. */
  cancel(reason: CancelReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    let listening = this.#listening;
    this.#listening = undefined;
    for (; listening !== undefined; listening = listening.next) listening.listener(reason);
  }

  /**
   * Adds a listener. It is called once, perhaps after the work has ended, and immediately if the
   * call was already canceled.
   */
  onCancel(listener: Listener): void {
    if (this.#reason !== undefined) listener(this.#reason);
    else this.#listening = new Listening(listener, this.#listening);
  }

  /** Resolves after `ms` milliseconds. @throws {WireFailure} (as a rejection) if canceled before */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.onCancel((reason) => {
        clearTimeout(timer);
        reject(new WireFailure(reason, this.stage));
      });
    });
  }

  /** Settles as the promise does. @throws {WireFailure} (as a rejection) if canceled before */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.onCancel((reason) => reject(new WireFailure(reason, this.stage)));
      promise.then(resolve, reject);
    });
  }

  /**
   * Resolves to the first value, or rejects as the Observable does.
   *
   * @throws {WireFailure} (as a rejection) if canceled before; the work must listen to that itself
   */
  first<T>(values: Observable<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.onCancel((reason) => reject(new WireFailure(reason, this.stage)));
      values.subscribe({ next: resolve, error: reject });
    });
  }

  /** Axios calls it before and after the adapter. @throws {WireFailure} if canceled */
  throwIfRequested(): void {
    if (this.#reason !== undefined) throw new WireFailure(this.#reason, this.stage);
  }
}

/** One attempt of a call. Axios gets it as its `cancelToken`. */
export class Attempt extends Cancellation {
  stage: Stage = 'queued';
}

/** A call with its attempts, which are canceled with it. */
export class Call extends Cancellation implements Wait {
  /** When it must have ended, by `performance.now()`. */
  readonly deadline: number;
  /** Whether the API may have acted on one of the attempts. */
  mayHaveActed = false;
  #attempt: Attempt | undefined;

  /**
   * @param timeoutMs what is left of the time limit of the whole call, in milliseconds
   * @param limits the time limits of the call, for messages, and of each attempt
   * @param isLong whether it may take minutes, as an upload does
   */
  constructor(
    readonly timeoutMs: number,
    readonly limits: TimeLimits,
    readonly isLong: boolean,
  ) {
    super();
    this.deadline = performance.now() + timeoutMs;
  }

  get stage(): Stage {
    return this.#attempt?.stage ?? 'queued';
  }

  /** The next attempt, which is canceled with the call, or alone. */
  begin(): Attempt {
    const attempt = new Attempt();
    this.#attempt = attempt;
    this.onCancel((reason) => attempt.cancel(reason));
    return attempt;
  }

  /** The next attempt waits for its turn. */
  requeue(): void {
    this.#attempt = undefined;
  }

  /** Leaves the queue if the call is canceled while it waits for its turn. */
  onWait(leave: (error: unknown) => void): void {
    this.onCancel((reason) => leave(new WireFailure(reason, 'queued')));
  }
}
