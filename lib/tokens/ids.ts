import { BerbixInputError } from '../errors/index.js';

/** Each of them may take nine bytes in the key of a store, and an index of PostgreSQL takes 2,700. */
const MAX_UID_LENGTH = 256;

/** What most of them are. */
const PLAIN_UID = /^[\w-]{1,256}$/;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether it is the digits of a 64-bit integer. */
export function isTransactionId(id: unknown): id is string {
  return typeof id === 'string' && /^\d{1,20}$/.test(id);
}

/** @throws {BerbixInputError} when it is no transaction's id */
export function requireTransactionId(id: unknown): string {
  if (isTransactionId(id)) return id;
  throw new BerbixInputError('transactionId must be the digits of the id, as a string.');
}

/** @throws {BerbixInputError} that says why it cannot be a customer's uid */
export function requireUid(uid: unknown): string {
  if (typeof uid !== 'string' || uid === '') {
    throw new BerbixInputError(
      'customerUid must be a non-empty string. If it is undefined, look where it comes from.',
    );
  }
  if (PLAIN_UID.test(uid)) return uid;
  if (uid.length > MAX_UID_LENGTH) {
    throw new BerbixInputError(
      `customerUid has more than ${MAX_UID_LENGTH} characters. Take a shorter id of the customer.`,
    );
  }
  if (LONE_SURROGATE.test(uid)) {
    throw new BerbixInputError(
      'customerUid is no text that can be sent: it has half of a surrogate pair, such as of an emoji that was cut.',
    );
  }
  return uid;
}
