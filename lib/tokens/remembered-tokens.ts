import { BerbixInputError, readInput } from '../errors/index.js';
import { BerbixTokens, requireUid } from '../values/index.js';

/** What `remember()` takes. */
export interface RememberedTokens {
  tokens: BerbixTokens | string;
  customerUid?: string | undefined;
}

/** @throws {BerbixInputError} for tokens that could not be found again, or an invalid uid */
export function readRemembered(remembered: RememberedTokens): {
  tokens: BerbixTokens;
  customerUid: string | undefined;
} {
  const read = readInput('remember() takes { tokens, customerUid }.', () => ({
    tokens: BerbixTokens.from(remembered.tokens),
    customerUid: remembered.customerUid,
  }));
  if (read.customerUid === undefined && read.tokens.transactionId === undefined) {
    throw new BerbixInputError(
      'remember() needs a customerUid, or tokens whose transactionId is known, to find them by.',
    );
  }
  if (read.customerUid !== undefined) requireUid(read.customerUid);
  return read;
}
