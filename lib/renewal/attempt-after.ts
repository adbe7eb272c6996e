import {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixUnavailableError,
  isBerbixError,
} from '../errors/index.js';
import {
  BACKOFF_LIMIT_MS,
  DEAD_LIMIT_MS,
  nextRefreshToken,
  type TokenRecord,
} from '../records/index.js';
import type { ExchangeAttempt } from '../token-store/index.js';
import { rotationOf, type RenewalPolicy, type RenewalState } from './renewal-state.js';

/** Milliseconds until a dead refresh token is presented again; doubled up to the limit. */
const DEAD_MS = 60_000;

/**
 * Milliseconds; all replicas back off for a random time of up to twice this after the first
 * failure, and the bound doubles with each further one, up to the limit.
 */
const BACKOFF_MS = 500;

/**
 * Keeps the backoff short, in milliseconds: once the API secret is corrected, every transaction
 * recovers soon.
 */
const ACCOUNT_LIMIT_MS = 5_000;

/** A failed exchange or a failed call of `onRotation`. */
export interface Failure {
  readonly error: unknown;
  /** When the exchange started, on the store's clock; undefined for `onRotation`. */
  readonly startedAt: number | undefined;
}

/** The note that a failure leaves for the other replicas. */
export function attemptAfter(
  state: Pick<RenewalState, 'value' | 'attempt' | 'now'>,
  { error, startedAt }: Failure,
  policy: RenewalPolicy,
): ExchangeAttempt {
  const { value, attempt, now } = state;
  // A spare may still work: the next step presents it, without backing off.
  if (isUnknown(error) && hasAnother(state)) {
    return { ...attempt, unknownCount: (attempt.unknownCount ?? 0) + 1 };
  }
  if (isUnknown(error) && attempt.isUnreported) {
    // I7: another replica may have exchanged this token and not yet saved the successor. Its lease
    // ends early if the store's clock is set forward.
    return {
      failures: attempt.failures,
      notBefore: now + policy.leaseMs,
      startedAt: attempt.startedAt,
    };
  }
  if (isDead(error)) {
    const failures = attempt.deadCode === undefined ? 1 : (attempt.failures ?? 0) + 1;
    const waitMs = Math.min(DEAD_MS * 2 ** (failures - 1), DEAD_LIMIT_MS);
    return { deadCode: error.code, failures, notBefore: now + waitMs };
  }
  const { isUnreported, unknownCount } = attempt;
  // I3: the first attempt without a known outcome may have spent the token. A later refusal does
  // not clear it.
  const inDoubtSince = attempt.startedAt ?? (provesNotSpent(error) ? undefined : startedAt);
  // For a reason within this process, such as its shutdown: other replicas need not back off.
  if (error instanceof BerbixUnavailableError || error instanceof BerbixConfigurationError) {
    return { ...attempt, notBefore: undefined, startedAt: inDoubtSince };
  }
  const failures = attempt.deadCode === undefined ? (attempt.failures ?? 0) + 1 : 1;
  const notBefore = Math.min(
    now + backoffMs(error, failures),
    lastChanceAt(value, inDoubtSince, now, policy),
  );
  return { failures, notBefore, startedAt: inDoubtSince, isUnreported, unknownCount };
}

function backoffMs(error: unknown, failures: number): number {
  const limitMs = error instanceof BerbixAuthenticationError ? ACCOUNT_LIMIT_MS : BACKOFF_LIMIT_MS;
  const retryAfterMs = (error as { retryAfterMs?: number }).retryAfterMs ?? 0;
  const jitterMs = Math.random() * Math.min(BACKOFF_MS * 2 ** failures, limitMs);
  return Math.max(Math.min(retryAfterMs, BACKOFF_LIMIT_MS), jitterMs);
}

/**
 * If the token was spent, the API returns its successor only during the grace: do not back off past
 * it.
 */
function lastChanceAt(
  value: TokenRecord,
  inDoubtSince: number | undefined,
  now: number,
  policy: RenewalPolicy,
): number {
  const rotation = rotationOf(value, policy);
  if (typeof rotation !== 'object' || inDoubtSince === undefined) return Infinity;
  const at = inDoubtSince + rotation.graceMs - policy.totalTimeoutMs;
  return at > now ? at : Infinity;
}

/** Whether the record has a refresh token that has not been presented yet. */
function hasAnother({ value, attempt }: Pick<RenewalState, 'value' | 'attempt'>): boolean {
  return nextRefreshToken(value, (attempt.unknownCount ?? 0) + 1) !== undefined;
}

function isUnknown(error: unknown): error is BerbixInvalidRefreshTokenError {
  return error instanceof BerbixInvalidRefreshTokenError;
}

/** Whether the refresh token is dead: retrying does not help, and a new transaction is needed. */
export function isDead(error: unknown): error is BerbixGoneError | BerbixInvalidRefreshTokenError {
  return error instanceof BerbixGoneError || isUnknown(error);
}

/**
 * Whether the API cannot have replaced the refresh token: it was not reached, or it refused the
 * request.
 */
function provesNotSpent(error: unknown): boolean {
  return isBerbixError(error) && error.isWithoutEffect;
}
