import { Controller, Get, Inject, Injectable, Param, Res } from '@nestjs/common';
import { SandboxAddress } from '../auth/signed-links.js';
import { TokenWriter } from '../auth/tokens.js';
import { controlOperations } from '../control/control.controller.js';
import { unknownRoute } from '../http/exception-filter.js';
import { ResponseWriter } from '../http/send-reply.js';
import { DOCUMENT_NAME, REFERENCE_ROOT } from '../http/paths.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { type TemplateKeys, templateKeysOf } from '../transactions/templates.js';
import { parseCreateTransaction } from '../transactions/transaction-requests.js';
import { TransactionFactory } from '../transactions/transaction.factory.js';
import type { Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import { type OpenApiDocument, PLACEHOLDERS, type ReferenceValues } from './model.js';
import { pageAdvice, readPageFile, SWAGGER_PAGE, SWAGGER_PAGE_HEADERS } from './swagger-ui.js';

/** Values for examples that work in this sandbox. */
@Injectable()
export class ExampleValues {
  readonly #templateKeys: TemplateKeys;
  #transactionId: string | undefined;

  constructor(
    @Inject(TransactionFactory) private readonly factory: TransactionFactory,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(SandboxAddress) private readonly address: SandboxAddress,
    @Inject(SANDBOX_SETTINGS) { apiSecret }: SandboxSettings,
  ) {
    this.#templateKeys = templateKeysOf(apiSecret);
  }

  /** Current ones: the token may have been rotated, and its transaction deleted. */
  async read(): Promise<ReferenceValues> {
    const { url, tlsUrl } = this.address;
    const refreshToken = await this.#refreshToken();
    return { url, tlsUrl, templateKeys: this.#templateKeys, refreshToken };
  }

  async #refreshToken(): Promise<string> {
    const transaction = (await this.#current()) ?? (await this.#create());
    return transaction ? this.tokens.refreshToken(transaction) : PLACEHOLDERS.refreshToken;
  }

  async #current(): Promise<Transaction | undefined> {
    if (this.#transactionId === undefined) return undefined;
    return this.transactions.find(this.#transactionId).catch(() => undefined);
  }

  /** Undefined if the limit of test transactions is reached. */
  async #create(): Promise<Transaction | undefined> {
    const request = parseCreateTransaction({
      customer_uid: 'reference-page',
      template_key: this.#templateKeys.sdk,
    });
    const transaction = await this.factory.create(request, 'test').catch(() => undefined);
    this.#transactionId = transaction?.id;
    return transaction;
  }
}

/** Of the listener that the page came from, http or https. */
const SAME_ORIGIN = { url: '/', description: 'This sandbox' };

/** The reference: Swagger UI for people, the OpenAPI document for programs. */
@Controller(REFERENCE_ROOT)
export class ReferenceController {
  constructor(
    @Inject(ExampleValues) private readonly examples: ExampleValues,
    @Inject(ResponseWriter) private readonly writer: ResponseWriter,
  ) {}

  @Get()
  showPage(@Res() response: unknown): void {
    const advice = pageAdvice();
    if (advice === undefined) {
      return this.writer.send(response, 200, SWAGGER_PAGE_HEADERS, SWAGGER_PAGE);
    }
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
    this.writer.send(response, 501, headers, advice);
  }

  @Get(DOCUMENT_NAME)
  async readDocument(): Promise<OpenApiDocument> {
    // Most sandboxes never need it, and need not load it when they start.
    const { createReferenceDocument } = await import('./document.js');
    return createReferenceDocument(await this.examples.read(), [SAME_ORIGIN], controlOperations());
  }

  @Get(':file')
  async readFile(@Param('file') name: string, @Res() response: unknown): Promise<void> {
    const file = await readPageFile(name);
    if (file === undefined) throw unknownRoute();
    this.writer.send(response, 200, { 'Content-Type': file.type }, file.content);
  }
}
