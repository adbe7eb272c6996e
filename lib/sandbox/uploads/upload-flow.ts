import { Inject, Injectable } from '@nestjs/common';
import { UPLOAD_STEPS, type UploadStep } from '../../wire/index.js';
import { UploadConflictException } from '../errors/upload-conflict.exception.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { idNumberFrom } from '../transactions/sample-fields.js';
import { TransactionEvents } from '../transactions/transaction.events.js';
import { TransactionResults } from '../transactions/transaction-results.js';
import { isCompleted, type OpenState, type Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import { planPhotos } from '../transactions/upload-plan.js';
import { type Findings, requestedFindings } from './requested-findings.js';
import type { Upload } from './upload.js';

/** What came of an upload. */
export interface UploadOutcome {
  readonly transaction: Transaction;
  readonly issues: readonly string[];
}

/** Takes an API-only transaction from upload to upload. [doc: reference/uploadimages] */
@Injectable()
export class UploadFlow {
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TransactionResults) private readonly results: TransactionResults,
    @Inject(TransactionEvents) private readonly events: TransactionEvents,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** @throws {ApiException} 409 for an upload that is not the one it waits for */
  async take(id: string, upload: Upload): Promise<UploadOutcome> {
    const findings = requestedFindings(upload.contents);
    const transaction = await this.transactions.change(id, (current) => {
      const state = requireStep(current, upload.step);
      return findings.issues.length > 0
        ? this.#retry(current, state, upload)
        : this.#advance(current, state, upload, findings);
    });
    if (isCompleted(transaction)) this.events.completed(transaction);
    return { transaction, issues: findings.issues };
  }

  /** The same step again; a scan that failed may give way to photos. [doc: reference/idscans] */
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
      // The same photo is the same document, whoever shows it.
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
      `This upload is for ${step}, and the transaction waits for ${expected}.`,
    );
  }
  return state;
}

/**
 * What is found in a selfie comes from matching it with the photo ID, and that needs the consent.
 * ASSUMPTION: nothing else shows that it was missing. [sdk: node]
 */
function isSelfie(step: UploadStep): boolean {
  return step === UPLOAD_STEPS.selfie || step === UPLOAD_STEPS.liveness;
}
