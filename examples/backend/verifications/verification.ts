import type { BerbixTokens } from 'nestjs-berbix';

/** A customer's verification, as it is stored. */
export interface Verification {
  customerUid: string;
  /** The transaction's id and its refresh token; logged or turned into JSON it shows no secret. */
  tokens: BerbixTokens;
  startedAt: Date;
}

/** What of the tokens is stored; the others are good for an hour only. */
export interface Storable {
  readonly refreshToken: string;
  readonly transactionId?: string | undefined;
}
