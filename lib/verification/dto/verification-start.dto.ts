import { inspect } from 'node:util';
import { REDACTED } from '../../errors/index.js';
import type { BerbixTokens } from '../../values/index.js';

/**
 * What the customer's browser or app needs to run the verification. It contains no other token, so
 * a controller can return it as it is.
 */
export class VerificationStartDto {
  /** The id of the transaction, to mention in a support request. */
  transactionId?: string | undefined;
  /**
   * Starts the Berbix front end; a new one is valid for an hour. Absent for a hosted verification.
   */
  clientToken?: string | undefined;
  /** When the client token expires. */
  expiresAt?: Date | undefined;
  /** The page on which the customer is verified. Absent unless the verification is hosted. */
  hostedUrl?: string | undefined;
  /** Whether this resumes an unfinished verification. */
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
      transactionId: {
        required: false,
        type: () => String,
        pattern: '^\\d+$',
        description: 'The id of the transaction, to mention in a support request.',
      },
      clientToken: {
        required: false,
        type: () => String,
        description:
          'Starts the Berbix front end; a new one is valid for an hour. Absent for a hosted verification.',
      },
      expiresAt: {
        required: false,
        type: () => Date,
        description: 'When the client token expires.',
      },
      hostedUrl: {
        required: false,
        type: () => String,
        format: 'uri',
        description:
          'The page on which the customer is verified. Absent unless the verification is hosted.',
      },
      isResumed: {
        required: true,
        type: () => Boolean,
        description: 'Whether this resumes an unfinished verification.',
      },
    };
  }

  /** A client token and the URL of a hosted page let anyone go on with the verification. */
  [inspect.custom](): string {
    const { clientToken: _, hostedUrl, ...rest } = this;
    const shown = { ...rest, [hostedUrl === undefined ? 'clientToken' : 'hostedUrl']: REDACTED };
    return `VerificationStartDto ${inspect(shown)}`;
  }
}
