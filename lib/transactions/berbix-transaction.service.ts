import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { Observable, catchError, of, throwError } from 'rxjs';
import type { BerbixCallOptions } from '../concurrency/index.js';
import { BerbixGoneError } from '../errors/index.js';
import { BerbixHttp, type BerbixRequest } from '../http/index.js';
import { traced } from '../telemetry/index.js';
import { BerbixTokenService } from '../tokens/index.js';
import type { BerbixTokens, BerbixTokenRef } from '../values/index.js';
import { API_PATHS } from '../wire/index.js';
import type { OverrideTransactionDto, UpdateTransactionDto } from './dto/change-transaction.dto.js';
import type {
  CreateApiOnlyTransactionDto,
  CreateHostedTransactionDto,
  CreateTransactionDto,
} from './dto/create-transaction.dto.js';
import { ApiOnlyTransactionDto, HostedTransactionDto } from './dto/created-transaction.dto.js';
import { TransactionDto } from './dto/transaction.dto.js';
import type { UploadResultDto } from './dto/upload-result.dto.js';
import {
  apiOnlyCreationToWire,
  creationToWire,
  hostedCreationToWire,
  overrideToWire,
  updateToWire,
} from './to-wire.js';
import { TransactionCalls } from './transaction-calls.js';
import { idScanBody, imagesBody, type UploadData, type UploadImageDto } from './upload-body.js';

/**
 * Everything that the official SDKs do with transactions.
 *
 * Methods on a transaction take its tokens, its refresh token, or the transaction or customer of
 * stored tokens. They get fresh tokens as `BerbixTokenService.fresh` does, and once more if the API
 * refuses the access token. Results have the tokens to store from then on in `tokens`. An error has
 * them too, if the API may have replaced the refresh token before the call failed.
 *
 * All Observables are cold, emit once and complete; unsubscribing aborts the call, and so does the
 * `signal` of its last argument, whose `timeoutMs` limits its time. In addition to the errors of each
 * method, they throw those of `BerbixTokenService.refresh`.
 */
@Injectable()
export class BerbixTransactionService {
  readonly #calls: TransactionCalls;

  constructor(
    @Inject(BerbixHttp) http: BerbixHttp,
    @Inject(BerbixTokenService) tokens: BerbixTokenService,
  ) {
    this.#calls = new TransactionCalls(http, tokens);
  }

