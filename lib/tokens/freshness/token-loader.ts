import { BerbixInputError, BerbixStoreError } from '../../errors/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import type { BerbixTokenOptions, TransactionRef } from './freshness.options.js';
import { inTime } from './in-time.js';

/** Gets tokens from the application's own database, with `loadTokens`. */
export class TokenLoader {
  constructor(
    private readonly loadTokens: BerbixTokenOptions['loadTokens'],
    private readonly timeoutMs: number,
  ) {}

  /**
   * The tokens; undefined if there are none, or there is no `loadTokens`.
   *
   * @throws (as a rejection) {BerbixStoreError} if it failed, {BerbixInputError} for an invalid
   * answer
   */
  async load(owner: TransactionRef | undefined): Promise<BerbixTokens | undefined> {
    const { loadTokens } = this;
    if (owner === undefined || loadTokens === undefined) return undefined;
    const loaded = await inTime('loadTokens', this.timeoutMs, () => loadTokens(owner)).catch(
      (error: unknown) => {
        if (error instanceof BerbixStoreError) throw error;
        // Without the message, which may quote a password or a token (I10).
        const what = error instanceof Error ? error.name : typeof error;
        throw new BerbixStoreError(`loadTokens failed (${what}).`, { retryable: true });
      },
    );
    return loaded === undefined || loaded === null
      ? undefined
      : withOwner(loadedTokens(loaded), owner);
  }
}

/** @throws {BerbixInputError} for an answer that is neither tokens nor a refresh token */
function loadedTokens(loaded: BerbixTokens | string): BerbixTokens {
  try {
    return BerbixTokens.from(loaded);
  } catch (error) {
    throw new BerbixInputError(
      `loadTokens must answer a BerbixTokens, a refresh token or undefined. ${(error as Error).message}`,
    );
  }
}

/**
 * Adds the transaction id by which the tokens were looked up.
 *
 * @throws {BerbixInputError} if they belong to another transaction
 */
function withOwner(tokens: BerbixTokens, owner: TransactionRef): BerbixTokens {
  if (!('transactionId' in owner)) return tokens;
  const { transactionId } = owner;
  if (tokens.transactionId === transactionId) return tokens;
  if (tokens.transactionId !== undefined) {
    throw new BerbixInputError(
      'loadTokens gave the tokens of another transaction than it was asked for.',
    );
  }
  return new BerbixTokens({ refreshToken: tokens.refreshToken, transactionId });
}
