import type { TokenRecord } from '../records/index.js';
import type { ExchangeAttempt } from '../token-store/index.js';
import type { FreshnessSettings } from './freshness.options.js';

/** All that a rule may look at; times are on the store's clock, in milliseconds. */
export interface RenewalState {
  readonly value: TokenRecord;
  readonly attempt: ExchangeAttempt;
  /** For how long another replica has the lease; 0 if none has it. */
  readonly leasedForMs: number;
  readonly now: number;
  /** `exchangedAt` at the first read of this run: with `forceNew`, only later tokens count. */
  readonly since: number | undefined;
}

/** The options that govern renewals. */
export interface RenewalPolicy extends Pick<
  FreshnessSettings,
  'rotation' | 'leaseMs' | 'totalTimeoutMs' | 'hookTimeoutMs'
> {
  /** Whether the application is notified of a new refresh token. */
  readonly notifies: boolean;
}

/**
 * The rotation of a transaction: once the API has replaced its refresh token, `none` counts as
 * `strict` (I3).
 */
export function rotationOf(
  { rotates }: TokenRecord,
  { rotation }: RenewalPolicy,
): RenewalPolicy['rotation'] {
  return rotation === 'none' && rotates ? 'strict' : rotation;
}

/**
 * Whether the application must be notified of the refresh token before anyone gets the tokens (I4).
 */
export function isNotificationOwed(
  { pendingRotation }: TokenRecord,
  { notifies }: RenewalPolicy,
): boolean {
  return notifies && pendingRotation !== undefined;
}
