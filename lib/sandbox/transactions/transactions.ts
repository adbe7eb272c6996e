import { Inject, Injectable } from '@nestjs/common';
import { SandboxClock } from '../clock.js';
import { transactionGone } from '../http/api-exception.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import {
  type CompletedTransaction,
  type Transaction,
  type TransactionFilter,
  TransactionStore,
} from './transaction.js';

const DAY_MS = 86_400_000;

/** Runs work with the same key in order, and work with different keys concurrently. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work after all earlier work with this key, failed or not. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    const running = before ? before.then(work, work) : work();
    this.#last.set(key, running);
    try {
      return await running;
    } finally {
      if (this.#last.get(key) === running) this.#last.delete(key);
    }
  }
}

/** What happened to a transaction. */
export type TransactionChange = 'created' | 'changed' | 'deleted';

type ChangeListener = (transaction: Transaction, change: TransactionChange) => void;

/** The transactions that exist, and the only way to change them. */
@Injectable()
export class Transactions {
  /** By transaction id. */
  readonly #mutex = new KeyedMutex();
  readonly #retentionMs: number;
  readonly #listeners: ChangeListener[] = [];

  constructor(
    @Inject(TransactionStore) private readonly store: TransactionStore,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) { retentionDays }: SandboxSettings,
  ) {
    this.#retentionMs = retentionDays * DAY_MS;
  }

  /** Calls the listener after each change is stored. */
  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  /** Adds a new one. */
  async add(transaction: Transaction): Promise<void> {
    await this.store.add(transaction);
    this.#report(transaction, 'created');
  }

  /** @throws {ApiException} 410 if it does not exist any more */
  async find(id: string): Promise<Transaction> {
    const transaction = await this.store.find(id);
    if (!transaction) throw transactionGone();
    if (this.#isPurged(transaction)) {
      await this.#delete(transaction);
      throw transactionGone();
    }
    return transaction;
  }

  /** Those that exist, newest first. */
  list(filter: Omit<TransactionFilter, 'createdAfter'>): Promise<Transaction[]> {
    const createdAfter = this.clock.now() - this.#retentionMs;
    return this.store.list({ ...filter, createdAfter });
  }

  /** When the transaction is purged, in milliseconds since 1970. */
  purgesAt({ createdAt }: Transaction): number {
    return createdAt + this.#retentionMs;
  }

  /** Transactions of other customers with the same photo ID. [sdk: go types.go] */
  async duplicatesOf(transaction: CompletedTransaction): Promise<CompletedTransaction[]> {
    const { mode, customerUid, state } = transaction;
    const { id_number: idNumber } = state.fields;
    if (!idNumber) return [];
    const same = await this.store.findByIdNumber(mode, idNumber);
    return same.filter((other) => other.customerUid !== customerUid && !this.#isPurged(other));
  }

  /**
   * Replaces the transaction, after all earlier changes of it. If the change throws, nothing happens.
   *
   * @throws {ApiException} 410 if it does not exist any more
   */
  change<Changed extends Transaction>(
    id: string,
    change: (transaction: Transaction) => Changed,
  ): Promise<Changed> {
    return this.#mutex.run(id, async () => {
      const changed = change(await this.find(id));
      await this.store.save(changed);
      this.#report(changed, 'changed');
      return changed;
    });
  }

  /** @throws {ApiException} 410 if it does not exist any more */
  delete(id: string): Promise<void> {
    return this.#mutex.run(id, async () => this.#delete(await this.find(id)));
  }

  async #delete(transaction: Transaction): Promise<void> {
    await this.store.delete(transaction.id);
    this.#report(transaction, 'deleted');
  }

  #report(transaction: Transaction, change: TransactionChange): void {
    for (const listener of this.#listeners) listener(transaction, change);
  }

  /** ASSUMPTION: the days are counted from the creation. [doc: docs/frequently-asked-questions] */
  #isPurged(transaction: Transaction): boolean {
    return this.clock.now() >= this.purgesAt(transaction);
  }
}
