import { BerbixInputError, BerbixStoreError } from '../../errors/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import type { BerbixTokenOptions, TransactionRef } from './freshness.options.js';
import { inTime } from './in-time.js';

/** Asks the application's own database, with `loadTokens`. */
export class TokenLoader {
  constructor(
    private readonly loadTokens: BerbixTokenOptions['loadTokens'],
    private readonly timeoutMs: number,
  ) {}

  /**
   * Its tokens; undefined where it has none, or is not asked.
   *
   * @throws (as a rejection) {BerbixStoreError} it failed, {BerbixInputError} it answered something else
   */
  async load(owner: TransactionRef | undefined): Promise<BerbixTokens | undefined> {
    const { loadTokens } = this;
    if (owner === undefined || loadTokens === undefined) return undefined;
    const loaded = await inTime('loadTokens', this.timeoutMs, () => loadTokens(owner)).catch(
      (error: unknown) => {
        if (error instanceof BerbixStoreError) throw error;
        // Its message stays behind: it may quote a password or a token.
        const what = error instanceof Error ? error.name : typeof error;
        throw new BerbixStoreError(`loadTokens failed (${what}).`, { retryable: true });
      },
    );
    return loaded === undefined || loaded === null
      ? undefined
      : withOwner(loadedTokens(loaded), owner);
  }
}

/** @throws {BerbixInputError} when it is not what `loadTokens` may answer */
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
 * Tokens of the application's database, with the transaction that they were asked for.
 *
 * @throws {BerbixInputError} when they are of another
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
