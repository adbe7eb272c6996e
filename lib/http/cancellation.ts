import { WireFailure, type CancelReason, type Stage } from './wire-failure.js';

/**
 * What cuts a call short, or one attempt of it, and how far it has come; passed to axios as its
 * `cancelToken`.
 *
 * HttpService makes a token source of its own for every call that brings none, and cancels it after
 * every call, which builds an error with a stack each time; and an AbortController per attempt costs
 * more than the rest of the attempt's bookkeeping. This has the same shape.
 */
export class Cancellation {
  #reason: CancelReason | undefined;
  #stage: Stage = 'queued';
  #attempt: Cancellation | undefined;
  /** Whether the API may have acted on an attempt that has ended, where this is a call. */
  mayHaveActed = false;
  readonly #listeners: ((reason: CancelReason) => void)[] = [];

  /** Of the last attempt, where this is a call. */
  get stage(): Stage {
    return this.#attempt?.stage ?? this.#stage;
  }

  set stage(stage: Stage) {
    this.#stage = stage;
  }

  /** Cuts the call short; only the first reason counts. */
  cancel(reason: CancelReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(reason);
  }

  /** Called once, though what it would cut short may be over; at once if it was cut short already. */
  onCancel(listener: (reason: CancelReason) => void): void {
    if (this.#reason !== undefined) listener(this.#reason);
    else this.#listeners.push(listener);
  }

  /** For one attempt: cut short with the call, or alone. */
  child(): Cancellation {
    const child = new Cancellation();
    this.#attempt = child;
    this.onCancel((reason) => child.cancel(reason));
    return child;
  }

  /** The next attempt waits for its turn. */
  requeue(): void {
    this.#attempt = undefined;
  }

  /** Resolves after `ms` milliseconds. @throws {WireFailure} (as a rejection) when cut short */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.onCancel((reason) => {
        clearTimeout(timer);
        reject(new WireFailure(reason, this.stage));
      });
    });
  }

  /** Settles as the promise does. @throws {WireFailure} (as a rejection) when cut short before */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.onCancel((reason) => reject(new WireFailure(reason, this.stage)));
      promise.then(resolve, reject);
    });
  }

  /** Axios asks before and after the adapter. @throws {WireFailure} when cut short */
  throwIfRequested(): void {
    if (this.#reason !== undefined) throw new WireFailure(this.#reason, this.stage);
  }
}
