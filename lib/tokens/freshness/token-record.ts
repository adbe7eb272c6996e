import { createHash } from 'node:crypto';
import type { StoreMoment } from '../../token-store/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import type { TransactionRef } from './freshness.options.js';

/** The tokens of a transaction as they are stored; times are those of the store, in milliseconds. */
export interface TokenRecord {
  refreshToken: string;
  accessToken?: string | undefined;
  clientToken?: string | undefined;
  expiresAt?: number | undefined;
  /** How long they were good for when they came. */
  lifetimeMs?: number | undefined;
  /** When they become stale: they are renewed in the background from then on. Random, chosen once, so that replicas agree. */
  refreshAfter?: number | undefined;
  transactionId?: string | undefined;
  customerUid?: string | undefined;
  /** What the transaction was begun with. */
  templateKey?: string | undefined;
  hostedUrl?: string | undefined;
  /** When the exchange was made that they come from. */
  exchangedAt?: number | undefined;
  /** The API was seen to replace the refresh token of this transaction. */
  rotates?: true | undefined;
  /** The previous refresh token, until the application has been notified of this one. */
  pendingRotation?: string | undefined;
  /** Hashes of the last refresh tokens that the API has replaced: a caller who still has one means this record. */
  supersededHashes?: string[] | undefined;
  /** Other refresh tokens of the transaction, to present if the API does not know the one above. */
  spares?: string[] | undefined;
}

/** Until when tokens are good, on the store's clock, and for how long they were when they came. */
export interface Times {
  readonly expiresAt: number;
  readonly lifetimeMs: number;
}

/** In place of tokens: the record that has them. */
export interface Reference {
  see: string;
  /** Records of the customer's transactions before that one, oldest first. */
  earlier?: string[] | undefined;
}

/** Tokens of a record, with their times on the clock of this process (`performance.now()`). */
export interface FoundTokens {
  readonly tokens: BerbixTokens;
  /** From here on they are renewed in the background. */
  readonly staleAt: number;
  /** From here on they are served only if a renewal fails. */
  readonly expiresSoonAt: number;
  /** When they expire. */
  readonly endAt: number;
}

/** Shares of the lifetime: tokens become stale at a random point from the first on, within the second. */
const [SOFT_FROM, SOFT_SPREAD] = [0.75, 0.05];

/** Milliseconds that are left of tokens when they are handed out, at least. */
const LEEWAY_MS = 60_000;

/** Names of records. */
export const recordName = {
  transaction: (id: string): string => `transaction/${id}`,
  customer: (uid: string): string => `customer/${encodeURIComponent(uid)}`,
  /** In the memory of this process only. */
  refreshToken: (token: string): string => `refresh-token/${token}`,
};

/** Whose record has this name; undefined where it is that of neither a transaction nor a customer. */
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

/** Of tokens with their times on the store's clock, or of a refresh token alone. */
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

/** How many of the refresh tokens that were replaced are known again: a month of them, day and night. */
const MAX_SUPERSEDED = 1_000;

/** More than there should ever be. */
const MAX_SPARES = 3;

/** With the hashes of more. */
export function withSuperseded(
  { supersededHashes }: TokenRecord,
  replaced: string[],
): string[] | undefined {
  const hashes = new Set([...(supersededHashes ?? []), ...replaced.map(hashOf)]);
  return hashes.size === 0 ? undefined : [...hashes].slice(-MAX_SUPERSEDED);
}

/** Whether the API has replaced the refresh token by another of the record's, as far as it is known. */
export function isSuperseded({ supersededHashes }: TokenRecord, refreshToken: string): boolean {
  return supersededHashes?.includes(hashOf(refreshToken)) ?? false;
}

/** Whether an unknown refresh token may have been replaced so long ago that its hash was dropped. */
export function mayBeSuperseded({ supersededHashes }: TokenRecord): boolean {
  return (supersededHashes?.length ?? 0) >= MAX_SUPERSEDED;
}

/** With one more; the same list where it is there already. */
export function withSpare({ spares = [] }: TokenRecord, refreshToken: string): string[] {
  if (spares.includes(refreshToken)) return spares;
  return [refreshToken, ...spares].slice(0, MAX_SPARES);
}

/** All that may be presented, in that order. */
export function refreshTokensOf({ refreshToken, spares = [] }: TokenRecord): string[] {
  return [refreshToken, ...spares];
}

/** Whether the refresh token is the record's, or was, or may be. */
export function isOfRecord(record: TokenRecord, refreshToken: string): boolean {
  return (
    record.refreshToken === refreshToken ||
    isSuperseded(record, refreshToken) ||
    (record.spares?.includes(refreshToken) ?? false)
  );
}

/** Whether a plaintext stored value has a refresh token of which the application was not notified. */
export function hasPendingRotation(value: string): boolean {
  // Inside a JSON string the quotation marks would be escaped.
  return value.includes('"pendingRotation":"');
}

/** Refresh tokens are long and random: nobody finds one by its hash, and 72 bits tell them apart. */
function hashOf(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('base64url').slice(0, 12);
}

/** The tokens of a record on the clock of this process. */
export function foundTokens(record: TokenRecord, moment: StoreMoment): FoundTokens {
  // The local time of a moment is the earlier one: what is left is never overrated.
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

/** The store's clock now. */
export function storeTime({ moment }: { moment: StoreMoment }): number {
  return moment.store + (performance.now() - moment.local);
}
