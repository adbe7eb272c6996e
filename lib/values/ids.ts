import { BerbixInputError } from '../errors/index.js';
import { TRANSACTION_ID } from '../wire/index.js';

/**
 * A character may take nine bytes in a store key, and a key of a PostgreSQL index has at most 2,700
 * bytes.
 */
const MAX_UID_LENGTH = 256;

/** The usual form of a uid, which needs no further checks. */
const PLAIN_UID = /^[\w-]{1,256}$/;

/** Whether it consists of the digits of a 64-bit integer. */
export function isTransactionId(id: unknown): id is string {
  return typeof id === 'string' && TRANSACTION_ID.test(id);
}

/** @throws {BerbixInputError} if it is not a transaction id */
export function requireTransactionId(id: unknown): string {
  if (isTransactionId(id)) return id;
  throw new BerbixInputError('transactionId must be the digits of the id, as a string.');
}

/** @throws {BerbixInputError} that says why it is not a valid customer uid */
export function requireUid(uid: unknown): string {
  if (typeof uid !== 'string' || uid === '') {
    throw new BerbixInputError(
      'customerUid must be a non-empty string. If it is undefined, check where it comes from.',
    );
  }
  if (PLAIN_UID.test(uid)) return uid;
  if (uid.length > MAX_UID_LENGTH) {
    throw new BerbixInputError(
      `customerUid has more than ${MAX_UID_LENGTH} characters. Use a shorter id of the customer.`,
    );
  }
  if (hasLoneSurrogate(uid)) {
    throw new BerbixInputError(
      'customerUid cannot be sent: it contains half of a surrogate pair, for example of a truncated emoji.',
    );
  }
  return uid;
}

/** Whether the text has half of a surrogate pair, which cannot be sent. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
