import { Controller, Delete, Get, HttpCode, Inject, Patch, Post, UseGuards } from '@nestjs/common';
import { API_PATHS } from '../../wire/index.js';
import { ApiSecretGuard, Mode, type SandboxMode } from '../auth/authorization.js';
import { HostedLinks } from '../auth/signed-links.js';
import { TokenWriter } from '../auth/tokens.js';
import type { ApiJson } from '../http/api-json.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { parseCreateTransaction, parseOverride, parseUpdate } from './transaction-requests.js';
import { TransactionResults } from './transaction-results.js';
import { AccessTokenGuard, CurrentTransaction } from './transaction-token.guard.js';
import { TransactionFactory } from './transaction.factory.js';
import type { Transaction } from './transaction.js';
import { presentCreation, TransactionPresenter } from './transaction.presenter.js';
import { Transactions } from './transactions.js';

/** Relative to the path of the controller. */
const OVERRIDE = API_PATHS.override.slice(API_PATHS.transactions.length);

/** `/v0/transactions`: create, fetch, update, override, delete. [sdk: all] */
@Controller(API_PATHS.transactions)
export class TransactionsController {
  constructor(
    @Inject(TransactionFactory) private readonly factory: TransactionFactory,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(TransactionPresenter) private readonly presenter: TransactionPresenter,
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
      ...this.tokens.issue(transaction),
      refresh_token: this.tokens.refreshToken(transaction),
      ...presentCreation(transaction, this.links.urlOf(transaction)),
    };
  }

  @Get()
  @UseGuards(AccessTokenGuard)
  fetch(@CurrentTransaction() transaction: Transaction): Promise<ApiJson> {
    return this.presenter.present(transaction);
  }

  /** Answers the changed metadata. [doc: reference/updatetransaction] */
  @Patch()
  @UseGuards(AccessTokenGuard)
  async update(
    @CurrentTransaction() transaction: Transaction,
    @JsonObjectBody() body: JsonObject,
  ): Promise<ApiJson> {
    return this.presenter.present(await this.results.update(transaction, parseUpdate(body)));
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
