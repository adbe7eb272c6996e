import { BerbixStoreError } from '../../errors/index.js';
import { inTime } from './in-time.js';
import type { BerbixTokenOptions, RotatedTokens } from './freshness.options.js';

/**
 * Tells the application of a new refresh token.
 *
 * @throws {BerbixStoreError} (as a rejection) with the tokens, when its hook fails
 */
export async function tellOfRotation(
  onRotation: BerbixTokenOptions['onRotation'],
  rotated: RotatedTokens,
  timeoutMs: number,
): Promise<void> {
  try {
    await inTime('onRotation', timeoutMs, () => onRotation?.(rotated));
  } catch (error) {
    // Its message stays behind: it may quote what was to be written.
    const name = error instanceof Error ? error.name : typeof error;
    throw new BerbixStoreError(
      `onRotation failed (${name}), so that nobody gets the tokens. The new refresh token is in \`tokens\` of this error.`,
      { retryable: true },
    ).carrying(rotated.tokens);
  }
}
