import { BerbixInputError, readInput } from '../errors/index.js';
import { BerbixTokens } from './berbix-tokens.js';
import { recordName, type TransactionRef, type TokenQuery } from './freshness/index.js';
import { requireTransactionId, requireUid } from './ids.js';

/**
 * Refers to tokens: the tokens themselves, a refresh token from your own table, or the transaction
 * or customer of stored ones.
 *
 * @example
 * ```ts
 * transactions.fetch({ customerUid: user.id })
 * ```
 */
export type TokenRef = BerbixTokens | string | TransactionRef;

const OWNER_EXPECTED = 'Say whose tokens: { transactionId } or { customerUid }.';

/**
 * The lookup for a reference.
 *
 * @throws {BerbixInvalidRefreshTokenError} if the refresh token is empty, missing or malformed
 * @throws {BerbixInputError} if it does not refer to tokens
 */
export function queryOf(source: TokenRef): TokenQuery {
  if (readInput(OWNER_EXPECTED, () => isTransactionRef(source))) return refQuery(source);
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
 * The lookup for a transaction or a customer.
 *
 * @throws {BerbixInputError} for anything else, also for tokens and refresh tokens
 */
export function refQuery(owner: unknown): TokenQuery & { owner: TransactionRef } {
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

/**
 * Whether it has the form of a reference to a transaction or customer; its values may be invalid.
 */
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

/** Null, as databases return it, counts as undefined. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
