import { Controller, Get, HttpCode, Inject, Post, Query, Res, UseFilters } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { HostedLinks } from '../auth/signed-links.js';
import { ApiException } from '../http/api-exception.js';
import { HOME_PATH, ICON_PATH, VERIFY_PATH } from '../http/paths.js';
import { FormBody } from '../http/request-body.js';
import { swaggerCommand } from '../openapi/swagger-ui.js';
import { ClientTokenGuard } from '../transactions/transaction-token.guard.js';
import { PageExceptionFilter, PageResponder } from './page.js';
import { homePage, tokenPage } from './pages.js';

/** For people who open the address of the sandbox in a browser. */
@Controller(HOME_PATH)
@UseFilters(PageExceptionFilter)
export class HomeController {
  constructor(@Inject(PageResponder) private readonly pages: PageResponder) {}

  @Get()
  show(@Res() response: unknown): void {
    this.pages.send(response, homePage(swaggerCommand()));
  }

  /** There is no icon, which is not an error. */
  @Get(ICON_PATH)
  @HttpCode(204)
  showIcon(): void {}
}

/**
 * Stands in for the front-end SDKs, whose frame loads a page of Berbix with the client token in its
 * query. [sdk: react src/index.jsx] Here the token redirects to the page of the transaction, so that
 * it does not stay in the address.
 *
 * ASSUMPTION: the client token of a hosted transaction does the same as its link.
 */
@Controller(VERIFY_PATH)
@UseFilters(PageExceptionFilter)
export class VerifyController {
  constructor(
    @Inject(ClientTokenGuard) private readonly clientTokens: ClientTokenGuard,
    @Inject(HostedLinks) private readonly links: HostedLinks,
    @Inject(PageResponder) private readonly pages: PageResponder,
  ) {}

  /** Without a token, shows a form for one. */
  @Get()
  async show(@Query('client_token') token: unknown, @Res() response: unknown): Promise<void> {
    if (token === undefined) this.pages.send(response, tokenPage());
    else await this.#open(String(token), response);
  }

  @Post()
  open(@FormBody() form: URLSearchParams, @Res() response: unknown): Promise<void> {
    return this.#open(form.get('client_token') ?? '', response);
  }

  async #open(token: string, response: unknown): Promise<void> {
    const transaction = await this.clientTokens.transactionOf(token.trim());
    if (transaction.kind === 'apiOnly') throw noPage();
    this.pages.redirect(response, this.links.pathOf(transaction));
  }
}

/** [doc: docs/api-only-integration-guide] */
function noPage(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'API-only transactions have no page, only uploads. Create one with the SDK template or the hosted template.',
  );
}
