import type { Limiter } from '../concurrency/index.js';
import type { BerbixExchangeReason, EventBus } from '../events/index.js';
import type { LocalTokens, TokenRecords } from '../records/index.js';
import type { SealedRecords } from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import type { RenewalPolicy } from './renewal-state.js';
import type { CachedTokens } from './token-memory.js';
import type { TokenSaver } from './token-saver.js';

/** Exchanges refresh tokens at the API. */
export interface Exchange {
  run(tokens: BerbixTokens, reason: BerbixExchangeReason): Promise<BerbixTokens>;
  /** From now on, do not repeat an exchange whose answer may be lost (I3). */
  noticeRotation(): void;
}

/** What the renewals of one store share. */
export interface RenewalContext {
  readonly sealed: SealedRecords;
  readonly records: TokenRecords;
  readonly saver: TokenSaver;
  readonly exchange: Exchange;
  readonly events: EventBus;
  readonly policy: RenewalPolicy;
  /** Limits how many exchanges run at a time. */
  readonly turns: Limiter;
  /** Once it is aborted, nothing waits for another replica. It is checked, not listened to. */
  readonly closing: AbortController;
}

/** The place of a renewal in the cache. */
export interface RenewalSlot {
  /** Caches tokens before callers get them. */
  keep(found: LocalTokens): CachedTokens;
  /** From now on, callers start another run. */
  free(): void;
}
