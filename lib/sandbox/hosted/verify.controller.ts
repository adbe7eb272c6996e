import { Controller, Get, Inject, Post, Query, Res, UseFilters } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ClientTokenGuard } from '../auth/transaction-token.guard.js';
import { ApiException } from '../errors/api.exception.js';
import { FormBody } from '../requests/form-body.decorator.js';
import { HostedLinks } from './hosted-links.js';
import { VERIFY_PATH } from './hosted-path.js';
import { PageExceptionFilter } from './page-exception.filter.js';
import { PageResponder } from './page-responder.js';
import { tokenPage } from './pages.js';

/**
 * In the place of the front-end SDKs, whose frame loads a page of Berbix with the client token in
 * its query. [sdk: react src/index.jsx] Here the token leads to the page of the transaction,
 * so that it does not stay in the address.
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

  /** Without a token it asks for one. */
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
    'An API-only transaction takes uploads and has no page. Create one with the SDK template or the hosted template.',
  );
}
