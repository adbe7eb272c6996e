import { readInput } from '../errors/index.js';
import {
  BerbixTokens,
  TOKEN_REF_EXPECTED,
  isTransactionRef,
  requireTransactionRef,
  type BerbixTokenRef,
  type BerbixTransactionRef,
} from '../values/index.js';
import { recordName } from './record-names.js';

/**
 * A lookup: a name, the transaction or customer it stands for, and tokens that the caller passed.
 */
export interface TokenQuery {
  readonly name: string;
  readonly owner?: BerbixTransactionRef | undefined;
  readonly given?: BerbixTokens | undefined;
}

/**
 * The lookup for a reference.
 *
 * @throws {BerbixInvalidRefreshTokenError} if the refresh token is empty, missing or malformed
 * @throws {BerbixInputError} if it does not refer to tokens
 */
export function queryOf(ref: BerbixTokenRef): TokenQuery {
  if (readInput(TOKEN_REF_EXPECTED, () => isTransactionRef(ref))) return refQuery(ref);
  const given = BerbixTokens.from(ref as BerbixTokens | string);
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
export function refQuery(ref: unknown): TokenQuery & { owner: BerbixTransactionRef } {
  const owner = requireTransactionRef(ref);
  const name =
    'transactionId' in owner
      ? recordName.transaction(owner.transactionId)
      : recordName.customer(owner.customerUid);
  return { name, owner };
}
