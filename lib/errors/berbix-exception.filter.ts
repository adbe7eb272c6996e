import { Catch, HttpException, HttpStatus, Logger, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';
import { BerbixError } from './berbix.error.js';

/** What the caller of your backend is told, by error code. Everything else is a 500. */
const STATUS_BY_CODE: Readonly<Record<string, readonly [HttpStatus, string]>> = {
  BERBIX_INPUT: [HttpStatus.BAD_REQUEST, 'The request cannot be processed.'],
  // It may be of the account's other mode: then a new one does not begin either.
  BERBIX_INVALID_REFRESH_TOKEN: [HttpStatus.GONE, 'This verification cannot be continued.'],
  BERBIX_INVALID_ACCESS_TOKEN: [HttpStatus.BAD_GATEWAY, 'Identity verification failed.'],
  BERBIX_GONE: [HttpStatus.GONE, 'This verification cannot be continued. Start a new one.'],
  BERBIX_CONFLICT: [HttpStatus.CONFLICT, 'The verification is finished, or at another step.'],
  BERBIX_NOT_FOUND: [HttpStatus.NOT_FOUND, 'There is no verification.'],
  BERBIX_WEBHOOK_SIGNATURE: [HttpStatus.UNAUTHORIZED, 'Unauthorized'],
  BERBIX_WEBHOOK_BODY: [HttpStatus.BAD_REQUEST, 'Bad Request'],
  BERBIX_STORE: [
    HttpStatus.SERVICE_UNAVAILABLE,
    'Identity verification is not available at the moment.',
  ],
  BERBIX_RATE_LIMIT: [
    HttpStatus.SERVICE_UNAVAILABLE,
    'Identity verification is busy. Try again later.',
  ],
  BERBIX_UNAVAILABLE: [
    HttpStatus.SERVICE_UNAVAILABLE,
    'Identity verification is busy. Try again later.',
  ],
  BERBIX_TIMEOUT: [HttpStatus.GATEWAY_TIMEOUT, 'Identity verification did not answer in time.'],
  BERBIX_CONNECTION: [HttpStatus.BAD_GATEWAY, 'Identity verification cannot be reached.'],
  BERBIX_SERVER: [HttpStatus.BAD_GATEWAY, 'Identity verification failed.'],
  BERBIX_RESPONSE: [HttpStatus.BAD_GATEWAY, 'Identity verification failed.'],
};

/** The longest `Retry-After` that this package itself honours. */
const MAX_RETRY_AFTER_MS = 60_000;

/** What Nest says of an error that it does not know. */
const UNKNOWN: readonly [HttpStatus, string] = [
  HttpStatus.INTERNAL_SERVER_ERROR,
  'Internal server error',
];

/**
 * Answers a {@link BerbixError} that leaves a handler with the HTTP status that fits it, and with a
 * sentence that tells an end user nothing of the account behind it. `Retry-After` is passed on, up to
 * a minute. What becomes a 5xx is logged as a warning, and so is an input error, which may be a mistake
 * of yours.
 *
 * Opt in with `@UseFilters(BerbixExceptionFilter)` or `{ provide: APP_FILTER, useClass: BerbixExceptionFilter }`.
 * Without it Nest answers 500, as for any error it does not know. In a microservice the caller is
 * sent `{ status: 'error', code, message }`, over a WebSocket the event `exception` with the same; a
 * GraphQL client gets an error with that sentence and `extensions.code`. Elsewhere the error is thrown
 * on.
 *
 * | error | status |
 * | --- | --- |
 * | input, webhook body | 400 |
 * | webhook signature | 401 |
 * | not found | 404 |
 * | invalid refresh token, gone | 410 |
 * | conflict | 409 |
 * | rate limit, unavailable, store, a secret that cannot be had for a while | 503 |
 * | timeout | 504 |
 * | connection, server, response, invalid access token | 502 |
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
      this.#logger.warn(`${error.code}: ${error.message}`);
    }
  }
}

/** A secret that cannot be had for a while is one of the troubles that pass. */
function answerTo({ code, retryable }: BerbixError): readonly [HttpStatus, string] {
  const passes = code === 'BERBIX_CONFIGURATION' && retryable;
  return STATUS_BY_CODE[passes ? 'BERBIX_UNAVAILABLE' : code] ?? UNKNOWN;
}

/** As Nest's own filter for WebSockets, which is in a package that not every application has. */
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
  // A client of `ws` has an `emit` too, which is heard in this process only.
  if (typeof client.readyState === 'number') {
    client.send?.(JSON.stringify({ event: 'exception', data }));
  } else client.emit?.('exception', data);
}
