import { Observable } from 'rxjs';
import {
  abortedError,
  callLimits,
  callTimeoutError,
  type BerbixCallOptions,
  type CallLimits,
} from './call-options.js';
import { withTimeout } from './with-timeout.js';

/** A caller who waits, and may leave. */
export class Caller {
  /** When they asked, by `performance.now()`: their time limits count from then. */
  readonly askedAt: number;
  /** The time limit of their call in milliseconds, if it has one of its own. */
  readonly timeoutMs: number | undefined;
  hasLeft = false;
  /** Whether they have got what they wait for before the work ended. */
  isServed = false;
  /** Called if they leave before the end. */
  onLeave: (() => void) | undefined;

  constructor(limits?: CallLimits) {
    this.askedAt = limits?.startedAt ?? performance.now();
    this.timeoutMs = limits?.timeoutMs;
  }

  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.onLeave?.();
  }

  /**
   * When their call must have ended, by `performance.now()`.
   *
   * @param usualMs the time limit of a call that has none of its own
   */
  deadline(usualMs: number): number {
    return this.askedAt + (this.timeoutMs ?? usualMs);
  }

  /**
   * Settles as the function does, unless their own time limit ends first; the work then goes on.
   *
   * @throws {BerbixTimeoutError} (as a rejection)
   */
  inTime<T>(work: () => Promise<T>): Promise<T> {
    const { askedAt, timeoutMs } = this;
    if (timeoutMs === undefined) return work();
    const leftMs = askedAt + timeoutMs - performance.now();
    return withTimeout(work, leftMs, () => callTimeoutError(timeoutMs));
  }
}

/**
 * A cold Observable of the result of an async function; emits once and completes. The promise is
 * awaited in the async context of the subscriber, so the operators after it run there too.
 *
 * @param work called for each subscriber; it observes the time limit of its caller
 * @param options of the call, or the limits of the whole of which it is a part
 */
export function observe<T>(
  work: (caller: Caller) => Promise<T>,
  options?: BerbixCallOptions | CallLimits,
): Observable<T> {
  return new Observable((subscriber) => {
    const limits = callLimits(options);
    const caller = new Caller(limits);
    const signal = limits?.signal;
    let abort: (() => void) | undefined;
    const begin = (): Promise<T> => {
      if (signal === undefined) return work(caller);
      return new Promise((resolve, reject) => {
        abort = () => {
          reject(abortedError(signal));
          caller.leave();
        };
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort);
        work(caller).then(resolve, reject);
      });
    };
    // Here, since an abort comes in the async context of the code that aborts.
    begin().then(
      (value) => {
        caller.onLeave = undefined;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        caller.onLeave = undefined;
        subscriber.error(error);
      },
    );
    return () => {
      // A signal may outlive many calls.
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
      caller.leave();
    };
  });
}

/**
 * The same for work that goes on if its caller leaves, or if their time is over.
 *
 * @param work called for each subscriber
 */
export function observeWait<T>(work: () => Promise<T>, options?: BerbixCallOptions): Observable<T> {
  return observe((caller) => caller.inTime(work), options);
}
