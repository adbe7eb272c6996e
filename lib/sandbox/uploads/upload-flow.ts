import { Inject, Injectable } from '@nestjs/common';
import { UPLOAD_STEPS, type UploadStep } from '../../wire/index.js';
import { UploadConflictException } from '../http/api-exception.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { idNumberFrom } from '../transactions/sample-fields.js';
import { planPhotos } from '../transactions/templates.js';
import { TransactionResults } from '../transactions/transaction-results.js';
import { isCompleted, type OpenState, type Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import type { Upload } from './upload-requests.js';

/** What the sandbox finds in an upload. */
interface Findings {
  /** They make the upload fail; the most important one is the first. */
  readonly issues: readonly string[];
  /** Flags of the result. */
  readonly flags: readonly string[];
}

const REQUEST = /^(issue|flag):([a-z0-9_]+(?:,[a-z0-9_]+)*)/;
/** Bytes of an upload that are searched. */
const MAX_REQUEST_LENGTH = 1000;

/**
 * The findings that the first bytes of an upload request: `issue:` or `flag:` and names, separated by
 * commas. The sandbox does not inspect the image itself.
 *
 * @example
 * requestedFindings([Buffer.from('issue:text_unreadable')]) // the upload fails and must be repeated
 * requestedFindings([Buffer.from('flag:id_expired,id_under_21')]) // the result has two flags
 */
function requestedFindings(contents: readonly Buffer[]): Findings {
  const requests = contents.map(requestIn);
  const names = (kind: string) =>
    requests.flatMap((request) => (request?.[1] === kind ? (request[2]?.split(',') ?? []) : []));
  return { issues: names('issue'), flags: names('flag') };
}

function requestIn(content: Buffer): RegExpExecArray | null {
  return REQUEST.exec(content.subarray(0, MAX_REQUEST_LENGTH).toString('latin1'));
}

/** The result of an upload. */
export interface UploadOutcome {
  readonly transaction: Transaction;
  readonly issues: readonly string[];
}

/** Processes the uploads of API-only transactions in order. [doc: reference/uploadimages] */
@Injectable()
export class UploadFlow {
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** @throws {ApiException} 409 for an unexpected upload */
  async take(id: string, upload: Upload): Promise<UploadOutcome> {
    const findings = requestedFindings(upload.contents);
    const transaction = await this.transactions.change(id, (current) => {
      const state = requireStep(current, upload.step);
      return findings.issues.length > 0
        ? this.#retry(current, state, upload)
        : this.#advance(current, state, upload, findings);
    });
    if (isCompleted(transaction)) this.results.announce(transaction);
    return { transaction, issues: findings.issues };
  }

  /** Expects the same upload again, or photos after a failed scan. [doc: reference/idscans] */
  #retry(transaction: Transaction, state: OpenState, { isScan }: Upload): Transaction {
    if (!isScan || this.settings.apiOnlyDocument !== 'barcode-or-photo') return transaction;
    const steps = [...planPhotos(transaction.idType), ...state.steps.slice(1)];
    return { ...transaction, state: { ...state, steps } };
  }

  #advance(
    transaction: Transaction,
    { steps: [, ...steps], flags, idNumber }: OpenState,
    { step, contents }: Upload,
    findings: Findings,
  ): Transaction {
    const raised = isSelfie(step) && !transaction.facialRecognition ? [] : findings.flags;
    const state: OpenState = {
      status: 'open',
      steps,
      flags: [...new Set([...flags, ...raised])],
      // The same photo is the same document, for every customer.
      idNumber: idNumber ?? idNumberFrom(contents[0] ?? ''),
    };
    const advanced = { ...transaction, state };
    return steps.length > 0 ? advanced : this.results.completeUploads(advanced);
  }
}

function requireStep({ state }: Transaction, step: UploadStep): OpenState {
  if (state.status === 'completed') {
    throw new UploadConflictException(
      UPLOAD_STEPS.done,
      'The transaction is complete. Create a new one for another attempt.',
    );
  }
  const [expected = UPLOAD_STEPS.done] = state.steps;
  if (step !== expected) {
    throw new UploadConflictException(
      expected,
      `This upload is for ${step}, but the transaction expects ${expected}.`,
    );
  }
  return state;
}

/**
 * Flags of a selfie come from matching it with the photo ID, which needs the user's consent.
 * ASSUMPTION: without consent, there are no such flags, and nothing else changes. [sdk: node]
 */
function isSelfie(step: UploadStep): boolean {
  return step === UPLOAD_STEPS.selfie || step === UPLOAD_STEPS.liveness;
}
