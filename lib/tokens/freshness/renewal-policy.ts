import type { FreshnessSettings } from './freshness.options.js';
import type { TokenRecord } from './token-record.js';

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
