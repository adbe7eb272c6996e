import { randomBytes } from 'node:crypto';
import type { SandboxMode } from '../auth/authorization.js';
import type { SandboxSettings, WebhookSecrets } from '../settings.js';
import {
  type CompletedTransaction,
  isCompleted,
  type Transaction,
  type TransactionFilter,
  TransactionStore,
} from '../transactions/transaction.js';
import type { PendingWebhooks } from '../webhooks/webhook.js';
import { MAX_TRANSACTIONS } from './state-document.js';

/** What stays the same in the next run; the template keys are derived from it. */
export interface SandboxIdentity {
  readonly apiSecret: string;
  readonly liveApiSecret: string;
  readonly webhookSecrets: WebhookSecrets;
  /** In base64. */
  readonly signingKey: string;
}

/** The identity with these settings; the key is that of the last run, or a new one. */
export function identityOf(
  { apiSecret, liveApiSecret, webhooks }: SandboxSettings,
  signingKey = randomBytes(32).toString('base64'),
): SandboxIdentity {
  return { apiSecret, liveApiSecret, webhookSecrets: webhooks.secrets, signingKey };
}

/** Everything that a sandbox stores. */
export interface SandboxStorage {
  readonly transactions: TransactionStore;
  readonly pendingWebhooks: PendingWebhooks;
  /** The identity of the last run, if there was one. */
  loadIdentity(): Promise<SandboxIdentity | undefined>;
  saveIdentity(identity: SandboxIdentity): Promise<void>;
  /**
   * Replaces all transactions and the identity, and drops the pending webhooks. If it fails, nothing
   * changes.
   *
   * @param transactions oldest first
   */
  replace(transactions: readonly Transaction[], identity: SandboxIdentity): Promise<void>;
  close(): Promise<void>;
}

/** Injection token of {@link SandboxStorage}. */
export const SANDBOX_STORAGE = Symbol.for('nestjs-berbix:sandbox-storage');

/** The last 100,000 transactions, at most a few hundred megabytes; older ones count as purged. */
export class InMemoryTransactionStore extends TransactionStore {
  #transactions = new Map<string, Transaction>();

  /** @param transactions oldest first */
  replaceAll(transactions: readonly Transaction[]): void {
    this.#transactions = new Map(transactions.map((transaction) => [transaction.id, transaction]));
  }

  async add(transaction: Transaction): Promise<void> {
    this.#transactions.set(transaction.id, transaction);
    if (this.#transactions.size <= MAX_TRANSACTIONS) return;
    const [oldest = ''] = this.#transactions.keys();
    this.#transactions.delete(oldest);
  }

  async find(id: string): Promise<Transaction | undefined> {
    return this.#transactions.get(id);
  }

  async save(transaction: Transaction): Promise<void> {
    // It may have been removed for a newer one.
    if (!this.#transactions.has(transaction.id)) return;
    this.#transactions.set(transaction.id, transaction);
  }

  async delete(id: string): Promise<void> {
    this.#transactions.delete(id);
  }

  async list(filter: TransactionFilter): Promise<Transaction[]> {
    const { customerUid, state, createdAfter, limit } = filter;
    return [...this.#transactions.values()]
      .filter((transaction) => transaction.createdAt > createdAfter)
      .filter((transaction) => transaction.customerUid === (customerUid ?? transaction.customerUid))
      .filter((transaction) => transaction.state.status === (state ?? transaction.state.status))
      .toSorted((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1))
      .slice(0, limit);
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

const NOTHING_PENDING: PendingWebhooks = {
  load: async () => [],
  add: async () => undefined,
  delete: async () => undefined,
};

/** Storage that ends with the sandbox. */
export class InMemoryStorage implements SandboxStorage {
  readonly transactions = new InMemoryTransactionStore();
  readonly pendingWebhooks = NOTHING_PENDING;

  async loadIdentity(): Promise<undefined> {}
  async saveIdentity(): Promise<void> {}
  async replace(transactions: readonly Transaction[]): Promise<void> {
    this.transactions.replaceAll(transactions);
  }
  async close(): Promise<void> {}
}
