import type { VaultNote } from '../../token-store/index.js';
import { BACKOFF_LIMIT_MS, DEAD_LIMIT_MS } from './failure-note.js';
import type { TokenRecord } from './token-record.js';

/** Clocks of two servers of a store may differ by so many milliseconds. */
const TOLERANCE_MS = 1_000;

/** A record, and what was noted of it. */
interface Noted {
  readonly value: TokenRecord;
  readonly note: VaultNote;
}

/**
 * Nothing lasts longer than it can, and nothing that is done was done later than now. Where a record
 * says so, the store's clock was set back since it was written, and nobody knows how much of a time
 * has passed: it counts as over.
 *
 * @param now the store's clock, in milliseconds
 */
export function believed<T extends Noted>(seen: T, now: number): T {
  const { value, note } = seen;
  const { expiresAt = 0, lifetimeMs = 0, exchangedAt = 0 } = value;
  const { notBefore = 0, attemptAt = 0, dead } = note;
  const limitMs = dead === undefined ? BACKOFF_LIMIT_MS : DEAD_LIMIT_MS;
  const latest = now + TOLERANCE_MS;
  const isSetBack =
    expiresAt > latest + lifetimeMs ||
    exchangedAt > latest ||
    attemptAt > latest ||
    notBefore > latest + limitMs;
  if (!isSetBack) return seen;
  return {
    ...seen,
    value: { ...value, expiresAt: undefined, refreshAfter: undefined, exchangedAt: undefined },
    // An attempt that is still to come was made long ago.
    note: { ...note, notBefore: undefined, attemptAt: note.attemptAt && 0 },
  };
}

/** Whether a lease lasts longer than any that was taken: whoever took it may be long gone. */
export function isOverlong(leasedForMs: number, leaseMs: number): boolean {
  return leasedForMs > 2 * leaseMs;
}
