import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Inject,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { READABLE } from '../../wire/index.js';
import { JSON_CONTENT_TYPE, toApiJson } from '../api-json.js';
import { ApiException } from './api.exception.js';

/** Gives everything that is not an answer the shape of an error of the API. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('BerbixSandbox');

  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const refusal = this.#refusalFor(error);
    const response = host.switchToHttp().getResponse<unknown>();
    const { httpAdapter } = this.adapterHost;
    httpAdapter.setHeader(response, 'Content-Type', JSON_CONTENT_TYPE);
    for (const [name, value] of Object.entries(refusal.headers)) {
      httpAdapter.setHeader(response, name, value);
    }
    httpAdapter.reply(response, toApiJson({ ...refusal.toBody() }), refusal.code);
  }

  #refusalFor(error: unknown): ApiException {
    if (error instanceof ApiException) return error;
    // How both adapters say that no route matches.
    if (error instanceof NotFoundException) return unknownRoute();
    this.#logger.error(error instanceof Error ? error.stack : String(error));
    return new ApiException(
      500,
      READABLE.internalError,
      'The sandbox failed to answer. This is a bug in nestjs-berbix; please report it.',
    );
  }
}

function unknownRoute(): ApiException {
  return new ApiException(
    404,
    READABLE.notFound,
    'No such route. Check the method and the path: the API has POST, GET, PATCH and DELETE /v0/transactions, PATCH /v0/transactions/override, POST /v0/tokens, POST /v0/images/upload and POST /v0/idscans/upload. The sandbox has a page at /, and lists its control API at /sandbox.',
  );
}
