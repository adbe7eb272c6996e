import { BerbixInputError, readInput } from '../errors/index.js';
import { BerbixTokens } from './berbix-tokens.js';
import { recordName, type TransactionRef, type TokenQuery } from './freshness/index.js';
import { requireTransactionId, requireUid } from './ids.js';

/**
 * Which tokens are meant: tokens, a stored refresh token, or whose they are, where they are stored.
 *
 * @example
 * ```ts
 * transactions.fetch({ customerUid: user.id })
 * ```
 */
export type TokenRef = BerbixTokens | string | TransactionRef;

const OWNER_EXPECTED = 'Say whose tokens: { transactionId } or { customerUid }.';

/**
 * What to ask for.
 *
 * @throws {BerbixInvalidRefreshTokenError} when the refresh token is empty, missing or malformed
 * @throws {BerbixInputError} when it is not a source of tokens
 */
export function queryOf(source: TokenRef): TokenQuery {
  if (readInput(OWNER_EXPECTED, () => isTransactionRef(source))) return queryOfOwner(source);
  const given = BerbixTokens.from(source as BerbixTokens | string);
  const { transactionId, refreshToken } = given;
  return {
    name:
      transactionId === undefined
        ? recordName.refreshToken(refreshToken)
        : recordName.transaction(transactionId),
    given,
  };
}

/**
 * What to ask for by its owner.
 *
 * @throws {BerbixInputError} when it does not say whose tokens are meant, as tokens and a refresh token do not
 */
export function queryOfOwner(owner: unknown): TokenQuery & { owner: TransactionRef } {
  const { transactionId, customerUid } = readInput(OWNER_EXPECTED, () => ownerParts(owner));
  if (isGiven(transactionId) && isGiven(customerUid)) {
    throw new BerbixInputError(`${OWNER_EXPECTED} Only one of them is taken.`);
  }
  if (isGiven(transactionId)) {
    const id = requireTransactionId(transactionId);
    return { name: recordName.transaction(id), owner: { transactionId: id } };
  }
  const uid = requireUid(customerUid);
  return { name: recordName.customer(uid), owner: { customerUid: uid } };
}

/** Whether it says whose tokens are meant; what it says may be wrong. */
export function isTransactionRef(source: TokenRef): source is TransactionRef {
  return typeof source === 'object' && source !== null && !('refreshToken' in source);
}

function ownerParts(owner: unknown): { transactionId?: unknown; customerUid?: unknown } {
  if (typeof owner !== 'object' || owner === null || 'refreshToken' in owner) {
    throw new BerbixInputError(`${OWNER_EXPECTED} Tokens or a refresh token do not say that.`);
  }
  const { transactionId, customerUid } = owner as Record<string, unknown>;
  if (isGiven(transactionId) || isGiven(customerUid)) return { transactionId, customerUid };
  throw new BerbixInputError(
    `${OWNER_EXPECTED} Both are missing. If a value is undefined, look where it comes from.`,
  );
}

/** A null from a database counts as not given. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
