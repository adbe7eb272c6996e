import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Logger } from '@nestjs/common';
import { ApiException } from '../errors/api.exception.js';
import { PageResponder } from './page-responder.js';
import { refusalPage } from './pages.js';

/** Shows a person what a program would get as an error of the API. */
@Catch()
export class PageExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('BerbixSandbox');

  constructor(@Inject(PageResponder) private readonly pages: PageResponder) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    if (error instanceof ApiException) {
      return this.pages.send(response, refusalPage(error.code, error.message));
    }
    this.#logger.error(error instanceof Error ? error.stack : String(error));
    this.pages.send(
      response,
      refusalPage(500, 'This is a bug in nestjs-berbix; please report it.'),
    );
  }
}
