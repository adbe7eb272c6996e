import { WireFailure, type CancelReason } from './wire-failure.js';

/**
 * What cuts a call short, or one attempt of it; passed to axios as its `cancelToken`.
 *
 * HttpService makes a token source of its own for every call that brings none, and cancels it after
 * every call, which builds an error with a stack each time; and an AbortController per attempt costs
 * more than the rest of the attempt's bookkeeping. This has the same shape and one listener, since
 * a call is in one place at a time.
 */
export class Cancellation {
  #reason: CancelReason | undefined;
  #listener: ((reason: CancelReason) => void) | undefined;

  /** Cuts the call short; only the first reason counts. */
  cancel(reason: CancelReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#listener?.(reason);
    this.#listener = undefined;
  }

  /** Called once, at once if the call was cut short already. Replaces the listener before it. */
  onCancel(listener: ((reason: CancelReason) => void) | undefined): void {
    if (this.#reason !== undefined) listener?.(this.#reason);
    else this.#listener = listener;
  }

  /** For one attempt: cut short with the call, or alone. */
  child(): Cancellation {
    const child = new Cancellation();
    this.onCancel((reason) => child.cancel(reason));
    return child;
  }

  /** Resolves after `ms` milliseconds. @throws {WireFailure} (as a rejection) when cut short */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.onCancel((reason) => {
        clearTimeout(timer);
        reject(new WireFailure(reason, false));
      });
    });
  }

  /** As the promise. @throws {WireFailure} (as a rejection) when cut short before */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.onCancel((reason) => reject(new WireFailure(reason, false)));
      promise.then(resolve, reject);
    });
  }

  /** Axios asks before and after the adapter. @throws {WireFailure} when cut short */
  throwIfRequested(): void {
    if (this.#reason !== undefined) throw new WireFailure(this.#reason, true);
  }
}
