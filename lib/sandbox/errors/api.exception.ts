import { HttpException } from '@nestjs/common';
import { type ApiConflictBody, type ApiErrorBody, READABLE } from '../../wire/index.js';

/** A word for the refusal that programs can compare. */
export type Readable = (typeof READABLE)[keyof typeof READABLE];

/** A refusal in the API's own words. The message says what to do, and repeats no secret. */
export class ApiException extends HttpException {
  constructor(
    readonly code: number,
    readonly readable: Readable,
    message: string,
    /** Further headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message, code);
  }

  /** `{code, readable, message}`, where `code` repeats the status. [sdk: go@experimental] */
  toBody(): ApiErrorBody | ApiConflictBody {
    return { code: this.code, readable: this.readable, message: this.message };
  }
}

/** 400: the request itself is wrong; sending it again will not help. ASSUMPTION: the status; only `readable` and 4xx are known. */
export function invalidRequest(message: string): ApiException {
  return new ApiException(400, READABLE.invalidRequest, message);
}

/** 410: the transaction was deleted or purged. ASSUMPTION, by analogy with uploads. [sdk: go@experimental] */
export function transactionGone(): ApiException {
  return new ApiException(
    410,
    READABLE.transactionGone,
    'This transaction was deleted, or purged after its time. Create a new one.',
  );
}
