import { Catch, HttpException, HttpStatus, Logger, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';
import { BerbixError, logLine, type BerbixErrorCode } from './errors/index.js';

type Answer = readonly [status: HttpStatus, message: string];

/** The answer of Nest for an unknown error. */
const INTERNAL: Answer = [HttpStatus.INTERNAL_SERVER_ERROR, 'Internal server error'];
/** As proxies log it: the client has usually gone, and no alarm of 5xx should go off. */
const CLIENT_CLOSED_REQUEST = 499 as HttpStatus;
const UNAVAILABLE: Answer = [
  HttpStatus.SERVICE_UNAVAILABLE,
  'Identity verification is busy. Try again later.',
];
const FAILED: Answer = [HttpStatus.BAD_GATEWAY, 'Identity verification failed.'];

/** The answer to the caller of your backend, for each code. */
export const ANSWERS: Readonly<Record<BerbixErrorCode, Answer>> = {
  BERBIX_ABORTED: [CLIENT_CLOSED_REQUEST, 'The request was canceled.'],
  BERBIX_AUTHENTICATION: INTERNAL,
  BERBIX_CONFIGURATION: INTERNAL,
  BERBIX_CONFLICT: [HttpStatus.CONFLICT, 'The verification is finished, or at another step.'],
  BERBIX_CONNECTION: [HttpStatus.BAD_GATEWAY, 'Identity verification cannot be reached.'],
  BERBIX_GONE: [HttpStatus.GONE, 'This verification cannot be continued. Start a new one.'],
  BERBIX_INPUT: [HttpStatus.BAD_REQUEST, 'The request cannot be processed.'],
  BERBIX_INVALID_ACCESS_TOKEN: FAILED,
  // Without "Start a new one": it may belong to the account's other mode, and that would fail too.
  BERBIX_INVALID_REFRESH_TOKEN: [HttpStatus.GONE, 'This verification cannot be continued.'],
  BERBIX_NOT_FOUND: [HttpStatus.NOT_FOUND, 'There is no verification.'],
  BERBIX_RATE_LIMIT: UNAVAILABLE,
  BERBIX_REQUEST: INTERNAL,
  BERBIX_RESPONSE: FAILED,
  BERBIX_SERVER: FAILED,
  BERBIX_STORE: [
    HttpStatus.SERVICE_UNAVAILABLE,
    'Identity verification is not available at the moment.',
  ],
  BERBIX_TIMEOUT: [HttpStatus.GATEWAY_TIMEOUT, 'Identity verification did not answer in time.'],
  BERBIX_UNAVAILABLE: UNAVAILABLE,
  BERBIX_WEBHOOK_BODY: [HttpStatus.BAD_REQUEST, 'Bad Request'],
  BERBIX_WEBHOOK_SIGNATURE: [HttpStatus.UNAUTHORIZED, 'Unauthorized'],
};

/** The longest `Retry-After` that is passed on. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Answers a {@link BerbixError} of a handler with a suitable HTTP status, and with a sentence that
 * tells end users nothing about the account. `Retry-After` is passed on, up to a minute. Errors
 * that become a 5xx are logged as warnings. So are input errors, which may be a mistake of the
 * application.
 *
 * Opt in with `@UseFilters(BerbixExceptionFilter)` or
 * `{ provide: APP_FILTER, useClass: BerbixExceptionFilter }`. Without it, Nest answers 500, as for
 * any unknown error. In a microservice, the caller gets `{ status: 'error', code, message }`; over
 * a WebSocket, the event `exception` with the same; a GraphQL client, an error with this sentence
 * and `extensions.code`. In other contexts, the error is thrown again.
 *
 * | error | status |
 * | --- | --- |
 * | input, webhook body | 400 |
 * | webhook signature | 401 |
 * | not found | 404 |
 * | invalid refresh token, gone | 410 |
 * | conflict | 409 |
 * | rate limit, unavailable, store, a secret that is temporarily not available | 503 |
 * | timeout | 504 |
 * | connection, server, response, invalid access token | 502 |
 * | aborted | 499 |
 * | configuration, authentication, request | 500 |
 */
@Catch(BerbixError)
export class BerbixExceptionFilter extends BaseExceptionFilter {
  readonly #logger = new Logger(BerbixExceptionFilter.name);

  override catch(error: BerbixError, host: ArgumentsHost): void | Observable<never> {
    const [status, message] = answerTo(error);
    switch (host.getType<string>()) {
      case 'http':
        return this.#answer(error, status, message, host);
      case 'rpc':
        this.#log(error, status);
        return throwError(() => ({ status: 'error', code: error.code, message }));
      case 'ws':
        this.#log(error, status);
        return emitException(host.switchToWs(), { status: 'error', code: error.code, message });
      case 'graphql':
        this.#log(error, status);
        throw Object.assign(new Error(message), { extensions: { code: error.code } });
      default:
        throw error;
    }
  }

  #answer(error: BerbixError, status: HttpStatus, message: string, host: ArgumentsHost): void {
    // Nest logs and answers it.
    if (status === HttpStatus.INTERNAL_SERVER_ERROR) return super.catch(error, host);
    this.#log(error, status);
    if (error.retryAfterMs !== undefined) {
      const adapter = this.applicationRef ?? this.httpAdapterHost?.httpAdapter;
      adapter?.setHeader(
        host.switchToHttp().getResponse(),
        'Retry-After',
        String(Math.ceil(Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS) / 1000)),
      );
    }
    super.catch(
      new HttpException({ statusCode: status, error: error.code, message }, status),
      host,
    );
  }

  #log(error: BerbixError, status: HttpStatus): void {
    if (status === HttpStatus.INTERNAL_SERVER_ERROR) this.#logger.error(error);
    else if (status > 500 || error.code === 'BERBIX_INPUT') {
      this.#logger.warn(logLine('', error));
    }
  }
}

/** A secret that is temporarily not available is an outage. */
function answerTo({ code, retryable }: BerbixError): Answer {
  if (code === 'BERBIX_CONFIGURATION' && retryable) return UNAVAILABLE;
  return ANSWERS[code];
}

/** Like Nest's own filter for WebSockets, which is in an optional package. */
function emitException(
  context: ReturnType<ArgumentsHost['switchToWs']>,
  exception: Record<string, string>,
): void {
  const client = context.getClient<{
    readyState?: unknown;
    send?(text: string): void;
    emit?(event: string, payload: unknown): void;
  }>();
  const data = {
    ...exception,
    cause: { pattern: context.getPattern(), data: context.getData<unknown>() },
  };
  // A client of `ws` also has `emit`, but only for listeners in this process.
  if (typeof client.readyState === 'number') {
    client.send?.(JSON.stringify({ event: 'exception', data }));
  } else client.emit?.('exception', data);
}
