import { HttpException } from '@nestjs/common';
import {
  type ApiConflictBody,
  type ApiErrorBody,
  READABLE,
  type UploadStep,
} from '../../wire/index.js';

/** A word that programs can compare. */
export type Readable = (typeof READABLE)[keyof typeof READABLE];

/** A refusal in the documentation: status, word, reason, and whether it has `Retry-After`. */
export type Refusal = readonly [
  status: number,
  readable: keyof typeof READABLE,
  when: string,
  hasRetryAfter?: true,
];

/** An error of the API. The message says what to do, and quotes no secret. */
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

/** 400: the request itself is wrong. ASSUMPTION: the status; only `readable` and 4xx are known. */
export function invalidRequest(message: string): ApiException {
  return new ApiException(400, READABLE.invalidRequest, message);
}

/**
 * What a change that was requested returns.
 *
 * @throws {ApiException} 400 for any exception: it is the mistake of the caller
 */
export function orInvalid<Result>(change: () => Result): Result {
  try {
    return change();
  } catch (error) {
    throw invalidRequest((error as Error).message);
  }
}

/** 404: what the path names does not exist. */
export function notFound(message: string): ApiException {
  return new ApiException(404, READABLE.notFound, message);
}

/** 410: the transaction was deleted or purged. ASSUMPTION, by analogy with uploads. [sdk: go@experimental] */
export function transactionGone(): ApiException {
  return new ApiException(
    410,
    READABLE.transactionGone,
    'This transaction was deleted, or purged after its time. Create a new one.',
  );
}

/** 409: the transaction expects another upload, or none. [sdk: node `_upload`, go `InvalidStateErr`] */
export class UploadConflictException extends ApiException {
  constructor(
    private readonly nextStep: UploadStep,
    message: string,
  ) {
    super(409, READABLE.wrongState, message);
  }

  /** Its shape differs from all other errors. */
  override toBody(): ApiConflictBody {
    return { next_step: this.nextStep, message: this.message };
  }
}

/** The header of a 401 that says how to authenticate. [RFC 9110 section 11.6.1] */
export function challenge(scheme: 'Basic' | 'Bearer'): Readonly<Record<string, string>> {
  return { 'WWW-Authenticate': `${scheme} realm="Berbix sandbox"` };
}
