import type { SandboxMode } from '../auth/sandbox-mode.js';

/** Who drives the verification: the SDK in the page, a hosted page, or uploads by the backend. */
export type TransactionKind = 'sdk' | 'hosted' | 'apiOnly';

/** Where the refresh token of a transaction stands. */
export interface Rotation {
  /** How often it was rotated; the current refresh token carries this number. */
  generation: number;
  /** When that happened last, in milliseconds since 1970. */
  rotatedAt: number;
}

/** One verification of one person. */
export interface Transaction {
  /** A 64-bit integer on the wire. [sdk: go int64] */
  readonly id: bigint;
  readonly mode: SandboxMode;
  readonly kind: TransactionKind;
  readonly customerUid: string;
  readonly createdAt: Date;
  /** The last part of the hosted URL; hosted transactions only. */
  readonly hostedClaim?: string;
  readonly rotation: Rotation;
}
