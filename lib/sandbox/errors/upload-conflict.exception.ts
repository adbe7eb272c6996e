import { type ApiConflictBody, READABLE, type UploadStep } from '../../wire/index.js';
import { ApiException } from './api.exception.js';

/** 409: the transaction waits for another upload, or for none. [sdk: node `_upload`, go `InvalidStateErr`] */
export class UploadConflictException extends ApiException {
  constructor(
    private readonly nextStep: UploadStep,
    message: string,
  ) {
    super(409, READABLE.wrongState, message);
  }

  /** Of another shape than all other refusals. */
  override toBody(): ApiConflictBody {
    return { next_step: this.nextStep, message: this.message };
  }
}
