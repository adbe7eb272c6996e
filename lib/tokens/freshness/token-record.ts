import { createHash } from 'node:crypto';
import type { StoreMoment } from '../../token-store/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import type { TransactionRef } from './freshness.options.js';

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

/** A record without tokens of its own that refers to the record with the tokens. */
export interface Reference {
  see: string;
  /** Records of the customer's transactions before that one, oldest first. */
  earlier?: string[] | undefined;
}

/** The tokens of a record, with times on the clock of this process (`performance.now()`). */
export interface LocalTokens {
  readonly tokens: BerbixTokens;
  /** From then on they are renewed in the background (stale-while-revalidate). */
  readonly staleAt: number;
  /** From then on they are served only if a renewal fails (stale-if-error). */
  readonly expiresSoonAt: number;
  /** When they expire. */
  readonly endAt: number;
}

/** Tokens become stale after this share of their lifetime, plus a random part of the spread. */
const [SOFT_FROM, SOFT_SPREAD] = [0.75, 0.05];

/** Milliseconds for which tokens must be valid when they are handed out (I1). */
const LEEWAY_MS = 60_000;

/** Names of records. */
export const recordName = {
  transaction: (id: string): string => `transaction/${id}`,
  customer: (uid: string): string => `customer/${encodeURIComponent(uid)}`,
  /** Used only in the memory of this process: the name contains the token. */
  refreshToken: (token: string): string => `refresh-token/${token}`,
};

/** The transaction or customer that a name stands for; undefined for any other name. */
export function refNamed(name: string): TransactionRef | undefined {
  const slash = name.indexOf('/');
  const id = name.slice(slash + 1);
  switch (name.slice(0, slash)) {
    case 'transaction':
      return { transactionId: id };
    case 'customer':
      return { customerUid: decodeURIComponent(id) };
    default:
      return undefined;
  }
}

/** The record of tokens, or of a refresh token alone if there are no times. */
export function recordOf(tokens: BerbixTokens, times: Times | undefined): TokenRecord {
  const { refreshToken, transactionId } = tokens;
  if (times === undefined) return { refreshToken, transactionId };
  const { expiresAt, lifetimeMs } = times;
  return {
    refreshToken,
    transactionId,
    accessToken: tokens.accessToken,
    clientToken: tokens.clientToken,
    expiresAt,
    lifetimeMs,
    refreshAfter: expiresAt - lifetimeMs * (1 - SOFT_FROM - Math.random() * SOFT_SPREAD),
  };
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

/** The refresh tokens in the order in which they are presented. */
export function refreshTokensOf({ refreshToken, spares = [] }: TokenRecord): string[] {
  return [refreshToken, ...spares];
}

/** Whether the record has, had or may use the refresh token. */
export function isOfRecord(record: TokenRecord, refreshToken: string): boolean {
  return (
    record.refreshToken === refreshToken ||
    isSuperseded(record, refreshToken) ||
    (record.spares?.includes(refreshToken) ?? false)
  );
}

/** Whether a stored plaintext value has a pending rotation. */
export function hasPendingRotation(value: string): boolean {
  // No other field can contain this text: JSON escapes quotation marks inside a string.
  return value.includes('"pendingRotation":"');
}

/**
 * Refresh tokens are long and random: a hash cannot be inverted, and 72 bits are enough to avoid
 * collisions.
 */
function hashOf(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('base64url').slice(0, 12);
}

/** Converts the tokens of a record to the clock of this process. */
export function localTokens(record: TokenRecord, moment: StoreMoment): LocalTokens {
  // I1: the local time of a moment is never the later one, so the remaining time is never
  // overestimated.
  const local = (time = -Infinity): number => moment.local + (time - moment.store);
  const { refreshToken, accessToken, clientToken, transactionId, lifetimeMs = 0 } = record;
  const endAt = local(record.expiresAt);
  const expiresAt =
    record.expiresAt === undefined
      ? undefined
      : new Date(Date.now() + Math.floor(endAt - performance.now()));
  return {
    tokens: new BerbixTokens({
      refreshToken,
      accessToken,
      clientToken,
      transactionId,
      lifetimeMs,
      expiresAt,
    }),
    staleAt: local(record.refreshAfter),
    expiresSoonAt: endAt - Math.min(LEEWAY_MS, lifetimeMs / 10),
    endAt,
  };
}

/** The current time of the store's clock. */
export function storeTime({ moment }: { moment: StoreMoment }): number {
  return moment.store + (performance.now() - moment.local);
}
