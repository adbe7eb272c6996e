import { BerbixStoreError, BerbixTimeoutError } from '../errors/index.js';

/** A hook, or the store, took longer than a call may (I12). */
export function noAnswerError(
  name: string,
  timeoutMs: number,
  reason: 'HOOK' | 'TIMEOUT',
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
