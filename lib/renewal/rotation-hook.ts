import { BerbixStoreError } from '../errors/index.js';
import { HOOK, callHook, type TokenRecord } from '../records/index.js';
import { BerbixTokens } from '../values/index.js';
import type { BerbixTokenOptions, BerbixRotatedTokens } from './freshness.options.js';

/**
 * Notifies the application of a new refresh token.
 *
 * @throws {BerbixStoreError} (as a rejection) with the tokens, if the hook fails
 */
export async function notifyRotation(
  onRotation: BerbixTokenOptions['onRotation'],
  rotated: BerbixRotatedTokens,
  timeoutMs: number,
): Promise<void> {
  try {
    await callHook('onRotation', timeoutMs, () => onRotation?.(rotated));
  } catch (error) {
    throw notDeliveredError(
      `${(error as BerbixStoreError).message} Nobody gets the tokens before it has succeeded.`,
      rotated.tokens,
    );
  }
}

/** The last notification failed, and the next one is not due yet. */
export function notificationPostponedError(
  { refreshToken, transactionId }: Pick<TokenRecord, 'refreshToken' | 'transactionId'>,
  waitMs: number,
): BerbixStoreError {
  const tokens = new BerbixTokens({ refreshToken, transactionId });
  const why = 'onRotation failed a moment ago, and nobody gets the tokens before it has succeeded.';
  return notDeliveredError(why, tokens, waitMs);
}

function notDeliveredError(
  why: string,
  tokens: BerbixTokens,
  retryAfterMs?: number,
): BerbixStoreError {
  return new BerbixStoreError(
    `${why} The new refresh token is in \`tokens\` of this error.`,
    { retryable: true, retryAfterMs },
    HOOK,
  ).withTokens(tokens);
}
