import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Inject,
  Injectable,
  Logger,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { refusalFor } from '../http/exception-filter.js';
import type { ApiException } from '../http/api-exception.js';
import { html, type Page, PageResponder } from './page.js';
import { withLinkToForm } from './verify-pages.js';

/** By the status, or by `readable` if that says more. */
const TITLES: Record<string, string> = {
  [READABLE.wrongTokenKind]: 'This is not a client token',
  400: 'The request is not valid',
  401: 'The client token is not accepted',
  403: 'This transaction has no page',
  404: 'Not found',
  409: 'The verification is complete',
  410: 'This link is no longer valid',
};

function errorPage({ code, readable, message }: ApiException): Page {
  const title = TITLES[readable] ?? TITLES[code] ?? 'Something went wrong';
  return { status: code, title, body: html`<p>${message}</p>` };
}

/** Shows errors of the API as pages. */
@Injectable()
@Catch()
export class PageExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('BerbixSandbox');

  constructor(@Inject(PageResponder) private readonly pages: PageResponder) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    this.pages.send(response, this.pageOf(refusalFor(error, this.#logger)));
  }

  /** The page for an error. */
  protected pageOf(error: ApiException): Page {
    return errorPage(error);
  }
}

/** Shows them for a client token in a form, and leads back to the form. */
@Injectable()
@Catch()
export class VerifyExceptionFilter extends PageExceptionFilter {
  protected override pageOf(error: ApiException): Page {
    return withLinkToForm(errorPage(error));
  }
}

/** Shows them in the frame of a front-end SDK, and tells the page around it. */
@Injectable()
@Catch()
export class FrameExceptionFilter extends PageExceptionFilter {
  protected override pageOf(error: ApiException): Page {
    const { code, readable, message } = error;
    const payload = { code, readable, message };
    return { ...errorPage(error), greeting: [{ type: 'ERROR_RENDERED', payload }] };
  }
}
