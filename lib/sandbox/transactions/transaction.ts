import type { IdType, MatchData, UploadStep } from '../../wire/index.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';

/** Who drives the verification: the SDK in the page, a hosted page, or uploads by the backend. */
export type TransactionKind = 'sdk' | 'hosted' | 'apiOnly';

/** Where the refresh token of a transaction stands. */
export interface Rotation {
  /** How often it was rotated; the current refresh token carries this number. */
  readonly generation: number;
  /** When that happened last, in milliseconds since 1970. */
  readonly rotatedAt: number;
}

/** It waits for the user, or for uploads. */
export interface OpenState {
  readonly status: 'open';
  /** The uploads that an API-only transaction still waits for, in their order; others have none. */
  readonly steps: readonly UploadStep[];
  /** What the uploads so far have raised. */
  readonly flags: readonly string[];
  /** The number of the photo ID, once it has been uploaded. */
  readonly idNumber?: string;
}

/** The verification is over; its result can be looked at, and its action changed. */
export interface CompletedState {
  readonly status: 'completed';
  /** Milliseconds since 1970. */
  readonly completedAt: number;
  readonly action: string;
  readonly flags: readonly string[];
  /** The value of each field. */
  readonly fields: Readonly<Record<string, string>>;
  /** What came along with the last change of the action. */
  readonly note?: string;
}

/**
 * One verification of one person. It is plain data that survives JSON, and never changed in place:
 * a change makes another object, which goes to the store.
 */
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
  /** Without it an uploaded selfie is not matched with the photo ID. [sdk: node] */
  readonly facialRecognition: boolean;
  readonly matchData?: MatchData;
  /** API-only transactions may say which document is to come. */
  readonly idType?: IdType;
  /** Where the user of a hosted transaction goes in the end, as the backend said it. */
  readonly redirectUrl?: string;
  readonly rotation: Rotation;
  readonly state: OpenState | CompletedState;
}

/** A transaction with a result. */
export type CompletedTransaction = Transaction & { readonly state: CompletedState };

/** Whether the transaction has a result. */
export function isCompleted(transaction: Transaction): transaction is CompletedTransaction {
  return transaction.state.status === 'completed';
}
