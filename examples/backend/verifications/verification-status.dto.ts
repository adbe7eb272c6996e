import type { Verification } from './verification.js';

/** What the customer's browser may know; nothing of it is secret. */
export class VerificationStatusDto {
  /** To name in a support request; null if Berbix has not named it yet. */
  transactionId!: string | null;

  startedAt!: Date;

  static of({ tokens, startedAt }: Verification): VerificationStatusDto {
    const transactionId = tokens.transactionId ?? null;
    return Object.assign(new VerificationStatusDto(), { transactionId, startedAt });
  }
}
