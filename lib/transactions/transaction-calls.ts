import { Observable, defer } from 'rxjs';
import {
  callLimits,
  observe,
  type BerbixCallOptions,
  type CallLimits,
} from '../concurrency/index.js';
import { BerbixResponseError } from '../errors/index.js';
import type { BerbixAnswer, BerbixHttp, BerbixRequest } from '../http/index.js';
import { checkTokenAnswer, mergeTokens, type BerbixTokenService } from '../tokens/index.js';
import type { BerbixTokens, BerbixTokenRef } from '../values/index.js';
import { API_PATHS, WireReader, type CreateTransactionRequest } from '../wire/index.js';
import { UploadResultDto } from './dto/upload-result.dto.js';
import { CallTokens } from './call-tokens.js';

const CREATION = { method: 'POST', path: API_PATHS.transactions } as const;

/** Time limit of an upload in milliseconds: 20 MiB over a slow connection. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** The calls of the API, within the limits that the caller has set for each of them. */
export class TransactionCalls {
  constructor(
    private readonly http: BerbixHttp,
    private readonly tokens: BerbixTokenService,
  ) {}

  /** Creates a transaction. */
  create<T>(
    toWire: () => CreateTransactionRequest,
    result: (tokens: BerbixTokens, reader: WireReader) => T,
    options: BerbixCallOptions | undefined,
  ): Observable<T> {
    return defer(() => {
      const limits = callLimits(options);
      const body = toWire();
      const request: BerbixRequest = {
        ...CREATION,
        body,
        repeat: 'unless-done',
        subject: body.customer_uid,
      };
      return this.#request(request, limits, (answer) => {
        const tokens = mergeTokens(CREATION, undefined, checkTokenAnswer(CREATION, answer));
        return read(CREATION, answer, tokens, (reader) => result(tokens, reader));
      });
    });
  }

  /** Uploads a body with the client token, within a longer time limit. */
  upload(
    tokens: BerbixTokenRef,
    path: string,
    body: () => Uint8Array,
    options: BerbixCallOptions | undefined,
  ): Observable<UploadResultDto> {
    return this.send(
      tokens,
      () => ({
        method: 'POST',
        path,
        body: body(),
        timeoutMs: UPLOAD_TIMEOUT_MS,
        repeat: 'unless-done',
      }),
      UploadResultDto.fromWire,
      options,
      'clientToken',
    );
  }

  /** A call with a token of the transaction, which is refreshed if necessary. */
  send<T>(
    tokens: BerbixTokenRef,
    describe: () => BerbixRequest,
    result: (reader: WireReader, tokens: BerbixTokens) => T,
    options: BerbixCallOptions | undefined,
    kind: 'accessToken' | 'clientToken' = 'accessToken',
  ): Observable<T> {
    return defer(() => {
      const limits = callLimits(options);
      const request = describe();
      const callTokens = new CallTokens(this.tokens, tokens, limits);
      return callTokens.use(kind, (bearer, current) =>
        this.#request({ ...request, bearer, subject: current.refreshToken }, limits, (answer) =>
          read(request, answer, current, (reader) => result(reader, current)),
        ),
      );
    });
  }

  /** Sends a request for each subscriber; unsubscribing aborts it. */
  #request<T>(
    request: BerbixRequest,
    limits: CallLimits | undefined,
    make: (answer: BerbixAnswer) => T,
  ): Observable<T> {
    return observe((caller) => this.http.send(request, make, caller), limits);
  }
}

/** @throws {BerbixResponseError} that names the fields that break the contract of the API */
function read<T>(
  { method, path }: Pick<BerbixRequest, 'method' | 'path'>,
  { status, body, requestId }: BerbixAnswer,
  tokens: BerbixTokens,
  make: (reader: WireReader) => T,
): T {
  const reader = new WireReader(body ?? {});
  const made = make(reader);
  if (reader.problems.length === 0) return made;
  throw new BerbixResponseError(
    `The answer to ${method} ${path} breaks the contract of the API: ${reader.problems.join('; ')}.`,
    { method, path, status, requestId },
  ).withTokens(tokens);
}
