import type { BerbixTokens } from '../../tokens/index.js';

/**
 * What the customer's browser or app needs to run the verification; it holds no other token, so that a
 * controller can answer it as it is.
 */
export class VerificationStartDto {
  /** The digits of the transaction's id, to name in a support request. */
  transactionId?: string | undefined;
  /** Starts the Berbix front end until `expiresAt`: for an hour at first. Absent for a hosted verification. */
  clientToken?: string | undefined;
  /** When the client token ends. */
  expiresAt?: Date | undefined;
  /** Where the customer goes to be verified. Absent unless the verification is hosted. */
  hostedUrl?: string | undefined;
  /** Whether an unfinished verification is taken up again. */
  isResumed!: boolean;

  /** @internal */
  static of(
    tokens: BerbixTokens,
    hostedUrl: string | undefined,
    isResumed: boolean,
  ): VerificationStartDto {
    const { transactionId, clientToken, expiresAt } = tokens;
    return Object.assign(
      new VerificationStartDto(),
      hostedUrl === undefined
        ? { transactionId, clientToken, expiresAt, isResumed }
        : { transactionId, hostedUrl, isResumed },
    );
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      transactionId: { required: false, type: () => String },
      clientToken: { required: false, type: () => String },
      expiresAt: { required: false, type: () => Date },
      hostedUrl: { required: false, type: () => String },
      isResumed: { required: true, type: () => Boolean },
    };
  }
}
