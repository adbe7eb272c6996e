import { BerbixStoreError } from '../../errors/index.js';

/**
 * Calls a hook with a time limit (I12).
 *
 * @throws {BerbixStoreError} (as a rejection) that names the hook, if it takes longer
 */
export function inTime<T>(name: string, timeoutMs: number, call: () => Promise<T> | T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const what = `${name} did not answer within ${timeoutMs} ms.`;
      reject(new BerbixStoreError(what, { retryable: true }));
    }, timeoutMs);
    // Callers have a timer of their own, which keeps the process alive while somebody waits.
    timer.unref();
    // `then` turns a synchronous throw into a rejection.
    Promise.resolve()
      .then(call)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
