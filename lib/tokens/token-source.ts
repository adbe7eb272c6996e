import { BerbixTokens, type BerbixTokensInit } from './berbix-tokens.js';
import { nameOf, type TokenOwner, type TokenQuery } from './freshness/index.js';
import { requireTransactionId, requireUid } from './ids.js';

/**
 * Which tokens are meant: tokens, a stored refresh token, or whose they are, where they are stored.
 *
 * @example
 * ```ts
 * transactions.fetch({ customerUid: user.id })
 * ```
 */
export type TokenSource = BerbixTokens | string | TokenOwner;

/**
 * What to ask for.
 *
 * @throws {BerbixInvalidRefreshTokenError} when the refresh token is empty, missing or malformed
 * @throws {BerbixInputError} when the id or uid is
 */
export function queryOf(source: TokenSource | BerbixTokensInit): TokenQuery {
  if (isOwner(source)) {
    return 'transactionId' in source
      ? { name: nameOf.transaction(requireTransactionId(source.transactionId)), owner: source }
      : { name: nameOf.customer(requireUid(source.customerUid)), owner: source };
  }
  const given = BerbixTokens.from(source);
  const { transactionId, refreshToken } = given;
  return {
    name:
      transactionId === undefined
        ? nameOf.refreshToken(refreshToken)
        : nameOf.transaction(transactionId),
    given,
  };
}

/** Whether it says whose tokens are meant; what it says may be wrong. */
export function isOwner(source: TokenSource | BerbixTokensInit): source is TokenOwner {
  return typeof source === 'object' && source !== null && !('refreshToken' in source);
}
