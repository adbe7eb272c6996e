import { Observable } from 'rxjs';
import { CallSpan } from '../telemetry/index.js';
import {
  abortedError,
  callLimits,
  callTimeoutError,
  type BerbixCallOptions,
  type CallLimits,
} from './call-options.js';
import { onAbort } from './on-abort.js';
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

  /** @param span of their call, if there is an SDK of OpenTelemetry */
  constructor(
    limits?: CallLimits,
    readonly span?: CallSpan,
  ) {
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
   * Settles as the function does, unless their own time limit ends first; the work then goes on. Its
   * spans belong to their call.
   *
   * @throws {BerbixTimeoutError} (as a rejection)
   */
  inTime<T>(work: () => Promise<T>): Promise<T> {
    const { askedAt, timeoutMs, span } = this;
    const begin = span === undefined ? work : () => span.run(work);
    if (timeoutMs === undefined) return begin();
    const leftMs = askedAt + timeoutMs - performance.now();
    return withTimeout(begin, leftMs, () => callTimeoutError(timeoutMs));
  }
}

/**
 * A cold Observable of the result of an async function; emits once and completes. The promise is
 * awaited in the async context of the subscriber, so the operators after it run there too.
 *
 * @param work called for each subscriber; it observes the time limit of its caller
 * @param options of the call, or the limits of the whole of which it is a part
 * @param spanName of a span around the wait of each subscriber; only what the work does in
 * `caller.inTime` is in the context of that span
 */
export function observe<T>(
  work: (caller: Caller) => Promise<T>,
  options?: BerbixCallOptions | CallLimits,
  spanName?: string,
): Observable<T> {
  return new Observable((subscriber) => {
    const limits = callLimits(options);
    const span = spanName === undefined ? undefined : CallSpan.start(spanName);
    const caller = new Caller(limits, span);
    const signal = limits?.signal;
    let leaveSignal: (() => void) | undefined;
    const begin = (): Promise<T> => {
      if (signal === undefined) return work(caller);
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          reject(abortedError(signal));
          caller.leave();
        };
        if (signal.aborted) return abort();
        leaveSignal = onAbort(signal, abort);
        work(caller).then(resolve, reject);
      });
    };
    const fail = (error: unknown): void => {
      caller.onLeave = undefined;
      span?.fail(error);
      subscriber.error(error);
    };
    try {
      // Here, since an abort comes in the async context of the code that aborts.
      begin().then((value) => {
        caller.onLeave = undefined;
        span?.end();
        subscriber.next(value);
        subscriber.complete();
      }, fail);
    } catch (error) {
      fail(error);
    }
    return () => {
      leaveSignal?.();
      caller.leave();
      span?.end();
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
