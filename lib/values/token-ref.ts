import { BerbixInputError, readInput } from '../errors/index.js';
import type { BerbixTokens } from './berbix-tokens.js';
import { requireTransactionId, requireUid } from './ids.js';

/** Names the transaction by its id, or as the current transaction of a customer. */
export type BerbixTransactionRef = { transactionId: string } | { customerUid: string };

/**
 * Refers to tokens: the tokens themselves, a refresh token from your own table, or the transaction
 * or customer of stored ones.
 *
 * @example
 * ```ts
 * transactions.fetch({ customerUid: user.id })
 * ```
 */
export type BerbixTokenRef = BerbixTokens | string | BerbixTransactionRef;

/** What a method expects that takes a {@link BerbixTransactionRef}; the beginning of its error. */
const REF_EXPECTED = 'Pass { transactionId } or { customerUid }.';

/** The same for a {@link BerbixTokenRef}. */
export const TOKEN_REF_EXPECTED =
  'Pass { customerUid }, { transactionId }, a BerbixTokens or a refresh token.';

/**
 * Checks a reference to a transaction or customer.
 *
 * @throws {BerbixInputError} for anything else, also for tokens and refresh tokens
 */
export function requireTransactionRef(owner: unknown): BerbixTransactionRef {
  const { transactionId, customerUid } = readInput(REF_EXPECTED, () => refParts(owner));
  if (isGiven(transactionId) && isGiven(customerUid)) {
    throw new BerbixInputError(`${REF_EXPECTED} Only one of them is allowed.`);
  }
  return isGiven(transactionId)
    ? { transactionId: requireTransactionId(transactionId) }
    : { customerUid: requireUid(customerUid) };
}

/**
 * Whether it has the form of a reference to a transaction or customer; its values may be invalid.
 */
export function isTransactionRef(ref: BerbixTokenRef): ref is BerbixTransactionRef {
  return typeof ref === 'object' && ref !== null && !('refreshToken' in ref);
}

function refParts(owner: unknown): { transactionId?: unknown; customerUid?: unknown } {
  if (typeof owner !== 'object' || owner === null || 'refreshToken' in owner) {
    throw new BerbixInputError(`${REF_EXPECTED} Tokens or a refresh token are not accepted.`);
  }
  const { transactionId, customerUid } = owner as Record<string, unknown>;
  if (isGiven(transactionId) || isGiven(customerUid)) return { transactionId, customerUid };
  throw new BerbixInputError(
    `${REF_EXPECTED} Both are missing. If a value is undefined, check where it comes from.`,
  );
}

/** Null, as databases return it, counts as undefined. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
