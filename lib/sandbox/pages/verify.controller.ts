import { Controller, Get, Inject, Post, Res, UseFilters } from '@nestjs/common';
import { HostedLinks } from '../auth/signed-links.js';
import { VERIFY_PATH } from '../http/paths.js';
import { FormBody } from '../http/request-body.js';
import { VerifyExceptionFilter } from './error-pages.js';
import { PageTransactions } from './page-transactions.js';
import { PageResponder } from './page.js';
import { TOKEN_FIELD, tokenPage } from './verify-pages.js';

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
    @Inject(PageTransactions) private readonly transactions: PageTransactions,
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
    const transaction = await this.transactions.find(token.trim());
    this.pages.redirect(response, this.links.pathOf(transaction));
  }
}
