import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { READABLE, TRANSACTION_ID } from '../../wire/index.js';
import type { SandboxMode } from '../auth/authorization.js';
import { HostedLinks } from '../auth/signed-links.js';
import { TokenWriter } from '../auth/tokens.js';
import { ApiException } from '../http/api-exception.js';
import { SandboxClock } from '../clock.js';
import {
  withExpiredTokens,
  withNextRefreshToken,
  withoutRefreshToken,
} from '../transactions/token-changes.js';
import { TransactionResults } from '../transactions/transaction-results.js';
import { ExchangeLog, type RecordedExchange } from '../tokens/exchange-log.js';
import { Templates } from '../transactions/templates.js';
import { TransactionFactory } from '../transactions/transaction.factory.js';
import {
  isCompleted,
  type Transaction,
  type TransactionKind,
  type TransactionState,
} from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import {
  checkNewTransaction,
  checkResult,
  checkTransactionQuery,
  type NewSandboxTransaction,
  type SandboxResult,
  type SandboxTransactionQuery,
} from './transaction-checks.js';

/** What the sandbox knows of a transaction. */
export interface SandboxTransaction {
  /** In decimal digits, since a number may lose some. */
  readonly id: string;
  readonly customerUid: string;
  readonly mode: SandboxMode;
  /** What drives the verification. */
  readonly kind: TransactionKind;
  /** The key of the sandbox's template for this kind. */
  readonly templateKey: string;
  readonly state: TransactionState;
  /** `undefined` until it is completed, as are `flags` and `fields`. */
  readonly action: string | undefined;
  readonly flags: readonly string[] | undefined;
  /** The value of each field. */
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly createdAt: Date;
  readonly completedAt: Date | undefined;
  /** When the sandbox deletes it. */
  readonly purgesAt: Date;
  /** The current one. */
  readonly refreshToken: string;
  /** How often it was replaced: 0 for the first one. */
  readonly generation: number;
  /** Whether it is accepted. */
  readonly refreshTokenState: 'valid' | 'revoked';
}

/** A transaction, its page, and the exchanges of its refresh tokens. */
export interface SandboxTransactionDetails extends SandboxTransaction {
  /**
   * The path of the page on which to choose its result; `undefined` if it is completed or API-only.
   * Anybody who knows the path can use the page.
   */
  readonly pagePath: string | undefined;
  /** The whole link to that page, as in the answer of the API, if it is an open hosted transaction. */
  readonly hostedUrl: string | undefined;
  /**
   * When its latest access token expires; `undefined` if it has, or if this run of the sandbox has
   * issued none.
   */
  readonly tokensExpireAt: Date | undefined;
  /** The last 100 in this run of the sandbox, oldest first. */
  readonly exchanges: readonly RecordedExchange[];
}

/** A new transaction, with its first tokens. */
export interface CreatedSandboxTransaction extends SandboxTransactionDetails {
  readonly accessToken: string;
  readonly clientToken: string;
}

const DEFAULT_LIMIT = 100;

/**
 * The transactions that exist, in both modes.
 *
 * @example
 * const [latest] = await sandbox.transactions.list({ customerUid: 'ada' });
 * await sandbox.transactions.complete(latest.id, { action: 'reject' });
 */
