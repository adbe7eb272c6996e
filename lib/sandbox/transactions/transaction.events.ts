import { Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { WebhookKind } from '../../wire/index.js';
import type { CompletedTransaction } from './transaction.js';

/** Something about a transaction that Berbix tells by webhook. */
export interface TransactionEvent {
  /** `finished`: the flow was completed; `status`: the action was determined or changed. */
  readonly kind: WebhookKind;
  /** As it was just then. */
  readonly transaction: CompletedTransaction;
}

/**
 * What happens to transactions, told when the store has it.
 *
 * ASSUMPTION: which of it is told by which webhook. Only what the two are used for is known.
 * [sdk: node-demo] [3p: paays]
 */
@Injectable()
export class TransactionEvents {
  readonly #events = new Subject<TransactionEvent>();

  /** All of them from now on. */
  readonly stream = this.#events.asObservable();

  /** Flow completed, and with it the action determined. */
  completed(transaction: CompletedTransaction): void {
    this.#events.next({ kind: 'finished', transaction });
    this.#events.next({ kind: 'status', transaction });
  }

  /** Another action, or the same one once more. */
  actionChanged(transaction: CompletedTransaction): void {
    this.#events.next({ kind: 'status', transaction });
  }
}
