import { Inject, Injectable } from '@nestjs/common';
import { type IdType, READABLE, type UploadStep } from '../../wire/index.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { ApiException, invalidRequest } from '../errors/api.exception.js';
import { SandboxClock } from '../sandbox-clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { CompletionLimit } from './completion-limit.js';
import type { CreateTransaction } from './create-transaction.request.js';
import { Templates } from './template-keys.js';
import { TransactionIds } from './transaction-ids.js';
import type { Transaction, TransactionKind } from './transaction.js';
import { Transactions } from './transactions.js';
import { planUploads } from './upload-plan.js';

/** Makes transactions; each call makes a new one, also for a customer who has some. [doc: docs/transactions] */
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
   * @throws {ApiException} 400 for a template that is unknown or not meant for these options, 403 for a
   * consent that the account may not send, 429 for one test transaction too many
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
   * An API-only template goes with API-only options. [doc: docs/create-hosted-transaction] The other
   * two are taken for each other: the examples and tests of the official SDKs use one key for both.
   * [sdk: go, java, php, python, ruby] Node's SDK leaves hosted_options out when there are none, and
   * gets no hosted URL. [sdk: node]
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

/** ASSUMPTION: the status; that Berbix disallows it by default is known. [sdk: node README] */
function consentNotAllowed(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'The account may not send consents_to_automated_facial_recognition: Berbix allows it on request. Leave it out, or start the sandbox without --no-facial-recognition.',
  );
}
