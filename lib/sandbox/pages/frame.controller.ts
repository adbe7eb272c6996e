import { Controller, Get, Inject, Post, Query, Res, UseFilters } from '@nestjs/common';
import { FRAME_PATH } from '../../wire/index.js';
import { FormBody } from '../http/request-body.js';
import { Templates } from '../transactions/templates.js';
import { TransactionResults } from '../transactions/transaction-results.js';
import { isCompleted } from '../transactions/transaction.js';
import { FrameExceptionFilter } from './error-pages.js';
import { completedFrame, verificationFrame } from './frame-pages.js';
import { PageTransactions } from './page-transactions.js';
import { PageResponder } from './page.js';
import { parseDecision } from './result-form.js';

/**
 * The page that the front-end SDKs frame. Pages of any origin may do so, as at Berbix: the client
 * token, which is in its address, is the permission.
 */
@Controller(FRAME_PATH)
@UseFilters(FrameExceptionFilter)
export class FrameController {
  constructor(
    @Inject(PageTransactions) private readonly transactions: PageTransactions,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(Templates) private readonly templates: Templates,
    @Inject(PageResponder) private readonly pages: PageResponder,
  ) {}

  /** Ignores the other parameters of the SDKs. */
  @Get()
  async show(
    @Query('client_token') token: unknown,
    @Query('modal') modal: unknown,
    @Res() response: unknown,
  ): Promise<void> {
    const transaction = await this.transactions.find(String(token ?? ''));
    if (isCompleted(transaction)) return this.pages.send(response, completedFrame());
    const templateKey = this.templates.keyOf(transaction.kind);
    const sample = this.results.sampleOf(transaction);
    const form = { transaction, templateKey, sample };
    this.pages.send(response, verificationFrame(form, hasCloseButton(modal)));
  }

  /** The form has no address of its own, so it is sent to that of the frame. */
  @Post()
  async decide(
    @Query('client_token') token: unknown,
    @FormBody() form: URLSearchParams,
    @Res() response: unknown,
  ): Promise<void> {
    const transaction = await this.transactions.find(String(token ?? ''));
    if (!isCompleted(transaction)) await this.results.decide(transaction.id, parseDecision(form));
    this.pages.send(response, completedFrame());
  }
}

/** React sends 2 for a modal window with a close button, and Angular `true` for any. [sdk: react, angular] */
function hasCloseButton(modal: unknown): boolean {
  return modal === '2' || modal === 'true';
}
