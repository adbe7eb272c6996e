import { BerbixInputError, readInput } from '../errors/index.js';
import { BerbixTokens, requireUid } from '../values/index.js';

/** What `remember()` takes. */
export interface RememberedSession {
  tokens: BerbixTokens | string;
  customerUid?: string | undefined;
}

/** @throws {BerbixInputError} for tokens that could not be found again, or an invalid uid */
export function readSession(session: RememberedSession): {
  tokens: BerbixTokens;
  customerUid: string | undefined;
} {
  const read = readInput('remember() takes { tokens, customerUid }.', () => ({
    tokens: BerbixTokens.from(session.tokens),
    customerUid: session.customerUid,
  }));
  if (read.customerUid === undefined && read.tokens.transactionId === undefined) {
    throw new BerbixInputError(
      'remember() needs a customerUid, or tokens whose transactionId is known, to find them by.',
    );
  }
  if (read.customerUid !== undefined) requireUid(read.customerUid);
  return read;
}
