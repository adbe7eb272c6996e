import type { ExchangeAttempt } from '../../token-store/index.js';
import { BACKOFF_LIMIT_MS, DEAD_LIMIT_MS } from './attempt-after.js';
import type { TokenRecord } from './token-record.js';

/** How far the clocks of two servers of a store may differ, in milliseconds. */
const TOLERANCE_MS = 1_000;

/** A record and its note. */
interface Noted {
  readonly value: TokenRecord;
  readonly note: ExchangeAttempt;
}

/**
 * No lifetime ends later than it can, and nothing happened in the future. A record that says otherwise
 * was written before the store's clock was set back. How much of its time has passed is unknown, so it
 * counts as expired.
 *
 * @param now the store's clock, in milliseconds
 */
export function believed<T extends Noted>(seen: T, now: number): T {
  const { value, note } = seen;
  const { expiresAt = 0, lifetimeMs = 0, exchangedAt = 0 } = value;
  const { notBefore = 0, startedAt = 0, dead } = note;
  const limitMs = dead === undefined ? BACKOFF_LIMIT_MS : DEAD_LIMIT_MS;
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
    // An attempt in the future was made long ago.
    note: { ...note, notBefore: undefined, startedAt: note.startedAt && 0 },
  };
}
