import type { ExchangeAttempt } from '../token-store/index.js';
import type { TokenRecord } from './token-record.js';

/** Milliseconds that a note may ask replicas to wait: after a failure, and for a dead token. */
export const [BACKOFF_LIMIT_MS, DEAD_LIMIT_MS] = [60_000, 3_600_000];

/** Milliseconds that the clocks of two servers of a store may differ. */
const TOLERANCE_MS = 1_000;

/** A record and its note. */
interface Noted {
  readonly value: TokenRecord;
  readonly attempt: ExchangeAttempt;
}

/**
 * Distrusts a record from the future. Times that cannot be true were written before the store's
 * clock was set back. How much of the lifetime has passed is unknown, so the tokens count as
 * expired (I1).
 *
 * @param now the store's clock, in milliseconds
 */
export function believed<T extends Noted>(seen: T, now: number): T {
  const { value, attempt } = seen;
  const { expiresAt = 0, lifetimeMs = 0, exchangedAt = 0 } = value;
  const { notBefore = 0, startedAt = 0, deadCode } = attempt;
  const limitMs = deadCode === undefined ? BACKOFF_LIMIT_MS : DEAD_LIMIT_MS;
  const latest = now + TOLERANCE_MS;
  const isSetBack =
    expiresAt > latest + lifetimeMs ||
    exchangedAt > latest ||
    startedAt > latest ||
    notBefore > latest + limitMs;
  if (!isSetBack) return seen;
  return {
    ...seen,
    value: { ...value, expiresAt: undefined, refreshAfter: undefined, exchangedAt: undefined },
    // The attempt was made before the clock was set back. Zero keeps it open, with its grace over.
    attempt: { ...attempt, notBefore: undefined, startedAt: attempt.startedAt && 0 },
  };
}
