import type { FreshnessSettings } from './freshness.options.js';
import type { TokenRecord } from './token-record.js';

/** What the options say about renewals. */
export interface RenewalPolicy extends Pick<
  FreshnessSettings,
  'rotation' | 'leaseMs' | 'totalTimeoutMs' | 'hookTimeoutMs'
> {
  /** Whether the application is told of a new refresh token. */
  readonly notifies: boolean;
}

/** What the API does with the refresh token of a transaction. One that was seen to be replaced counts as `strict`. */
export function rotationOf(
  { rotates }: TokenRecord,
  { rotation }: RenewalPolicy,
): RenewalPolicy['rotation'] {
  return rotation === 'none' && rotates ? 'strict' : rotation;
}

/** Whether the application has to be told of the refresh token before anyone gets the tokens (I4). */
export function isNotificationOwed(
  { pendingRotation }: TokenRecord,
  { notifies }: RenewalPolicy,
): boolean {
  return notifies && pendingRotation !== undefined;
}
