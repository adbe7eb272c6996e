import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
  NotFoundException,
  StreamableFile,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { READABLE } from '../../wire/index.js';
import { ApiException } from './api-exception.js';

/** JSON with integers of any size. */
export type ApiJson =
  | string
  | number
  | boolean
  | bigint
  | null
  | undefined
  | readonly ApiJson[]
  | { readonly [name: string]: ApiJson };

/** Content type of every answer of the API. */
export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/**
 * Like `JSON.stringify`, which refuses a bigint: it becomes an integer with all of its digits. A
 * number above 2^53 would have lost some already. [sdk: go int64]
 */
export function toApiJson(value: ApiJson): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (isList(value)) return `[${value.map(toApiJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${toApiJson(member)}`);
  return `{${members.join(',')}}`;
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: object): value is readonly ApiJson[] {
  return Array.isArray(value);
}

/**
 * For answers that are not pages. A browser that shows one, such as the HTML of a fault, runs no
 * script in it and gives it no origin.
 */
export const INERT_HEADERS = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
} as const;

/** Answers may override these. */
const DEFAULT_HEADERS = {
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
} as const;

/** Adds them to every answer, whatever writes it; only pages can override {@link INERT_HEADERS}. */
export function setCommonHeaders(response: ServerResponse, isPage: boolean, id: string): void {
  beforeHead(response, () => {
    const common = { ...DEFAULT_HEADERS, 'x-request-id': id, ...(isPage && INERT_HEADERS) };
    for (const [name, value] of Object.entries(common)) {
      if (!response.hasHeader(name)) response.setHeader(name, value);
    }
    if (isPage) return;
    for (const [name, value] of Object.entries(INERT_HEADERS)) response.setHeader(name, value);
  });
}

/**
 * Calls back when status and headers are known and can still be changed: every answer goes through
 * `writeHead` before anything is sent.
 */
export function beforeHead(response: ServerResponse, prepare: () => void): void {
  const { writeHead } = response;
  response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]) {
    this.statusCode = status;
    const headers = rest.find((argument) => typeof argument === 'object') as
      | OutgoingHttpHeaders
      | undefined;
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (value !== undefined) this.setHeader(name, value);
    }
    prepare();
    return Reflect.apply(writeHead, this, [this.statusCode]) as ServerResponse;
  } as ServerResponse['writeHead'];
}

/** A complete answer. */
export interface Reply {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

/** Sends the whole answer. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  sendHead(response, reply);
  response.end(reply.body);
}

/** Sends the head, with the length of the whole body if the status allows one. */
export function sendHead(response: ServerResponse, { status, headers, body }: Reply): void {
  const length = isBodiless(status) ? {} : { 'content-length': body.length };
  response.writeHead(status, { ...headers, ...length });
}

/** [RFC 9110 section 6.4.1] */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** A refusal from outside of the Nest application. */
export function errorReply(error: ApiException): Reply {
  return jsonReply(error.code, { ...error.toBody() });
}

/** JSON, or a string that is sent unchanged. */
export function jsonReply(status: number, body: ApiJson): Reply {
  const text = typeof body === 'string' ? body : toApiJson(body);
  return { status, headers: { 'content-type': JSON_CONTENT_TYPE }, body: Buffer.from(text) };
}

/** Writes the result of a handler as JSON; `undefined` is an empty body. */
@Injectable()
export class ApiJsonInterceptor implements NestInterceptor<ApiJson, string | undefined> {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler<ApiJson>): Observable<string | undefined> {
    return next.handle().pipe(
      map((answer) => {
        if (answer === undefined) return undefined;
        const response = context.switchToHttp().getResponse<unknown>();
        this.adapterHost.httpAdapter.setHeader(response, 'Content-Type', JSON_CONTENT_TYPE);
        return toApiJson(answer);
      }),
    );
  }
}

/** Sends what a handler with `@Res()` writes itself, in the same way on both platforms. */
@Injectable()
export class ResponseWriter {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  /** @param headers must include the content type if there is a body */
  send(
    response: unknown,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string | Buffer = '',
  ): void {
    const { httpAdapter } = this.adapterHost;
    for (const [name, value] of Object.entries(headers)) {
      httpAdapter.setHeader(response, name, value);
    }
    // The adapter for Express would write a Buffer as JSON.
    const content = typeof body === 'string' ? body : new StreamableFile(body);
    httpAdapter.reply(response, content, status);
  }
}

/** Answers an exception with an error of the API. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('BerbixSandbox');

  constructor(@Inject(ResponseWriter) private readonly writer: ResponseWriter) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const refusal = refusalFor(error, this.#logger);
    const headers = { 'Content-Type': JSON_CONTENT_TYPE, ...refusal.headers };
    const response = host.switchToHttp().getResponse<unknown>();
    this.writer.send(response, refusal.code, headers, toApiJson({ ...refusal.toBody() }));
  }
}

/** The exception to answer with; what is a bug is logged. */
export function refusalFor(error: unknown, logger: Logger): ApiException {
  if (error instanceof ApiException) return error;
  // Both adapters throw it if no route matches.
  if (error instanceof NotFoundException) return unknownRoute();
  logger.error(error instanceof Error ? error.stack : String(error));
  return new ApiException(
    500,
    READABLE.internalError,
    'The sandbox failed to answer. This is a bug in nestjs-berbix; please report it.',
  );
}

/** No route matches. */
export function unknownRoute(): ApiException {
  return new ApiException(
    404,
    READABLE.notFound,
    'No such route. Check the method and the path: the API has POST, GET, PATCH and DELETE /v0/transactions, PATCH /v0/transactions/override, POST /v0/tokens, POST /v0/images/upload and POST /v0/idscans/upload. The sandbox has a page at /, and lists its control API at /sandbox.',
  );
}
