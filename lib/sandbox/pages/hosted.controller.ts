import { Controller, Get, Inject, Param, Post, Res, UseFilters } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { HostedLinks } from '../auth/signed-links.js';
import { ApiException } from '../http/api-exception.js';
import { HOSTED_ROOT } from '../http/paths.js';
import { FormBody } from '../http/request-body.js';
import { Templates } from '../transactions/templates.js';
import { TransactionResults } from '../transactions/transaction-results.js';
import { isCompleted, type Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import { PageExceptionFilter } from './error-pages.js';
import {
  ABANDON,
  abandonedPage,
  closingPage,
  hostedPage,
  redirectTargetOf,
  usedPage,
} from './hosted-pages.js';
import { PageResponder } from './page.js';
import { parseDecision } from './result-form.js';

/** The page of a transaction. Its address is the permission, so there are no cookies to abuse. */
@Controller(HOSTED_ROOT)
@UseFilters(PageExceptionFilter)
export class HostedController {
  constructor(
    @Inject(HostedLinks) private readonly links: HostedLinks,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
    @Inject(Templates) private readonly templates: Templates,
    @Inject(PageResponder) private readonly pages: PageResponder,
  ) {}

  @Get(':claim')
  async show(@Param('claim') claim: string, @Res() response: unknown): Promise<void> {
    const transaction = await this.#open(claim);
    if (isCompleted(transaction)) return this.pages.send(response, usedPage());
    const templateKey = this.templates.keyOf(transaction.kind);
    const sample = this.results.sampleOf(transaction);
    this.pages.send(response, hostedPage({ transaction, templateKey, sample }));
  }

  @Post(':claim')
  async choose(
    @Param('claim') claim: string,
    @FormBody() form: URLSearchParams,
    @Res() response: unknown,
  ): Promise<void> {
    const transaction = await this.#open(claim);
    if (isCompleted(transaction)) return this.pages.send(response, usedPage());
    if (form.get('choice') === ABANDON) {
      return this.pages.send(response, abandonedPage(transaction, this.links.pathOf(transaction)));
    }
    const announcement = await this.results.decide(transaction.id, parseDecision(form));
    const target = redirectTargetOf(transaction);
    if (target !== undefined) return this.pages.redirect(response, target);
    await this.webhooks.firstAttempts(announcement.deliveries);
    this.pages.send(response, closingPage(announcement));
  }

  /** @throws {ApiException} 404 if this sandbox did not issue the link, 410 if its transaction is gone */
  async #open(claim: string): Promise<Transaction> {
    const id = this.links.transactionIdOf(claim);
    if (id === undefined) throw unknownLink();
    return this.transactions.find(id);
  }
}

function unknownLink(): ApiException {
  return new ApiException(
    404,
    READABLE.notFound,
    'This sandbox did not issue this link. Check that the address is complete; links end with the sandbox that issued them.',
  );
}
