import { Injectable } from '@nestjs/common';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { TransactionStore } from './transaction.store.js';
import { type CompletedTransaction, isCompleted, type Transaction } from './transaction.js';

/** Some hundred megabytes at most: a test that runs for days makes room for new ones. */
const MOST_TRANSACTIONS = 100_000;

/** The transactions of this run: the last 100,000, those before are as if purged. */
@Injectable()
export class InMemoryTransactionStore extends TransactionStore {
  readonly #transactions = new Map<string, Transaction>();

  async add(transaction: Transaction): Promise<void> {
    this.#transactions.set(transaction.id, transaction);
    if (this.#transactions.size <= MOST_TRANSACTIONS) return;
    const [oldest = ''] = this.#transactions.keys();
    this.#transactions.delete(oldest);
  }

  async find(id: string): Promise<Transaction | undefined> {
    return this.#transactions.get(id);
  }

  async save(transaction: Transaction): Promise<void> {
    // It may have made room for another meanwhile.
    if (!this.#transactions.has(transaction.id)) return;
    this.#transactions.set(transaction.id, transaction);
  }

  async delete(id: string): Promise<void> {
    this.#transactions.delete(id);
  }

  async findByIdNumber(mode: SandboxMode, idNumber: string): Promise<CompletedTransaction[]> {
    return this.#completed(mode).filter(({ state }) => state.fields.id_number === idNumber);
  }

  async completionTimes(mode: SandboxMode, after: number): Promise<number[]> {
    return this.#completed(mode)
      .map(({ state }) => state.completedAt)
      .filter((time) => time > after);
  }

  #completed(mode: SandboxMode): CompletedTransaction[] {
    return [...this.#transactions.values()]
      .filter((transaction) => transaction.mode === mode)
      .filter(isCompleted);
  }
}
