import { Inject, Injectable } from '@nestjs/common';
import { transactionGone } from '../errors/api.exception.js';
import { KeyedMutex } from '../keyed-mutex.js';
import { SandboxClock } from '../sandbox-clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { TransactionStore } from './transaction.store.js';
import type { CompletedTransaction, Transaction } from './transaction.js';

const DAY_MS = 86_400_000;

/** The transactions that are there, and the one way to change them. */
@Injectable()
export class Transactions {
  /** By transaction id. */
  readonly #mutex = new KeyedMutex();
  readonly #retentionMs: number;

  constructor(
    @Inject(TransactionStore) private readonly store: TransactionStore,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) { retentionDays }: SandboxSettings,
  ) {
    this.#retentionMs = retentionDays * DAY_MS;
  }

  /** Keeps a new one. */
  add(transaction: Transaction): Promise<void> {
    return this.store.add(transaction);
  }

  /** @throws {ApiException} 410 if it is not there any more */
  async find(id: string): Promise<Transaction> {
    const transaction = await this.store.find(id);
    if (!transaction) throw transactionGone();
    if (this.#isPurged(transaction)) {
      await this.store.delete(id);
      throw transactionGone();
    }
    return transaction;
  }

  /** Others with the same photo ID under another name. [sdk: go types.go] */
  async duplicatesOf(transaction: CompletedTransaction): Promise<CompletedTransaction[]> {
    const { mode, customerUid, state } = transaction;
    const { id_number: idNumber } = state.fields;
    if (!idNumber) return [];
    const same = await this.store.findByIdNumber(mode, idNumber);
    return same.filter((other) => other.customerUid !== customerUid && !this.#isPurged(other));
  }

  /**
   * Makes another object of the transaction and saves it, after all changes that were asked for
   * before. What the change throws leaves everything as it was.
   *
   * @throws {ApiException} 410 if it is not there any more
   */
  change<Changed extends Transaction>(
    id: string,
    change: (transaction: Transaction) => Changed,
  ): Promise<Changed> {
    return this.#mutex.run(id, async () => {
      const changed = change(await this.find(id));
      await this.store.save(changed);
      return changed;
    });
  }

  /** @throws {ApiException} 410 if it is not there any more */
  delete(id: string): Promise<void> {
    return this.#mutex.run(id, async () => {
      await this.find(id);
      await this.store.delete(id);
    });
  }

  /** ASSUMPTION: the days count from the creation. [doc: docs/frequently-asked-questions] */
  #isPurged({ createdAt }: Transaction): boolean {
    return this.clock.now() >= createdAt + this.#retentionMs;
  }
}
