import type { IdType, MatchData, UploadStep } from '../../wire/index.js';
import type { SandboxMode } from '../auth/authorization.js';

/** What drives the verification: an SDK in a page, a hosted page, or uploads by the backend. */
export type TransactionKind = 'sdk' | 'hosted' | 'apiOnly';

/** The state of the refresh token of a transaction. */
export interface Rotation {
  /** How often it was rotated; the current refresh token contains this number. */
  readonly generation: number;
  /** When it was rotated last, in milliseconds since 1970. */
  readonly rotatedAt: number;
  /** Whether no refresh token of the transaction is accepted any more. */
  readonly revoked?: boolean;
}

/** Waiting for the user, or for uploads. */
export interface OpenState {
  readonly status: 'open';
  /** The remaining uploads of an API-only transaction, in their order; empty for others. */
  readonly steps: readonly UploadStep[];
  /** Raised by the uploads so far. */
  readonly flags: readonly string[];
  /** The number of the photo ID, after it was uploaded. */
  readonly idNumber?: string;
}

/** The verification is complete; only its action can change. */
export interface CompletedState {
  readonly status: 'completed';
  /** Milliseconds since 1970. */
  readonly completedAt: number;
  readonly action: string;
  readonly flags: readonly string[];
  /** The value of each field. */
  readonly fields: Readonly<Record<string, string>>;
  /** Sent with the last change of the action. */
  readonly note?: string;
}

/** One verification of one person: immutable data that survives JSON. */
export interface Transaction {
  /** A 64-bit integer on the wire, in decimal digits. [sdk: go int64] */
  readonly id: string;
  readonly mode: SandboxMode;
  readonly kind: TransactionKind;
  readonly customerUid: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly email?: string;
  readonly phone?: string;
  /** Without this consent, an uploaded selfie is not matched with the photo ID. [sdk: node] */
  readonly facialRecognition: boolean;
  readonly matchData?: MatchData;
  /** The document that the backend of an API-only transaction announced. */
  readonly idType?: IdType;
  /** Where the backend wants the user of a hosted transaction to go at the end. */
  readonly redirectUrl?: string;
  readonly rotation: Rotation;
  /** How often a test expired its access and client tokens, which contain this number; 0 if missing. */
  readonly expirations?: number;
  readonly state: OpenState | CompletedState;
}

/** A transaction with a result. */
export type CompletedTransaction = Transaction & { readonly state: CompletedState };

/** Whether the transaction has a result. */
export function isCompleted(transaction: Transaction): transaction is CompletedTransaction {
  return transaction.state.status === 'completed';
}

/** The page of the dashboard, which the sandbox does not have. ASSUMPTION: the path. [sdk: node-demo README] */
export function dashboardUrlOf(id: string): string {
  return `https://dashboard.berbix.com/transactions/${id}`;
}

/** Which transactions to list. */
export interface TransactionFilter {
  /** Only those of this customer. */
  readonly customerUid?: string | undefined;
  /** Only those that are open, or have a result. */
  readonly state?: TransactionState | undefined;
  /** Only those that were created later, in milliseconds since 1970. */
  readonly createdAfter: number;
  /** At most this many. */
  readonly limit: number;
}

/** Whether a transaction has a result. */
export type TransactionState = 'open' | 'completed';

/** Stores transactions, without rules of its own: `Transactions` makes one call at a time for each. */
export abstract class TransactionStore {
  /** Adds a new transaction. */
  abstract add(transaction: Transaction): Promise<void>;

  /** Undefined means deleted: ids come from signed tokens, so the transaction existed. */
  abstract find(id: string): Promise<Transaction | undefined>;

  /** Replaces the transaction with this id. */
  abstract save(transaction: Transaction): Promise<void>;

  /** Removes everything about the transaction, if it exists. [sdk: all] */
  abstract delete(id: string): Promise<void>;

  /** The transactions, the latest creation first; of the same time, the highest id first. */
  abstract list(filter: TransactionFilter): Promise<Transaction[]>;

  /** Completed transactions of this mode with this `id_number`, in any order. */
  abstract findByIdNumber(mode: SandboxMode, idNumber: string): Promise<CompletedTransaction[]>;

  /** Completion times of this mode that are later than `after`, in any order. */
  abstract completionTimes(mode: SandboxMode, after: number): Promise<number[]>;
}
