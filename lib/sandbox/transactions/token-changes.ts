import { READABLE } from '../../wire/index.js';
import { ApiException } from '../http/api-exception.js';
import type { Transaction } from './transaction.js';

/**
 * The transaction with another refresh token, which replaces the current one.
 *
 * @throws {ApiException} 409 if its refresh token was revoked
 */
export function withNextRefreshToken(transaction: Transaction, now: number): Transaction {
  const { generation, revoked } = transaction.rotation;
  if (revoked) throw alreadyRevoked();
  return { ...transaction, rotation: { generation: generation + 1, rotatedAt: now } };
}

/** The transaction without a refresh token that works. */
export function withoutRefreshToken(transaction: Transaction): Transaction {
  return { ...transaction, rotation: { ...transaction.rotation, revoked: true } };
}

/** The transaction, of which no access and client token so far works. */
export function withExpiredTokens(transaction: Transaction): Transaction {
  return { ...transaction, expirations: (transaction.expirations ?? 0) + 1 };
}

function alreadyRevoked(): ApiException {
  return new ApiException(
    409,
    READABLE.wrongState,
    'The refresh token of the transaction was revoked, so it cannot be replaced. Create a new transaction.',
  );
}
