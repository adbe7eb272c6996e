import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type IdType, READABLE, type UploadStep } from '../../wire/index.js';
import type { SandboxMode } from '../auth/authorization.js';
import { SandboxClock } from '../clock.js';
import { ApiException, invalidRequest } from '../http/api-exception.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { planUploads, Templates } from './templates.js';
import type { CreateTransaction } from './transaction-requests.js';
import { type Transaction, type TransactionKind, TransactionStore } from './transaction.js';
import { Transactions } from './transactions.js';

/** As in the sample of the reference. [doc: reference/gettransactionmetadata] */
const SMALL_IDS = 10n ** 15n;
/** Between 2^53 and 2^54, a double has no odd numbers, so it loses every odd id. */
const LARGE_IDS = 2n ** 53n + 1n;

/**
 * Counts transaction ids up from a random start, since the database of the application under test
 * may outlive the sandbox and must not see an id twice.
 */
@Injectable()
export class TransactionIds {
  readonly #step: bigint;
  #next: bigint;

  constructor(@Inject(SANDBOX_SETTINGS) { largeIds }: SandboxSettings) {
    this.#step = largeIds ? 2n : 1n;
    this.#next = (largeIds ? LARGE_IDS : SMALL_IDS) + BigInt(randomInt(2 ** 46)) * this.#step;
  }

  next(): string {
    const id = this.#next.toString();
    this.#next += this.#step;
    return id;
  }
}

/** Four hours. [doc: reference/createtransaction] */
const WINDOW_MS = 4 * 3_600_000;

/** Refuses test transactions after too many were completed. [doc: reference/createtransaction] */
@Injectable()
export class CompletionLimit {
  constructor(
    @Inject(TransactionStore) private readonly store: TransactionStore,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** @throws {ApiException} 429 that says when to try again */
  async check(mode: SandboxMode): Promise<void> {
    const { testCompletionLimit: limit } = this.settings;
    if (mode !== 'test' || limit === Infinity) return;
    const now = this.clock.now();
    const times = await this.store.completionTimes(mode, now - WINDOW_MS);
    // The latest ones fill the limit; there is room when the earliest of them leaves the window.
    const earliest = times.toSorted((one, other) => other - one)[limit - 1];
    if (earliest !== undefined) throw tooMany(Math.ceil((earliest + WINDOW_MS - now) / 1000));
  }
}

/** ASSUMPTION: the status and the header. */
function tooMany(seconds: number): ApiException {
  return new ApiException(
    429,
    READABLE.rateLimited,
    `Too many test transactions were completed within four hours. Try again in ${seconds} s.`,
    { 'Retry-After': seconds.toString() },
  );
}

/** Creates transactions: each call a new one, even for the same customer. [doc: docs/transactions] */
@Injectable()
export class TransactionFactory {
  constructor(
    @Inject(TransactionIds) private readonly ids: TransactionIds,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(CompletionLimit) private readonly limit: CompletionLimit,
    @Inject(Templates) private readonly templates: Templates,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /**
   * @throws {ApiException} 400 for an unknown template or one that does not fit the options, 403 for a
   * consent that the account may not send, 429 if the limit of test transactions is reached
   */
  async create(request: CreateTransaction, mode: SandboxMode): Promise<Transaction> {
    const kind = this.#kindOf(request);
    if (request.facialRecognition && !this.settings.facialRecognition) throw consentNotAllowed();
    await this.limit.check(mode);
    const now = this.clock.now();
    const { customerUid, email, phone, facialRecognition, matchData, idType, redirectUrl } =
      request;
    const transaction: Transaction = {
      id: this.ids.next(),
      mode,
      kind,
      customerUid,
      createdAt: now,
      email,
      phone,
      facialRecognition,
      matchData,
      idType,
      redirectUrl,
      rotation: { generation: 0, rotatedAt: now },
      state: { status: 'open', steps: this.#stepsOf(kind, idType), flags: [] },
    };
    await this.transactions.add(transaction);
    return transaction;
  }

  #stepsOf(kind: TransactionKind, idType: IdType | undefined): UploadStep[] {
    if (kind !== 'apiOnly') return [];
    const { apiOnlyDocument: document, apiOnlySelfie: selfie } = this.settings;
    return planUploads({ document, selfie }, idType);
  }

  /**
   * An API-only template needs API-only options. [doc: docs/create-hosted-transaction] The other two
   * are interchangeable: examples and tests of the official SDKs use one key for both. [sdk: go, java,
   * php, python, ruby] Node's SDK omits empty hosted_options, and gets no hosted URL. [sdk: node]
   */
  #kindOf({ templateKey, options }: CreateTransaction): TransactionKind {
    const template = this.templates.kindOf(templateKey);
    // ASSUMPTION: 400 for a template that does not exist.
    if (!template) throw invalidRequest('template_key names no template of this sandbox.');
    if ((template === 'apiOnly') === (options === 'apiOnly')) {
      return options === 'none' ? 'sdk' : options;
    }
    throw invalidRequest(
      'template_key does not match the options: api_only_options go with the API-only template, and with no other.',
    );
  }
}

/** ASSUMPTION: the status. Berbix disallows it by default. [sdk: node README] */
function consentNotAllowed(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'The account may not send consents_to_automated_facial_recognition: Berbix allows it on request. Leave it out, or start the sandbox without --no-facial-recognition.',
  );
}
