import type { SandboxMode } from '../auth/sandbox-mode.js';
import type { CompletedTransaction, Transaction } from './transaction.js';

/**
 * Where transactions are kept; the injection token of whatever keeps them. It has no rules of its
 * own: {@link Transactions} asks it for one thing at a time about each transaction.
 */
export abstract class TransactionStore {
  /** Keeps a transaction that is not there yet. */
  abstract add(transaction: Transaction): Promise<void>;

  /** `undefined` means deleted: nobody can name a transaction without a token that was signed for it. */
  abstract find(id: string): Promise<Transaction | undefined>;

  /** Puts a changed transaction in the place of the one with its id. */
  abstract save(transaction: Transaction): Promise<void>;

  /** Removes everything about the transaction; nothing happens if there is none. [sdk: all] */
  abstract delete(id: string): Promise<void>;

  /** Those completed in this mode whose field `id_number` is this one, in no certain order. */
  abstract findByIdNumber(mode: SandboxMode, idNumber: string): Promise<CompletedTransaction[]>;

  /** When transactions of this mode were completed, if later than `after`; in no certain order. */
  abstract completionTimes(mode: SandboxMode, after: number): Promise<number[]>;
}
