import { BerbixStoreError, BerbixTimeoutError } from '../errors/index.js';

/** The reason of a hook's error: it says nothing about the store, which answers other calls. */
export const HOOK = 'HOOK';

/** A hook, or the store, took longer than a call may (I12). */
export function noAnswerError(
  name: string,
  timeoutMs: number,
  reason: typeof HOOK | 'TIMEOUT',
): BerbixStoreError {
  const what = `${name} did not answer within ${timeoutMs} ms.`;
  return new BerbixStoreError(what, { retryable: true }, reason);
}

/** The wait for another replica took too long. */
export function otherReplicaTimeoutError(): BerbixTimeoutError {
  return new BerbixTimeoutError(
    'Another replica is exchanging this refresh token, and did not finish in time.',
    { retryable: true },
  );
}
