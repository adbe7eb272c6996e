import { Controller, Get, HttpCode, Inject, Param, Post, Res, UseFilters } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { HostedLinks } from '../auth/signed-links.js';
import { ApiException } from '../http/api-exception.js';
import { ResponseWriter, unknownRoute } from '../http/answers.js';
import { CONSOLE_ROOT, HOME_PATH, ICON_PATH, VERIFY_PATH } from '../http/paths.js';
import { FormBody } from '../http/request-body.js';
import { ClientTokenGuard } from '../transactions/transaction-token.guard.js';
import { CONSOLE_FILES, CONSOLE_HEADERS, CONSOLE_PAGE, readConsoleFile } from './console.js';
import { PageExceptionFilter, VerifyExceptionFilter } from './error-pages.js';
import { PageResponder } from './page.js';
import { TOKEN_FIELD, tokenPage } from './verify-pages.js';

/** For people who open the address of the sandbox in a browser. */
@Controller(HOME_PATH)
@UseFilters(PageExceptionFilter)
export class HomeController {
  constructor(@Inject(ResponseWriter) private readonly writer: ResponseWriter) {}

  @Get()
  show(@Res() response: unknown): void {
    this.writer.send(response, 200, CONSOLE_HEADERS, CONSOLE_PAGE);
  }

  @Get(`${CONSOLE_ROOT}/:file`)
  async readFile(@Param('file') name: string, @Res() response: unknown): Promise<void> {
    const content = await readConsoleFile(name);
    if (content === undefined) throw unknownRoute();
    const headers = { 'Content-Type': CONSOLE_FILES[name] ?? '', 'Cache-Control': 'no-store' };
    this.writer.send(response, 200, headers, content);
  }

  /** There is no icon, which is not an error. */
  @Get(ICON_PATH)
  @HttpCode(204)
  showIcon(): void {}
}

/**
 * For people who have a client token and no page with a front-end SDK. The token leads to the page of
 * its transaction, so that it stays out of the address.
 *
 * ASSUMPTION: the client token of a hosted transaction does the same as its link.
 */
@Controller(VERIFY_PATH)
@UseFilters(VerifyExceptionFilter)
export class VerifyController {
  constructor(
    @Inject(ClientTokenGuard) private readonly clientTokens: ClientTokenGuard,
    @Inject(HostedLinks) private readonly links: HostedLinks,
    @Inject(PageResponder) private readonly pages: PageResponder,
  ) {}

  @Get()
  show(@Res() response: unknown): void {
    this.pages.send(response, tokenPage());
  }

  @Post()
  async open(@FormBody() form: URLSearchParams, @Res() response: unknown): Promise<void> {
    const token = form.get(TOKEN_FIELD) ?? '';
    const transaction = await this.clientTokens.transactionOf(token.trim());
    if (transaction.kind === 'apiOnly') throw apiOnlyHasNoPage();
    this.pages.redirect(response, this.links.pathOf(transaction));
  }
}

/** Only uploads complete such a transaction. [doc: docs/api-only-integration-guide] */
export function apiOnlyHasNoPage(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'API-only transactions have no page, only uploads. Create one with the SDK template or the hosted template.',
  );
}
