import { Inject, Injectable } from '@nestjs/common';
import { Observable, catchError, defer, of, throwError } from 'rxjs';
import { BerbixGoneError, BerbixResponseError } from '../errors/index.js';
import { BerbixHttp, WireReader, type BerbixAnswer, type BerbixRequest } from '../http/index.js';
import {
  BerbixTokenService,
  checkTokenAnswer,
  mergeTokens,
  type BerbixTokens,
  type TokenRef,
} from '../tokens/index.js';
import { API_PATHS, type CreateTransactionRequest } from '../wire/index.js';
import type { OverrideTransactionDto, UpdateTransactionDto } from './dto/change-transaction.dto.js';
import type {
  CreateApiOnlyTransactionDto,
  CreateHostedTransactionDto,
  CreateTransactionDto,
} from './dto/create-transaction.dto.js';
import { ApiOnlyTransactionDto, HostedTransactionDto } from './dto/created-transaction.dto.js';
import { TransactionDto } from './dto/transaction.dto.js';
import { UploadResultDto } from './dto/upload-result.dto.js';
import { TokenSession } from './token-session.js';
import {
  apiOnlyCreationToWire,
  creationToWire,
  hostedCreationToWire,
  overrideToWire,
  updateToWire,
} from './to-wire.js';
import { idScanBody, imagesBody, type UploadData, type UploadImageDto } from './upload-body.js';

const CREATION = { method: 'POST', path: API_PATHS.transactions } as const;

const HTTP_GONE = 410;

/** Milliseconds for an upload: 20 MiB over a slow line. */
const UPLOAD_TIMEOUT_MS = 120_000;

/**
 * Everything that the official SDKs do with transactions.
 *
 * What works on a transaction takes its tokens, its stored refresh token, or whose it is where the
 * store knows it; it gets fresh tokens as `BerbixTokenService.fresh` does, and others once when the API
 * refuses the access token. Results have the tokens to store from then on in `tokens`; so has an
 * error, where the API may have replaced the refresh token before the call failed.
 *
 * All Observables are cold, emit once and complete; unsubscribing aborts. Beside what is listed with
 * a method they throw the errors of `BerbixTokenService.refresh`.
 */
@Injectable()
export class BerbixTransactionService {
  readonly #http: BerbixHttp;
  readonly #tokens: BerbixTokenService;

  constructor(
    @Inject(BerbixHttp) http: BerbixHttp,
    @Inject(BerbixTokenService) tokens: BerbixTokenService,
  ) {
    this.#http = http;
    this.#tokens = tokens;
  }

