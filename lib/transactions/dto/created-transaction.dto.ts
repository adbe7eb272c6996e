import { compareByTokens } from '../../errors/index.js';
import type { BerbixTokens } from '../../tokens/index.js';

/** A hosted transaction that was created. */
export class HostedTransactionDto {
  /** Where the user goes to be verified; safe to hand out, good until it expires. [doc: docs/create-hosted-transaction] */
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
    return { hostedUrl: { required: true, type: () => String } };
  }
}

/** A transaction with uploads from the backend that was created. */
export class ApiOnlyTransactionDto {
  /** What to upload first, such as `upload_document_front`. [doc: docs/api-only-integration-guide] */
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
    return { firstStep: { required: true, type: () => String } };
  }
}
