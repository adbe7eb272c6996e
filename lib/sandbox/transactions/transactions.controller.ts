import { Controller, Delete, Get, HttpCode, Inject, Patch, Post, UseGuards } from '@nestjs/common';
import { API_PATHS } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import { AccessTokenGuard, CurrentTransaction } from '../auth/transaction-token.guard.js';
import { ApiSecretGuard, Mode } from '../auth/api-secret.guard.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { HostedLinks } from '../hosted/hosted-links.js';
import type { JsonObject } from '../requests/fields.js';
import { JsonObjectBody } from '../requests/json-object-body.decorator.js';
import { TokenPresenter } from '../tokens/token.presenter.js';
import { TokenWriter } from '../tokens/token-writer.js';
import { parseCreateTransaction } from './create-transaction.request.js';
import { presentCreation } from './creation.presenter.js';
import { MetadataPresenter } from './metadata.presenter.js';
import { parseOverride } from './override.request.js';
import { TransactionResults } from './transaction-results.js';
import type { Transaction } from './transaction.js';
import { TransactionFactory } from './transaction.factory.js';
import { Transactions } from './transactions.js';
import { parseUpdate } from './update.request.js';

/** The part of its path behind the one of the controller. */
const OVERRIDE = API_PATHS.override.slice(API_PATHS.transactions.length);

/** `/v0/transactions`: create, fetch, update, override, delete. [sdk: all] */
@Controller(API_PATHS.transactions)
export class TransactionsController {
  constructor(
    @Inject(TransactionFactory) private readonly factory: TransactionFactory,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(MetadataPresenter) private readonly metadata: MetadataPresenter,
    @Inject(TokenPresenter) private readonly presenter: TokenPresenter,
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(HostedLinks) private readonly links: HostedLinks,
  ) {}

  /** ASSUMPTION: 200 rather than 201. */
  @Post()
  @HttpCode(200)
  @UseGuards(ApiSecretGuard)
  async create(@Mode() mode: SandboxMode, @JsonObjectBody() body: JsonObject): Promise<ApiJson> {
    const transaction = await this.factory.create(parseCreateTransaction(body), mode);
    return {
      ...this.presenter.present(transaction),
      refresh_token: this.tokens.refreshToken(transaction),
      ...presentCreation(transaction, this.links.urlOf(transaction)),
    };
  }

  @Get()
  @UseGuards(AccessTokenGuard)
  fetch(@CurrentTransaction() transaction: Transaction): Promise<ApiJson> {
    return this.metadata.present(transaction);
  }

  /** Answers the metadata as it is then. [doc: reference/updatetransaction] */
  @Patch()
  @UseGuards(AccessTokenGuard)
  async update(
    @CurrentTransaction() transaction: Transaction,
    @JsonObjectBody() body: JsonObject,
  ): Promise<ApiJson> {
    return this.metadata.present(await this.results.update(transaction, parseUpdate(body)));
  }

  /** 204 and no body. [sdk: go, java] */
  @Patch(OVERRIDE)
  @HttpCode(204)
  @UseGuards(AccessTokenGuard)
  override(
    @CurrentTransaction() transaction: Transaction,
    @JsonObjectBody() body: JsonObject,
  ): Promise<void> {
    return this.results.override(transaction, parseOverride(body));
  }

  /** 204 and no body. [sdk: go, java] */
  @Delete()
  @HttpCode(204)
  @UseGuards(AccessTokenGuard)
  delete(@CurrentTransaction() transaction: Transaction): Promise<void> {
    return this.transactions.delete(transaction.id);
  }
}
