import { Inject, Injectable } from '@nestjs/common';
import { type IdType, READABLE, WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import { SandboxClock } from '../clock.js';
import { ApiException, invalidRequest } from '../http/api-exception.js';
import type { WebhookDelivery } from '../webhooks/delivery-log.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import { ActionMap } from './action-map.js';
import {
  ageField,
  contactFields,
  type Fields,
  idNumberFrom,
  sampleFields,
} from './sample-fields.js';
import {
  type CompletedTransaction,
  dashboardUrlOf,
  isCompleted,
  type OpenState,
  type Transaction,
} from './transaction.js';
import type { Override, Update } from './transaction-requests.js';
import { Transactions } from './transactions.js';

/** A result. ASSUMPTION: the document is a driver license unless `idType` says otherwise. */
export interface Decision {
  readonly action?: string | undefined;
  readonly flags?: readonly string[] | undefined;
  /** They replace fields of the document. */
  readonly fields?: Fields | undefined;
  readonly idType?: IdType | undefined;
}

/** A new result, and its webhooks; those without a URL are missing. */
export interface Announcement {
  readonly transaction: CompletedTransaction;
  readonly deliveries: readonly WebhookDelivery[];
}

/**
 * Completes transactions, changes their action, and sends the webhooks for it, after the store has
 * the change.
 *
 * ASSUMPTION: which change sends which webhook; only their purposes are known. [sdk: node-demo] [3p: paays]
 */
@Injectable()
export class TransactionResults {
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(ActionMap) private readonly actionMap: ActionMap,
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  /**
   * Completes a transaction with the result that a test wants. [doc: docs/testing]
   *
   * @throws {ApiException} 403 for a live transaction, 409 for a completed one
   */
  async override({ id, mode }: Transaction, { idType, flags, fields }: Override): Promise<void> {
    if (mode === 'live') throw overrideInLiveMode();
    await this.decide(id, { idType, flags, fields });
  }

  /**
   * Completes a transaction of either mode. The flags determine the action unless it is given; an
   * action without flags gets one that leads to it, if there is one.
   *
   * @throws {ApiException} 400 for an action that the account does not have, 409 for a completed one
   */
  async decide(id: string, decision: Decision): Promise<Announcement> {
    const { action, idType = 'DL', fields } = decision;
    if (action !== undefined) this.#checkAction(action);
    const { flags = action === undefined ? [] : this.actionMap.flagsFor(action) } = decision;
    return this.#finish(id, (transaction) => {
      const samples = this.sampleOf(transaction, idType);
      return this.#complete(transaction, flags, { ...samples, ...fields }, action);
    });
  }

  /** The result of an API-only transaction after its last upload; call `announce` when it is saved. */
  completeUploads(transaction: Transaction & { readonly state: OpenState }): CompletedTransaction {
    const { idType = 'DL', state } = transaction;
    const samples = sampleFields(idType, state.idNumber ?? '', this.#now());
    return this.#complete(transaction, state.flags, samples);
  }

  /** Sends the webhooks for a new result: the flow is finished, and the action determined. */
  announce(transaction: CompletedTransaction): Announcement {
    const sent = WEBHOOK_KINDS.map((kind) => this.#send(kind, transaction));
    return { transaction, deliveries: sent.filter((delivery) => delivery !== undefined) };
  }

  /** The fields of the customer's document: a customer always has the same one. */
  sampleOf({ customerUid }: Transaction, idType: IdType = 'DL'): Fields {
    return sampleFields(idType, idNumberFrom(customerUid), this.#now());
  }

  /**
   * Changes the action of a completed transaction. [doc: reference/updatetransaction]
   * ASSUMPTION: 409 for one that is not complete, 400 for an action that the account does not have.
   */
  async update({ id }: Transaction, { action, note }: Update): Promise<CompletedTransaction> {
    this.#checkAction(action);
    const updated = await this.transactions.change(id, (transaction) => {
      if (!isCompleted(transaction)) throw notCompleted();
      return { ...transaction, state: { ...transaction.state, action, note } };
    });
    this.#send('status', updated);
    return updated;
  }

  #checkAction(action: string): void {
    const { actions } = this.actionMap;
    if (actions.includes(action)) return;
    throw invalidRequest(`The action must be one of ${actions.join(', ')}.`);
  }

  async #finish(
    id: string,
    complete: (transaction: Transaction) => CompletedTransaction,
  ): Promise<Announcement> {
    const completed = await this.transactions.change(id, (transaction) => {
      if (isCompleted(transaction)) throw alreadyCompleted();
      return complete(transaction);
    });
    return this.announce(completed);
  }

  #send(
    kind: WebhookKind,
    { id, customerUid, state }: CompletedTransaction,
  ): WebhookDelivery | undefined {
    return this.webhooks.send(kind, {
      transactionId: id,
      customerUid,
      action: state.action,
      dashboardLink: dashboardUrlOf(id),
    });
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
    'The transaction is already complete. Create a new one.',
  );
}

function notCompleted(): ApiException {
  return new ApiException(
    409,
    READABLE.wrongState,
    'The transaction is not complete, so it has no action to change. Wait for its result.',
  );
}