  /**
   * Creates a transaction for the front-end SDKs; emits its tokens. Store the refresh token before
   * you hand out the client token.
   *
   * The API makes a new transaction each time, even for the same customer [doc: docs/transactions],
   * so a creation whose answer was lost is not repeated.
   *
   * @throws {BerbixInputError} for what cannot be sent, misspelt names included
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(
   *   this.transactions.create({ customerUid: user.id, templateKey: this.templateKey }),
   * );
   * ```
   */
  create(transaction: CreateTransactionDto): Observable<BerbixTokens> {
    return this.#create(
      () => creationToWire(transaction),
      (tokens) => tokens,
    );
  }

  /**
   * Creates a transaction on a page of Berbix's; emits its URL and tokens.
   *
   * @throws {BerbixInputError} for what cannot be sent, misspelt names included
   */
  createHosted(transaction: CreateHostedTransactionDto): Observable<HostedTransactionDto> {
    return this.#create(
      () => hostedCreationToWire(transaction),
      (tokens, reader) => new HostedTransactionDto(reader.required('hosted_url'), tokens),
    );
  }

  /**
   * Creates a transaction whose images you upload; emits the first step and its tokens. Berbix
   * enables this per account. [doc: docs/api-only-integration-guide]
   *
   * @throws {BerbixInputError} for what cannot be sent, misspelt names included
   */
  createApiOnly(transaction: CreateApiOnlyTransactionDto): Observable<ApiOnlyTransactionDto> {
    return this.#create(
      () => apiOnlyCreationToWire(transaction),
      (tokens, reader) => new ApiOnlyTransactionDto(reader.required('first_step'), tokens),
    );
  }

  /** Fetches a transaction and what came of it; an unfinished one has no action. */
  fetch(tokens: TokenRef): Observable<TransactionDto> {
    const request = { method: 'GET', path: API_PATHS.transactions, repeat: 'always' } as const;
    return this.#call(tokens, () => request, TransactionDto.fromWire);
  }

  /**
   * Changes the action of a completed transaction; emits it as it is then.
   *
   * @throws {BerbixConflictError} when it is not completed
   * @throws {BerbixInputError} for what cannot be sent
   */
  update(tokens: TokenRef, change: UpdateTransactionDto): Observable<TransactionDto> {
    return this.#call(
      tokens,
      () => ({
        method: 'PATCH',
        path: API_PATHS.transactions,
        body: updateToWire(change),
        repeat: 'unless-done',
      }),
      TransactionDto.fromWire,
    );
  }

  /**
   * Completes a transaction of test mode with a result of your choice; emits the tokens.
   * [doc: docs/testing]
   *
   * @throws {BerbixConflictError} when it is completed already
   * @throws {BerbixInputError} for what cannot be sent
   */
  override(tokens: TokenRef, result: OverrideTransactionDto): Observable<BerbixTokens> {
    return this.#call(
      tokens,
      () => ({
        method: 'PATCH',
        path: API_PATHS.override,
        body: overrideToWire(result),
        repeat: 'unless-done',
      }),
      (_reader, current) => current,
    );
  }

  /**
   * Deletes a transaction and all that was submitted to it, for good; emits undefined. One that is
   * gone at Berbix already counts as deleted, so that this can be repeated.
   *
   * @throws {BerbixGoneError} without a `status` when the tokens were removed from the store: nothing
   * can be deleted without them
   */
  delete(tokens: TokenRef): Observable<undefined> {
    const request = { method: 'DELETE', path: API_PATHS.transactions, repeat: 'always' } as const;
    return this.#call(
      tokens,
      () => request,
      () => undefined,
    ).pipe(
      catchError((error: unknown) =>
        // Without a status it is the store that has no tokens any more, and Berbix was not asked.
        error instanceof BerbixGoneError && error.status === HTTP_GONE
          ? of(undefined)
          : throwError(() => error),
      ),
    );
  }

  /**
   * Uploads images to an API-only transaction; emits what to upload next. Front, left and right
   * selfie go together, anything else alone. [doc: reference/uploadimages] It has two minutes, in
   * place of `timeoutMs` and `totalTimeoutMs`.
   *
   * @param images bytes or base64; at most 20 MiB in all, encoded
   * @throws {BerbixConflictError} when the transaction waits for something else: `nextStep`
   * @throws {BerbixInputError} for what cannot be sent, such as an image above the limit
   */
  uploadImages(tokens: TokenRef, images: readonly UploadImageDto[]): Observable<UploadResultDto> {
    return this.#upload(tokens, API_PATHS.images, () => imagesBody(images));
  }

  /**
   * Uploads the PDF417 barcode of an ID, from a scanner; emits what to upload next. Weaker against
   * fraud than images. [doc: reference/idscans] It has two minutes, as `uploadImages` has.
   *
   * @param extractedData bytes or base64
   * @throws {BerbixConflictError} when the transaction waits for something else: `nextStep`
   * @throws {BerbixInputError} for what cannot be sent
   */
  uploadIdScan(tokens: TokenRef, extractedData: UploadData): Observable<UploadResultDto> {
    return this.#upload(tokens, API_PATHS.idScans, () => idScanBody(extractedData));
  }

  #create<T>(
    toWire: () => CreateTransactionRequest,
    result: (tokens: BerbixTokens, reader: WireReader) => T,
  ): Observable<T> {
    return defer(() => {
      const body = toWire();
      const request: BerbixRequest = {
        ...CREATION,
        body,
        repeat: 'unless-done',
        subject: body.customer_uid,
      };
      return this.#http.send(request, (answer) => {
        const tokens = mergeTokens(CREATION, undefined, checkTokenAnswer(CREATION, answer));
        return read(CREATION, answer, tokens, (reader) => result(tokens, reader));
      });
    });
  }

  #upload(tokens: TokenRef, path: string, body: () => Uint8Array): Observable<UploadResultDto> {
    return this.#call(
      tokens,
      () => ({
        method: 'POST',
        path,
        body: body(),
        timeoutMs: UPLOAD_TIMEOUT_MS,
        repeat: 'unless-done',
      }),
      UploadResultDto.fromWire,
      'clientToken',
    );
  }

  /** A call with a token of the transaction, which is refreshed as needed. */
  #call<T>(
    tokens: TokenRef,
    describe: () => BerbixRequest,
    result: (reader: WireReader, tokens: BerbixTokens) => T,
    kind: 'accessToken' | 'clientToken' = 'accessToken',
  ): Observable<T> {
    return defer(() => {
      const request = describe();
      const session = new TokenSession(this.#tokens, tokens);
      return session.use(kind, (bearer, current) =>
        this.#http.send({ ...request, bearer, subject: current.refreshToken }, (answer) =>
          read(request, answer, current, (reader) => result(reader, current)),
        ),
      );
    });
  }
}

/** @throws {BerbixResponseError} that names the fields which are not as the API promises */
function read<T>(
  { method, path }: Pick<BerbixRequest, 'method' | 'path'>,
  { body, requestId }: BerbixAnswer,
  tokens: BerbixTokens,
  make: (reader: WireReader) => T,
): T {
  const reader = new WireReader(body ?? {});
  const made = make(reader);
  if (reader.problems.length === 0) return made;
  throw new BerbixResponseError(
    `The answer to ${method} ${path} is not what the API promises: ${reader.problems.join('; ')}.`,
    { method, path, status: 200, requestId },
  ).withTokens(tokens);
}
