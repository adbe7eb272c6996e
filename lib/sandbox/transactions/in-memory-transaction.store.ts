import { Injectable } from '@nestjs/common';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { TransactionStore } from './transaction.store.js';
import { type CompletedTransaction, isCompleted, type Transaction } from './transaction.js';

/** The transactions of this run. */
@Injectable()
export class InMemoryTransactionStore extends TransactionStore {
  readonly #transactions = new Map<string, Transaction>();

  async add(transaction: Transaction): Promise<void> {
    this.#transactions.set(transaction.id, transaction);
  }

  async find(id: string): Promise<Transaction | undefined> {
    return this.#transactions.get(id);
  }

  async save(transaction: Transaction): Promise<void> {
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
