import {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixUnavailableError,
  isBerbixError,
} from '../../errors/index.js';
import type { ExchangeAttempt } from '../../token-store/index.js';
import { rotationOf, type RenewalPolicy } from './renewal-policy.js';
import { refreshTokensOf, storeTime, type TokenRecord } from './token-record.js';
import type { SeenTokens } from './token-records.js';

/** A dead refresh token is tried again after a minute, then after twice as long, at most an hour. */
export const [DEAD_MS, DEAD_LIMIT_MS] = [60_000, 3_600_000];

/** A failure that may pass is waited out by all replicas, in milliseconds. */
export const [BACKOFF_MS, BACKOFF_LIMIT_MS] = [500, 60_000];

/** A refused API secret is a matter of the account: once it is mended, no transaction waits long. */
const ACCOUNT_LIMIT_MS = 5_000;

/** An exchange that failed, or a call of `onRotation`. */
export interface Failure {
  readonly error: unknown;
  /** When the exchange was begun, on the store's clock; undefined where there was none. */
  readonly startedAt: number | undefined;
}

/** What is left for the other replicas after a failure. */
export function attemptAfter(
  seen: SeenTokens,
  { error, startedAt }: Failure,
  policy: RenewalPolicy,
): ExchangeAttempt {
  const { note } = seen;
  const now = storeTime(seen);
  if (isUnknown(error) && hasAnother(seen)) return { ...note, unknown: (note.unknown ?? 0) + 1 };
  if (isUnknown(error) && note.isUnreported) {
    // Another replica may have just exchanged it, and has yet to save the new one: where the clock of
    // the store is set forward, its lease ends early.
    return { failures: note.failures, notBefore: now + policy.leaseMs, startedAt: note.startedAt };
  }
  if (isDead(error)) {
    const failures = note.dead === undefined ? 1 : (note.failures ?? 0) + 1;
    const waitMs = Math.min(DEAD_MS * 2 ** (failures - 1), DEAD_LIMIT_MS);
    return { dead: error.code, failures, notBefore: now + waitMs };
  }
  const { isUnreported, unknown } = note;
  // An attempt before this one, whose end nobody knows, is the one that may have spent the token.
  const openSince = note.startedAt ?? (provesNotSpent(error) ? undefined : startedAt);
  // Nothing was sent, for a reason within this process.
  if (error instanceof BerbixUnavailableError || error instanceof BerbixConfigurationError) {
    return { failures: note.failures, startedAt: openSince, isUnreported, unknown };
  }
  const failures = note.dead === undefined ? (note.failures ?? 0) + 1 : 1;
  const notBefore = Math.min(
    now + backoffMs(error, failures),
    lastChanceAt(seen.value, openSince, now, policy),
  );
  return { failures, notBefore, startedAt: openSince, isUnreported, unknown };
}

function backoffMs(error: unknown, failures: number): number {
  const limitMs = error instanceof BerbixAuthenticationError ? ACCOUNT_LIMIT_MS : BACKOFF_LIMIT_MS;
  const retryAfterMs = (error as { retryAfterMs?: number }).retryAfterMs ?? 0;
  const jitterMs = Math.random() * Math.min(BACKOFF_MS * 2 ** failures, limitMs);
  return Math.max(Math.min(retryAfterMs, BACKOFF_LIMIT_MS), jitterMs);
}

/** If the token was spent, its successor can be had as long as the grace lasts, and no longer. */
function lastChanceAt(
  value: TokenRecord,
  openSince: number | undefined,
  now: number,
  policy: RenewalPolicy,
): number {
  const rotation = rotationOf(value, policy);
  if (typeof rotation !== 'object' || openSince === undefined) return Infinity;
  const at = openSince + rotation.graceMs - policy.totalTimeoutMs;
  return at > now ? at : Infinity;
}

/** Whether the record has a refresh token that was not presented yet. */
function hasAnother({ value, note }: SeenTokens): boolean {
  return (note.unknown ?? 0) + 1 < refreshTokensOf(value).length;
}

function isUnknown(error: unknown): error is BerbixInvalidRefreshTokenError {
  return error instanceof BerbixInvalidRefreshTokenError;
}

/** Whether no repetition helps: a new transaction is the only way on. */
export function isDead(error: unknown): error is BerbixGoneError | BerbixInvalidRefreshTokenError {
  return error instanceof BerbixGoneError || isUnknown(error);
}

/** Whether the API cannot have replaced the refresh token: it was not reached, or it refused. */
function provesNotSpent(error: unknown): boolean {
  return isBerbixError(error) && error.isWithoutEffect;
}
