import type { StoreMoment } from '../token-store/index.js';
import { BerbixTokens, defaultLeewayMs, type BerbixTokensInit } from '../values/index.js';
import type { AllFields, Times, TokenRecord } from './token-record.js';

/**
 * How long tokens are usable. All times are on one clock: that of the store for a record, that of
 * this process (`performance.now()`) for cached tokens.
 */
export interface Validity {
  readonly tokens: {
    readonly accessToken?: string | undefined;
    readonly clientToken?: string | undefined;
    readonly lifetimeMs?: number | undefined;
  };
  /** From then on they are renewed in the background (stale-while-revalidate). */
  readonly staleAt: number;
  /** From then on they are served only if a renewal fails (stale-if-error). */
  readonly expiresSoonAt: number;
  /** When they expire. */
  readonly endAt: number;
}

/** The tokens of a record, with times on the clock of this process (`performance.now()`). */
export interface LocalTokens extends Validity {
  readonly tokens: BerbixTokens;
}

/** How long the tokens of a record are usable, on the store's clock. */
export function validityOf(record: TokenRecord): Validity {
  const {
    expiresAt: endAt = -Infinity,
    refreshAfter: staleAt = -Infinity,
    lifetimeMs = 0,
  } = record;
  return {
    tokens: record,
    staleAt,
    expiresSoonAt: endAt - defaultLeewayMs(lifetimeMs),
    endAt,
  };
}

/** Converts the tokens of a record to the clock of this process. */
export function localTokens(record: TokenRecord, moment: StoreMoment): LocalTokens {
  // I1: the local time of a moment is never the later one, so the remaining time is never
  // overestimated.
  const local = (time: number): number => moment.local + (time - moment.store);
  const { staleAt, expiresSoonAt, endAt } = validityOf(record);
  const { refreshToken, accessToken, clientToken, transactionId, lifetimeMs } = record;
  const leftMs = Math.floor(local(endAt) - performance.now());
  const expiresAt = endAt === -Infinity ? undefined : new Date(Date.now() + leftMs);
  const parts = { refreshToken, accessToken, clientToken, transactionId, lifetimeMs, expiresAt };
  return {
    tokens: new BerbixTokens(parts satisfies BerbixTokensInit & AllFields),
    staleAt: local(staleAt),
    expiresSoonAt: local(expiresSoonAt),
    endAt: local(endAt),
  };
}

/** The current time of the store's clock. */
export function storeTime({ moment }: { moment: StoreMoment }): number {
  return moment.store + (performance.now() - moment.local);
}

/**
 * The times of the tokens of an exchange, on the store's clock.
 *
 * @param leased when its lease began
 */
export function exchangeTimes(
  tokens: BerbixTokens,
  leased: StoreMoment,
): Times & { exchangedAt: number } {
  const { lifetimeMs = 0 } = tokens;
  // I1: the lifetime counts from the lease, which came before the request. But an exchange that
  // another caller began before the lease may have been joined.
  const latest = storeTime({ moment: leased }) + tokens.leftMs();
  const expiresAt = Math.min(leased.store + lifetimeMs, latest);
  return { expiresAt, lifetimeMs, exchangedAt: leased.store };
}

/** The stored tokens, or those of a spare refresh token of the same transaction. */
export function tokensToPresent(
  { value, moment }: { value: TokenRecord; moment: StoreMoment },
  refreshToken: string,
): BerbixTokens {
  const { transactionId } = value;
  return refreshToken === value.refreshToken
    ? localTokens(value, moment).tokens
    : new BerbixTokens({ refreshToken, transactionId });
}
