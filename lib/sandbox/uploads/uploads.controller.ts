import { Controller, Header, HttpCode, Inject, Options, Post, UseGuards } from '@nestjs/common';
import { API_PATHS, READABLE, UPLOAD_STEPS } from '../../wire/index.js';
import type { ApiJson } from '../http/api-json.js';
import { ApiException } from '../http/api-exception.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { ClientTokenGuard, CurrentTransaction } from '../transactions/transaction-token.guard.js';
import type { Transaction } from '../transactions/transaction.js';
import { UploadFlow, type UploadOutcome } from './upload-flow.js';
import { parseUploadIdScans, parseUploadImages, type Upload } from './upload-requests.js';

/** Uploads, by a backend or by a page of any origin. [doc: reference/uploadimages, idscans] */
@Controller()
export class UploadsController {
  constructor(@Inject(UploadFlow) private readonly flow: UploadFlow) {}

  @Post(API_PATHS.images)
  @HttpCode(200)
  @UseGuards(ClientTokenGuard)
  uploadImages(
    @CurrentTransaction() transaction: Transaction,
    @JsonObjectBody() body: JsonObject,
  ): Promise<ApiJson> {
    return this.#take(transaction, () => parseUploadImages(body));
  }

  @Post(API_PATHS.idScans)
  @HttpCode(200)
  @UseGuards(ClientTokenGuard)
  uploadIdScan(
    @CurrentTransaction() transaction: Transaction,
    @JsonObjectBody() body: JsonObject,
  ): Promise<ApiJson> {
    return this.#take(transaction, () => parseUploadIdScans(body));
  }

  /** CORS preflight. The wildcard does not include `Authorization`. */
  @Options([API_PATHS.images, API_PATHS.idScans])
  @HttpCode(204)
  @Header('Access-Control-Allow-Methods', 'POST')
  @Header('Access-Control-Allow-Headers', 'Authorization, *')
  @Header('Access-Control-Max-Age', '600')
  preflight(): void {}

  async #take({ id, kind }: Transaction, parse: () => Upload): Promise<ApiJson> {
    if (kind !== 'apiOnly') throw notApiOnly();
    return presentUpload(await this.flow.take(id, parse()));
  }
}

/** ASSUMPTION: the status. */
function notApiOnly(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'Only API-only transactions take uploads. Create one with api_only_options.',
  );
}

/** The answer to both uploads. [doc: reference/uploadimages] [sdk: node, go@experimental] */
export function presentUpload({ transaction, issues }: UploadOutcome): ApiJson {
  const [nextStep = UPLOAD_STEPS.done] =
    transaction.state.status === 'open' ? transaction.state.steps : [];
  return {
    issues,
    issue_details: issues.includes('unsupported_id_type')
      ? // ASSUMPTION: an unsupported page of a passport is one with a visa.
        { unsupported_id_type: { visa_page_of_passport: transaction.idType === 'P' } }
      : {},
    next_step: nextStep,
  };
}
