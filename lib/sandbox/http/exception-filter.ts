import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Inject,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException } from './api-exception.js';
import { JSON_CONTENT_TYPE, toApiJson } from './api-json.js';
import { ResponseWriter } from './send-reply.js';

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
