import { Inject, Injectable } from '@nestjs/common';
import { type IdType, READABLE } from '../../wire/index.js';
import { ApiException, invalidRequest } from '../errors/api.exception.js';
import { SandboxClock } from '../sandbox-clock.js';
import { ActionMap } from './action-map.js';
import type { Override } from './override.request.js';
import {
  ageField,
  contactFields,
  type Fields,
  idNumberFrom,
  sampleFields,
} from './sample-fields.js';
import { TransactionEvents } from './transaction.events.js';
import {
  type CompletedTransaction,
  isCompleted,
  type OpenState,
  type Transaction,
} from './transaction.js';
import { Transactions } from './transactions.js';
import type { Update } from './update.request.js';

/** Determines and changes what comes out of transactions. */
@Injectable()
export class TransactionResults {
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(ActionMap) private readonly actionMap: ActionMap,
    @Inject(TransactionEvents) private readonly events: TransactionEvents,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  /**
   * Completes a transaction with the result that a test wants. [doc: docs/testing]
   *
   * @throws {ApiException} 403 for a live transaction, 409 for a completed one
   */
  async override({ id, mode }: Transaction, { idType, flags, fields }: Override): Promise<void> {
    if (mode === 'live') throw overrideInLiveMode();
    await this.#finish(id, (transaction) => {
      const samples = this.#sampleOf(transaction, idType);
      return this.#complete(transaction, flags, { ...samples, ...fields });
    });
  }

  /**
   * Completes a transaction, of either mode, with an action, and with a flag that leads to it if
   * there is one.
   * ASSUMPTION: the document is a driver licence.
   *
   * @throws {ApiException} 409 for a completed one
   */
  async decide({ id }: Transaction, action: string): Promise<void> {
    const flags = this.actionMap.flagsFor(action);
    await this.#finish(id, (transaction) =>
      this.#complete(transaction, flags, this.#sampleOf(transaction, 'DL'), action),
    );
  }

  /** Makes the result of an API-only transaction whose last upload has come. */
  completeUploads(transaction: Transaction & { readonly state: OpenState }): CompletedTransaction {
    const { idType = 'DL', state } = transaction;
    const samples = sampleFields(idType, state.idNumber ?? '', this.#now());
    return this.#complete(transaction, state.flags, samples);
  }

  /**
   * Changes the action of a completed transaction. [doc: reference/updatetransaction]
   * ASSUMPTION: 409 for one that is not complete, 400 for an action that the account does not have.
   */
  async update({ id }: Transaction, { action, note }: Update): Promise<CompletedTransaction> {
    const { actions } = this.actionMap;
    if (!actions.includes(action)) {
      throw invalidRequest(`action must be one of ${actions.join(', ')}.`);
    }
    const updated = await this.transactions.change(id, (transaction) => {
      if (!isCompleted(transaction)) throw notCompleted();
      return { ...transaction, state: { ...transaction.state, action, note } };
    });
    this.events.actionChanged(updated);
    return updated;
  }

  async #finish(
    id: string,
    complete: (transaction: Transaction) => CompletedTransaction,
  ): Promise<void> {
    const completed = await this.transactions.change(id, (transaction) => {
      if (isCompleted(transaction)) throw alreadyCompleted();
      return complete(transaction);
    });
    this.events.completed(completed);
  }

  /** The same customer has the same document. */
  #sampleOf({ customerUid }: Transaction, idType: IdType): Fields {
    return sampleFields(idType, idNumberFrom(customerUid), this.#now());
  }

  #complete(
    transaction: Transaction,
    flags: readonly string[],
    fields: Fields,
    action = this.actionMap.actionFor(flags),
  ): CompletedTransaction {
    const now = this.#now();
    return {
      ...transaction,
      state: {
        status: 'completed',
        completedAt: now.getTime(),
        action,
        flags,
        fields: { ...contactFields(transaction), ...ageField(fields, now), ...fields },
      },
    };
  }

  #now(): Date {
    return new Date(this.clock.now());
  }
}

/** ASSUMPTION: the status. */
function overrideInLiveMode(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'Only transactions of test mode can be overridden. Create it with the test secret.',
  );
}

/** ASSUMPTION: the status. [sdk: go@experimental] */
function alreadyCompleted(): ApiException {
  return new ApiException(
    409,
    READABLE.wrongState,
    'The transaction is complete and cannot be overridden any more. Create a new one.',
  );
}

function notCompleted(): ApiException {
  return new ApiException(
    409,
    READABLE.wrongState,
    'The transaction is not complete, so it has no action to change. Wait for its result.',
  );
}