@Injectable()
export class SandboxTransactions {
  /** @internal */
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TransactionFactory) private readonly factory: TransactionFactory,
    @Inject(HostedLinks) private readonly links: HostedLinks,
    @Inject(Templates) private readonly templates: Templates,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(ExchangeLog) private readonly exchanges: ExchangeLog,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  /**
   * The latest transactions, newest first.
   *
   * @throws {Error} for a query that is not valid; the message says why
   */
  async list(query: SandboxTransactionQuery = {}): Promise<SandboxTransaction[]> {
    const { customerUid, state, limit = DEFAULT_LIMIT } = checkTransactionQuery(query);
    const transactions = await this.transactions.list({ customerUid, state, limit });
    return transactions.map((transaction) => this.view(transaction));
  }

  /**
   * One transaction, by its id in decimal digits.
   *
   * @throws {Error} if it was deleted or purged, or never existed
   */
  async find(id: string): Promise<SandboxTransactionDetails> {
    const transaction = await this.#existing(id, () => this.transactions.find(id));
    return this.#details(transaction);
  }

  /**
   * Creates a transaction, as a backend does with `POST /v0/transactions`.
   *
   * @throws {Error} for a member that is not valid, or if the limit of test transactions is reached
   */
  async create(wanted: NewSandboxTransaction = {}): Promise<CreatedSandboxTransaction> {
    const checked = checkNewTransaction(wanted);
    const { kind = 'sdk', customerUid = `customer-${randomUUID()}`, mode = 'test' } = checked;
    const options = kind === 'sdk' ? 'none' : kind;
    const templateKey = this.templates.keyOf(kind);
    const request = { customerUid, templateKey, options, facialRecognition: false } as const;
    const transaction = await this.factory.create(request, mode);
    const { access_token: accessToken, client_token: clientToken } = this.tokens.issue(transaction);
    return { ...this.#details(transaction), accessToken, clientToken };
  }

  /**
   * Completes a transaction, and sends its webhooks.
   *
   * @param result accepted without flags by default
   * @throws {Error} if it is complete, or the result is not valid, such as an unknown action
   */
  async complete(id: string, result: SandboxResult = {}): Promise<void> {
    const checked = checkResult(result);
    await this.#existing(id, () => this.results.decide(id, checked));
  }

  /** Expires its access and client tokens so far; those of the next exchange work. */
  async expireTokens(id: string): Promise<void> {
    await this.#change(id, withExpiredTokens);
  }

  /**
   * Replaces its refresh token, as an exchange does with the option `refreshToken: 'rotate'`.
   *
   * @returns the new one
   */
  async rotateRefreshToken(id: string): Promise<string> {
    const rotated = await this.#change(id, (transaction) =>
      withNextRefreshToken(transaction, this.clock.now()),
    );
    return this.tokens.refreshToken(rotated);
  }

  /** Makes every exchange fail, for good; access and client tokens work until they expire. */
  async revokeRefreshToken(id: string): Promise<void> {
    await this.#change(id, withoutRefreshToken);
  }

  /** Deletes everything about it, as after the days of retention. */
  purge(id: string): Promise<void> {
    return this.#existing(id, () => this.transactions.delete(id));
  }

  #change(id: string, change: (transaction: Transaction) => Transaction): Promise<Transaction> {
    return this.#existing(id, () => this.transactions.change(id, change));
  }

  /** @internal */
  view(transaction: Transaction): SandboxTransaction {
    const { id, customerUid, mode, kind, state, createdAt, rotation } = transaction;
    const result = isCompleted(transaction) ? transaction.state : undefined;
    return {
      id,
      customerUid,
      mode,
      kind,
      templateKey: this.templates.keyOf(kind),
      state: state.status,
      action: result?.action,
      flags: result?.flags,
      fields: result?.fields,
      createdAt: new Date(createdAt),
      completedAt: result && new Date(result.completedAt),
      purgesAt: new Date(this.transactions.purgesAt(transaction)),
      refreshToken: this.tokens.refreshToken(transaction),
      generation: rotation.generation,
      refreshTokenState: rotation.revoked ? 'revoked' : 'valid',
    };
  }

  #details(transaction: Transaction): SandboxTransactionDetails {
    const { id, kind } = transaction;
    const expiry = this.tokens.expiryOf(transaction);
    const isOpen = !isCompleted(transaction);
    return {
      ...this.view(transaction),
      pagePath: isOpen && kind !== 'apiOnly' ? this.links.pathOf(transaction) : undefined,
      hostedUrl: isOpen && kind === 'hosted' ? this.links.urlOf(transaction) : undefined,
      tokensExpireAt: expiry === undefined ? undefined : new Date(expiry),
      exchanges: this.exchanges.of(id),
    };
  }

  /** Any id may be asked for here, while the API only sees ids that it signed. */
  async #existing<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    // PostgreSQL does not accept all other text.
    if (!TRANSACTION_ID.test(id)) throw noSuchTransaction();
    try {
      return await work();
    } catch (error) {
      const isGone = error instanceof ApiException && error.readable === READABLE.transactionGone;
      throw isGone ? noSuchTransaction() : error;
    }
  }
}

function noSuchTransaction(): ApiException {
  return new ApiException(
    404,
    READABLE.notFound,
    'The sandbox has no transaction with this id. It was deleted or purged, or belongs to another sandbox. GET /sandbox/transactions lists those that exist.',
  );
}
