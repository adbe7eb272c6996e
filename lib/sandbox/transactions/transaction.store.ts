import { Injectable } from '@nestjs/common';
import type { Transaction } from './transaction.js';

/** The transactions of this run, in memory. */
@Injectable()
export class TransactionStore {
  readonly #transactions = new Map<bigint, Transaction>();

  add(transaction: Transaction): void {
    this.#transactions.set(transaction.id, transaction);
  }

  /** `undefined` means deleted: nobody can name a transaction without a token that was signed for it. */
  find(id: bigint): Transaction | undefined {
    return this.#transactions.get(id);
  }

  /** Removes everything about the transaction. [sdk: all] */
  delete(id: bigint): void {
    this.#transactions.delete(id);
  }
}