  /**
   * Creates a transaction for the front-end SDKs; emits its tokens. Store the refresh token before
   * you pass the client token to a browser.
   *
   * The API creates a new transaction each time, even for the same customer, so a creation whose
   * answer was lost is not repeated. [doc: docs/transactions]
   *
   * @throws {BerbixInputError} for invalid fields, also misspelled names
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(
   *   this.transactions.create({ customerUid: user.id, templateKey: this.templateKey }),
   * );
   * ```
   */
  create(
    transaction: CreateTransactionDto,
    callOptions?: BerbixCallOptions,
  ): Observable<BerbixTokens> {
    return traced(
      'berbix.transaction.create',
      this.#calls.create(
        () => creationToWire(transaction),
        (tokens) => tokens,
        callOptions,
      ),
    );
  }

  /**
   * Creates a transaction on a page at Berbix; emits its URL and tokens.
   *
   * @throws {BerbixInputError} for invalid fields, also misspelled names
   */
  createHosted(
    transaction: CreateHostedTransactionDto,
    callOptions?: BerbixCallOptions,
  ): Observable<HostedTransactionDto> {
    return traced(
      'berbix.transaction.create_hosted',
      this.#calls.create(
        () => hostedCreationToWire(transaction),
        (tokens, reader) => new HostedTransactionDto(reader.required('hosted_url'), tokens),
        callOptions,
      ),
    );
  }

  /**
   * Creates a transaction whose images you upload; emits the first step and its tokens. Berbix
   * enables this per account. [doc: docs/api-only-integration-guide]
   *
   * @throws {BerbixInputError} for invalid fields, also misspelled names
   */
  createApiOnly(
    transaction: CreateApiOnlyTransactionDto,
    callOptions?: BerbixCallOptions,
  ): Observable<ApiOnlyTransactionDto> {
    return traced(
      'berbix.transaction.create_api_only',
      this.#calls.create(
        () => apiOnlyCreationToWire(transaction),
        (tokens, reader) => new ApiOnlyTransactionDto(reader.required('first_step'), tokens),
        callOptions,
      ),
    );
  }

  /** Fetches a transaction with its result; an unfinished one has no action. */
  fetch(tokens: BerbixTokenRef, callOptions?: BerbixCallOptions): Observable<TransactionDto> {
    const request = { method: 'GET', path: API_PATHS.transactions, repeat: 'always' } as const;
    return traced(
      'berbix.transaction.fetch',
      this.#calls.send(tokens, () => request, TransactionDto.fromWire, callOptions),
    );
  }

  /**
   * Changes the action of a completed transaction; emits the changed transaction.
   *
   * @throws {BerbixConflictError} if it is not completed
   * @throws {BerbixInputError} for invalid fields
   */
  update(
    tokens: BerbixTokenRef,
    change: UpdateTransactionDto,
    callOptions?: BerbixCallOptions,
  ): Observable<TransactionDto> {
    return traced(
      'berbix.transaction.update',
      this.#calls.send(
        tokens,
        () => patch(API_PATHS.transactions, updateToWire(change)),
        TransactionDto.fromWire,
        callOptions,
      ),
    );
  }

  /**
   * Completes a transaction of test mode with a chosen result; emits the tokens.
   * [doc: docs/testing]
   *
   * @throws {BerbixConflictError} if it is already completed
   * @throws {BerbixInputError} for invalid fields
   */
  override(
    tokens: BerbixTokenRef,
    result: OverrideTransactionDto,
    callOptions?: BerbixCallOptions,
  ): Observable<BerbixTokens> {
    return traced(
      'berbix.transaction.override',
      this.#calls.send(
        tokens,
        () => patch(API_PATHS.override, overrideToWire(result)),
        (_reader, current) => current,
        callOptions,
      ),
    );
  }

  /**
   * Deletes a transaction permanently, with everything that was submitted to it; emits undefined.
   * It also succeeds if the transaction is already gone at Berbix, so it can be repeated.
   *
   * @throws {BerbixGoneError} without a `status` if the tokens were removed from the store: nothing
   * can be deleted without them
   */
  delete(tokens: BerbixTokenRef, callOptions?: BerbixCallOptions): Observable<undefined> {
    const request = { method: 'DELETE', path: API_PATHS.transactions, repeat: 'always' } as const;
    return traced(
      'berbix.transaction.delete',
      this.#calls
        .send(
          tokens,
          () => request,
          () => undefined,
          callOptions,
        )
        .pipe(
          catchError((error: unknown) =>
            // Without a status, the store has no tokens any more, and Berbix was not called.
            error instanceof BerbixGoneError && error.status === HttpStatus.GONE
              ? of(undefined)
              : throwError(() => error),
          ),
        ),
    );
  }

  /**
   * Uploads images to an API-only transaction; emits what to upload next. Upload the front, left
   * and right selfie together, and all other images one by one. [doc: reference/uploadimages] The
   * time limit is two minutes, instead of `timeoutMs` and `totalTimeoutMs`, unless the call has one.
   *
   * @param images bytes or base64; in total at most 20 MiB, encoded
   * @throws {BerbixConflictError} if the transaction expects another upload: see `nextStep`
   * @throws {BerbixInputError} for invalid fields, or images above the limit
   */
  uploadImages(
    tokens: BerbixTokenRef,
    images: readonly UploadImageDto[],
    callOptions?: BerbixCallOptions,
  ): Observable<UploadResultDto> {
    return traced(
      'berbix.transaction.upload_images',
      this.#calls.upload(tokens, API_PATHS.images, () => imagesBody(images), callOptions),
    );
  }

  /**
   * Uploads the PDF417 barcode of an ID, from a scanner; emits what to upload next. It protects
   * less against fraud than images. [doc: reference/idscans] The time limit is two minutes.
   *
   * @param extractedData bytes or base64
   * @throws {BerbixConflictError} if the transaction expects another upload: see `nextStep`
   * @throws {BerbixInputError} for invalid data
   */
  uploadIdScan(
    tokens: BerbixTokenRef,
    extractedData: UploadData,
    callOptions?: BerbixCallOptions,
  ): Observable<UploadResultDto> {
    return traced(
      'berbix.transaction.upload_id_scan',
      this.#calls.upload(tokens, API_PATHS.idScans, () => idScanBody(extractedData), callOptions),
    );
  }
}

function patch(path: string, body: object): BerbixRequest {
  return { method: 'PATCH', path, body, repeat: 'unless-done' };
}
