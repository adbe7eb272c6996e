import { Controller, Delete, Get, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { API_PATHS } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import { AccessTokenGuard, CurrentTransaction } from '../auth/access-token.guard.js';
import { ApiSecretGuard, Mode } from '../auth/api-secret.guard.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import type { JsonObject } from '../requests/fields.js';
import { JsonObjectBody } from '../requests/json-object-body.decorator.js';
import { SandboxAddress } from '../sandbox-address.js';
import { TokenPresenter } from '../tokens/token.presenter.js';
import { TokenWriter } from '../tokens/token-writer.js';
import { parseCreateTransaction } from './create-transaction.request.js';
import type { Transaction } from './transaction.js';
import { TransactionFactory } from './transaction.factory.js';
import { presentKind, presentMetadata } from './transaction.presenter.js';
import { TransactionStore } from './transaction.store.js';

/** `/v0/transactions`: create, fetch, delete. [sdk: all] */
@Controller(API_PATHS.transactions)
export class TransactionsController {
  constructor(
    @Inject(TransactionFactory) private readonly factory: TransactionFactory,
    @Inject(TransactionStore) private readonly transactions: TransactionStore,
    @Inject(TokenPresenter) private readonly presenter: TokenPresenter,
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(SandboxAddress) private readonly address: SandboxAddress,
  ) {}

  /** ASSUMPTION: 200 rather than 201. */
  @Post()
  @HttpCode(200)
  @UseGuards(ApiSecretGuard)
  create(@Mode() mode: SandboxMode, @JsonObjectBody() body: JsonObject): ApiJson {
    const transaction = this.factory.create(parseCreateTransaction(body), mode);
    return {
      ...this.presenter.present(transaction),
      refresh_token: this.tokens.refreshToken(transaction),
      ...presentKind(transaction, this.address.url),
    };
  }

  @Get()
  @UseGuards(AccessTokenGuard)
  fetch(@CurrentTransaction() transaction: Transaction): ApiJson {
    return presentMetadata(transaction);
  }

  /** 204 and no body. [sdk: go, java] */
  @Delete()
  @HttpCode(204)
  @UseGuards(AccessTokenGuard)
  delete(@CurrentTransaction() transaction: Transaction): void {
    this.transactions.delete(transaction.id);
  }
}
