import { Controller, Header, HttpCode, Inject, Options, Post, UseGuards } from '@nestjs/common';
import { API_PATHS, READABLE } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import { ClientTokenGuard, CurrentTransaction } from '../auth/transaction-token.guard.js';
import { ApiException } from '../errors/api.exception.js';
import type { JsonObject } from '../requests/fields.js';
import { JsonObjectBody } from '../requests/json-object-body.decorator.js';
import type { Transaction } from '../transactions/transaction.js';
import { UploadFlow } from './upload-flow.js';
import { presentUpload } from './upload.presenter.js';
import type { Upload } from './upload.js';
import { parseUploadIdScans } from './upload-id-scans.request.js';
import { parseUploadImages } from './upload-images.request.js';

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

  /** What a browser asks before it sends a request with a token. The wildcard is no wildcard for that header. */
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
