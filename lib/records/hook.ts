import { withTimeout } from '../concurrency/index.js';
import { BerbixStoreError, nameOf } from '../errors/index.js';
import { noAnswerError } from './record-errors.js';

/** The reason of a hook's error: it says nothing about the store, which answers other calls. */
export const HOOK = 'HOOK';

/**
 * Calls a hook of the application. Of an error that it throws, even one of this package, only the
 * name goes on: its message may quote a password or a token (I10), and its store is another one.
 *
 * @throws {BerbixStoreError} (as a rejection) with the reason {@link HOOK} if it fails, or takes
 * longer than these milliseconds
 */
export function callHook<T>(
  name: 'loadTokens' | 'onRotation',
  timeoutMs: number,
  hook: () => Promise<T> | T,
): Promise<T> {
  const call = async (): Promise<T> => {
    try {
      return await hook();
    } catch (error) {
      const what = `The hook ${name} failed (${nameOf(error)}).`;
      throw new BerbixStoreError(what, { retryable: true }, HOOK);
    }
  };
  return withTimeout(call, timeoutMs, () => noAnswerError(name, timeoutMs, HOOK), { unref: true });
}
