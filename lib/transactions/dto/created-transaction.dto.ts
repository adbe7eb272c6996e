import { compareByTokens } from '../../errors/index.js';
import type { BerbixTokens } from '../../values/index.js';

/** A new hosted transaction. */
export class HostedTransactionDto {
  /**
   * The page on which the user is verified; safe to pass to them, and valid until it expires.
   * [doc: docs/create-hosted-transaction]
   */
  readonly hostedUrl: string;
  readonly #tokens: BerbixTokens;

  constructor(hostedUrl: string, tokens: BerbixTokens) {
    this.hostedUrl = hostedUrl;
    this.#tokens = tokens;
    compareByTokens(this);
  }

  /** The tokens to store; not part of the JSON. */
  get tokens(): BerbixTokens {
    return this.#tokens;
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      hostedUrl: {
        required: true,
        type: () => String,
        format: 'uri',
        description:
          'The page on which the user is verified; safe to pass to them, and valid until it expires.',
      },
    };
  }
}

/** A new transaction with uploads from the backend. */
export class ApiOnlyTransactionDto {
  /**
   * What to upload first, such as `upload_document_front`. [doc: docs/api-only-integration-guide]
   */
  readonly firstStep: string;
  readonly #tokens: BerbixTokens;

  constructor(firstStep: string, tokens: BerbixTokens) {
    this.firstStep = firstStep;
    this.#tokens = tokens;
    compareByTokens(this);
  }

  /** The tokens to store; not part of the JSON. */
  get tokens(): BerbixTokens {
    return this.#tokens;
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      firstStep: {
        required: true,
        type: () => String,
        description: 'What to upload first, such as `upload_document_front`.',
      },
    };
  }
}
