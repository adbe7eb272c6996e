import { BerbixInputError } from '../errors/index.js';
import { BerbixTokens, type BerbixTransactionRef } from '../values/index.js';
import { callHook } from './hook.js';

/** Looks up a refresh token, or tokens, in the application's own database. */
export type LoadTokens = (
  owner: BerbixTransactionRef,
) => Promise<BerbixTokens | string | undefined>;

/** Gets tokens from the application's own database, with `loadTokens`. */
export class TokenLoader {
  constructor(
    private readonly loadTokens: LoadTokens | undefined,
    private readonly timeoutMs: number,
  ) {}

  /**
   * The tokens; undefined if there are none, or there is no `loadTokens`.
   *
   * @throws (as a rejection) {BerbixStoreError} if it failed, {BerbixInputError} for an invalid
   * answer
   */
  async load(owner: BerbixTransactionRef | undefined): Promise<BerbixTokens | undefined> {
    const { loadTokens, timeoutMs } = this;
    if (owner === undefined || loadTokens === undefined) return undefined;
    const loaded = await callHook('loadTokens', timeoutMs, () => loadTokens(owner));
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
      `loadTokens must return a BerbixTokens, a refresh token or undefined. ${(error as Error).message}`,
    );
  }
}

/**
 * Adds the transaction id by which the tokens were looked up.
 *
 * @throws {BerbixInputError} if they belong to another transaction
 */
function withOwner(tokens: BerbixTokens, owner: BerbixTransactionRef): BerbixTokens {
  if (!('transactionId' in owner)) return tokens;
  const { transactionId } = owner;
  if (tokens.transactionId === transactionId) return tokens;
  if (tokens.transactionId !== undefined) {
    throw new BerbixInputError(
      'loadTokens returned the tokens of a different transaction from the one requested.',
    );
  }
  return new BerbixTokens({ refreshToken: tokens.refreshToken, transactionId });
}
