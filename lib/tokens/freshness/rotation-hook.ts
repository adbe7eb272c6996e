import { BerbixStoreError } from '../../errors/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import { inTime } from './in-time.js';
import type { BerbixTokenOptions, RotatedTokens } from './freshness.options.js';

/**
 * Tells the application of a new refresh token.
 *
 * @throws {BerbixStoreError} (as a rejection) with the tokens, when its hook fails
 */
export async function notifyRotation(
  onRotation: BerbixTokenOptions['onRotation'],
  rotated: RotatedTokens,
  timeoutMs: number,
): Promise<void> {
  try {
    await inTime('onRotation', timeoutMs, () => onRotation?.(rotated));
  } catch (error) {
    throw notDeliveredError(
      `${what(error)} Nobody gets the tokens before it has succeeded.`,
      rotated.tokens,
    );
  }
}

/** For those who may not get new tokens while the application is not to be asked again. */
export function notificationPostponedError(tokens: BerbixTokens, waitMs: number): BerbixStoreError {
  const why = 'onRotation failed a moment ago, and nobody gets the tokens before it has succeeded.';
  return notDeliveredError(why, tokens, waitMs);
}

function notDeliveredError(
  why: string,
  tokens: BerbixTokens,
  retryAfterMs?: number,
): BerbixStoreError {
  return new BerbixStoreError(`${why} The new refresh token is in \`tokens\` of this error.`, {
    retryable: true,
    retryAfterMs,
  }).withTokens(tokens);
}

/** Without the message of an error of the application's: it may quote what was to be written. */
function what(error: unknown): string {
  if (error instanceof BerbixStoreError) return error.message;
  return `onRotation failed (${error instanceof Error ? error.name : typeof error}).`;
}
