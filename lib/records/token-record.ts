import { createHash } from 'node:crypto';
import type { BerbixTokens, BerbixTokensInit } from '../values/index.js';

/** The stored tokens of a transaction; times are on the store's clock, in milliseconds. */
export interface TokenRecord {
  refreshToken: string;
  accessToken?: string | undefined;
  clientToken?: string | undefined;
  expiresAt?: number | undefined;
  /** Milliseconds for which they were valid when they were issued. */
  lifetimeMs?: number | undefined;
  /**
   * When they become stale and are renewed in the background. Random, but stored, so that replicas
   * agree.
   */
  refreshAfter?: number | undefined;
  transactionId?: string | undefined;
  customerUid?: string | undefined;
  /** The template with which the transaction was created. */
  templateKey?: string | undefined;
  hostedUrl?: string | undefined;
  /** When the exchange that issued them started, counted from its lease. */
  exchangedAt?: number | undefined;
  /** Whether the API has replaced the refresh token of this transaction before. */
  rotates?: true | undefined;
  /** The previous refresh token, until the application has been notified of this one. */
  pendingRotation?: string | undefined;
  /** Hashes of superseded refresh tokens: a caller who still has one of them means this record. */
  supersededHashes?: string[] | undefined;
  /** Other refresh tokens of the transaction, to present if the API does not know the one above. */
  spares?: string[] | undefined;
}

/**
 * When tokens expire, on the store's clock, and for how many milliseconds they were valid when
 * issued.
 */
export interface Times {
  readonly expiresAt: number;
  readonly lifetimeMs: number;
}

/** Tokens become stale after this share of their lifetime, plus a random part of the spread. */
const [STALE_FROM, STALE_SPREAD] = [0.75, 0.05];

/** Every field of tokens: one that is forgotten on the way into or out of a record does not compile. */
export type AllFields = Record<keyof BerbixTokensInit, unknown>;

/** The record of tokens, or of a refresh token alone if there are no times. */
export function recordOf(tokens: BerbixTokens, times: Times | undefined): TokenRecord {
  const { refreshToken, transactionId, accessToken, clientToken } = tokens;
  if (times === undefined) return { refreshToken, transactionId };
  const { expiresAt, lifetimeMs } = times;
  return {
    refreshToken,
    transactionId,
    accessToken,
    clientToken,
    expiresAt,
    lifetimeMs,
    refreshAfter: expiresAt - lifetimeMs * (1 - STALE_FROM - Math.random() * STALE_SPREAD),
  } satisfies TokenRecord & AllFields;
}

/**
 * Maximum number of hashes of superseded refresh tokens: one an hour, day and night, for 41 days.
 */
const MAX_SUPERSEDED = 1_000;

/** Maximum number of spare refresh tokens; more than should ever occur. */
const MAX_SPARES = 3;

/** The hashes of the superseded refresh tokens, with those of more. */
export function withSuperseded(
  { supersededHashes }: TokenRecord,
  replaced: string[],
): string[] | undefined {
  const hashes = new Set([...(supersededHashes ?? []), ...replaced.map(hashOf)]);
  return hashes.size === 0 ? undefined : [...hashes].slice(-MAX_SUPERSEDED);
}

/** Whether the refresh token is known to be superseded. */
export function isSuperseded({ supersededHashes }: TokenRecord, refreshToken: string): boolean {
  return supersededHashes?.includes(hashOf(refreshToken)) ?? false;
}

/**
 * Whether an unknown refresh token may have been superseded so long ago that its hash was dropped.
 */
export function mayBeSuperseded({ supersededHashes }: TokenRecord): boolean {
  return (supersededHashes?.length ?? 0) >= MAX_SUPERSEDED;
}

/** The spares with one more; the same list if it is already there. */
export function withSpare({ spares = [] }: TokenRecord, refreshToken: string): string[] {
  if (spares.includes(refreshToken)) return spares;
  return [refreshToken, ...spares].slice(0, MAX_SPARES);
}

/** The refresh token to present after this many were unknown to the API; undefined if none is left. */
export function nextRefreshToken(
  { refreshToken, spares = [] }: TokenRecord,
  unknownCount = 0,
): string | undefined {
  return [refreshToken, ...spares][unknownCount];
}

/** Whether the record has, had or may use the refresh token. */
export function isOfRecord(record: TokenRecord, refreshToken: string): boolean {
  return (
    record.refreshToken === refreshToken ||
    isSuperseded(record, refreshToken) ||
    (record.spares?.includes(refreshToken) ?? false)
  );
}

/**
 * Whether a stored plaintext value has a pending rotation, or refers to one that has.
 *
 * @param valueOf the stored value with that name
 */
export function leadsToPendingRotation(
  value: string,
  valueOf: (name: string) => string | undefined,
): boolean {
  for (let text: string | undefined = value; text !== undefined;) {
    // No other field can contain these texts: JSON escapes quotation marks inside a string.
    if (text.includes('"pendingRotation":"')) return true;
    const see: string | undefined = /"see":("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
    text = see === undefined ? undefined : valueOf(JSON.parse(see) as string);
  }
  return false;
}

/**
 * Refresh tokens are long and random: a hash cannot be inverted, and 72 bits are enough to avoid
 * collisions.
 */
export function hashOf(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('base64url').slice(0, 12);
}
