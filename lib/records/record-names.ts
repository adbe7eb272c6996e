import type { BerbixTokens, BerbixTransactionRef } from '../values/index.js';
import { hashOf, type TokenRecord } from './token-record.js';

/** Names of records. */
export const recordName = {
  transaction: (id: string): string => `transaction/${id}`,
  customer: (uid: string): string => `customer/${encodeURIComponent(uid)}`,
  /** That of a refresh token whose transaction was not known when it was added. */
  anonymous: (token: string): string => `anonymous/${hashOf(token)}`,
  /** Used only in the memory of this process: the name contains the token. */
  refreshToken: (token: string): string => `refresh-token/${token}`,
};

/** The transaction or customer that a name stands for; undefined for any other name. */
export function refNamed(name: string): BerbixTransactionRef | undefined {
  const slash = name.indexOf('/');
  const id = name.slice(slash + 1);
  switch (name.slice(0, slash)) {
    case 'transaction':
      return { transactionId: id };
    case 'customer':
      return { customerUid: decodeURIComponent(id) };
    default:
      return undefined;
  }
}

/**
 * The key of a new record. While the transaction is not known, replicas that remember the same
 * refresh token at the same time choose the same one (I5).
 */
export function keyFor({ refreshToken, transactionId }: BerbixTokens): string {
  return transactionId === undefined
    ? recordName.anonymous(refreshToken)
    : recordName.transaction(transactionId);
}

/** The names under which the tokens of a record are found. */
export function namesOf(key: string, { transactionId, customerUid }: TokenRecord): string[] {
  return [
    key,
    ...(transactionId === undefined ? [] : [recordName.transaction(transactionId)]),
    ...(customerUid === undefined ? [] : [recordName.customer(customerUid)]),
  ];
}

export function isCustomer(name: string): boolean {
  return name.startsWith('customer/');
}

/** Whether the key is that of a record whose transaction was not known when it was added. */
export function isAnonymous(key: string): boolean {
  return key.startsWith('anonymous/');
}

export function isNameOfRefreshToken(name: string): boolean {
  return name.startsWith('refresh-token/');
}
