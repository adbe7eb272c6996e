import { BerbixStoreError } from '../../errors/index.js';

/**
 * What a function of the application answers, if it does in time.
 *
 * @throws {BerbixStoreError} (as a rejection) that names the function, when it does not
 */
export function inTime<T>(name: string, timeoutMs: number, call: () => Promise<T> | T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const what = `${name} did not answer within ${timeoutMs} ms.`;
      reject(new BerbixStoreError(what, { retryable: true }));
    }, timeoutMs);
    // Callers have a limit of their own, which keeps the process alive as long as somebody waits.
    timer.unref();
    // A promise, also where the function throws at once.
    Promise.resolve()
      .then(call)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
