import type { RecordRevision } from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import { isReference, type Reference } from './token-lookup.js';
import {
  isOfRecord,
  isSuperseded,
  mayBeSuperseded,
  recordOf,
  withSpare,
  withSuperseded,
  type Times,
  type TokenRecord,
} from './token-record.js';

/** The result of an exchange. */
export interface Exchanged {
  readonly tokens: BerbixTokens;
  /** The refresh token that was exchanged. */
  readonly presented: string;
  /** Undefined if the answer has a refresh token and is unusable otherwise. */
  readonly times: (Times & { readonly exchangedAt: number }) | undefined;
}

/**
 * The record after an exchange.
 *
 * @param notifies whether the application is notified of a new refresh token
 */
export function recordAfter(
  before: TokenRecord,
  { tokens, presented, times }: Exchanged,
  notifies: boolean,
): TokenRecord {
  const { refreshToken } = tokens;
  const next: TokenRecord = {
    ...before,
    ...(times && { ...recordOf(tokens, times), exchangedAt: times.exchangedAt }),
    // I6: the answer's, or the one presented if the answer has none.
    refreshToken,
    // The API accepted one of them, so the others are no longer needed.
    spares: undefined,
  };
  const replaced = [before.refreshToken, presented].filter((token) => token !== refreshToken);
  // I3: from now on, no replica repeats an exchange of this transaction whose answer may be lost.
  if (refreshToken !== presented) next.rotates = true;
  if (next.rotates) replaced.push(...(before.spares ?? []).filter((one) => one !== refreshToken));
  next.supersededHashes = withSuperseded(before, replaced);
  // I4: nobody gets the tokens until onRotation has succeeded.
  if (notifies && refreshToken !== before.refreshToken) next.pendingRotation = before.refreshToken;
  return next;
}

/** A record with its version. */
type Versioned<T> = Pick<RecordRevision, 'version'> & { readonly value: T };

/**
 * What to write if the record has changed since it was read before the exchange (I5). `moved on`:
 * nothing, since the record is newer, refers to another one or was forgotten. `conflict`: the
 * record has an unrelated refresh token, and it is not known which one is newer.
 */
export function mergeOnto(
  { version, value: stored }: Versioned<TokenRecord | Reference | undefined>,
  seen: Versioned<TokenRecord>,
  next: TokenRecord,
): TokenRecord | 'moved on' | 'conflict' {
  const before = seen.value;
  // Version 0: the store has lost the record. A forgotten one keeps a version (I8).
  if (stored === undefined) return version === 0 ? next : 'moved on';
  if (isReference(stored)) return 'moved on';
  const current = { version, value: stored };
  const isRotated = next.refreshToken !== before.refreshToken;
  if (stored.refreshToken === before.refreshToken) {
    const isLater = (stored.exchangedAt ?? -Infinity) > (next.exchangedAt ?? -Infinity);
    return !isRotated && isLater ? 'moved on' : withVerification(next, current, seen);
  }
  // I3: the store has lost the last writes, and has a superseded refresh token again.
  if (isSuperseded(next, stored.refreshToken)) return withVerification(next, current, seen);
  if (stored.refreshToken === next.refreshToken) return 'moved on';
  if (isSuperseded(stored, next.refreshToken)) return 'moved on';
  // I5: another replica has exchanged the same refresh token after this one.
  const isSibling = isSuperseded(stored, before.refreshToken);
  if (isSibling && (stored.exchangedAt ?? 0) > (next.exchangedAt ?? 0)) return 'moved on';
  // The application has replaced a refresh token that this exchange left unchanged.
  if (!isRotated && version > seen.version) return 'moved on';
  return 'conflict';
}

/** After a conflict: the record keeps its own refresh token, and the new one becomes a spare. */
export function withSuccessor(
  stored: TokenRecord,
  before: TokenRecord,
  { refreshToken, rotates = stored.rotates }: TokenRecord,
): TokenRecord {
  const replaced = [before.refreshToken].filter((token) => token !== refreshToken);
  const spares = stored.spares?.filter((one) => !replaced.includes(one));
  return {
    ...stored,
    rotates,
    supersededHashes: withSuperseded(stored, replaced),
    spares: withSpare({ ...stored, spares }, refreshToken),
  };
}

/** Keeps what the newer version says of the verification: its customer, template and hosted URL. */
function withVerification(
  next: TokenRecord,
  current: Versioned<TokenRecord>,
  seen: Versioned<TokenRecord>,
): TokenRecord {
  const [newer, older] =
    current.version > seen.version ? [current.value, seen.value] : [seen.value, current.value];
  return {
    ...next,
    customerUid: newer.customerUid ?? older.customerUid,
    templateKey: newer.templateKey ?? older.templateKey,
    hostedUrl: newer.hostedUrl ?? older.hostedUrl,
  };
}

/** A record with what another record of the same transaction has, whose refresh token is a spare. */
export function united(record: TokenRecord, other: TokenRecord): TokenRecord {
  const { supersededHashes: hashes = [], rotates = record.rotates, refreshToken } = other;
  const all = { ...record, supersededHashes: [...hashes, ...(record.supersededHashes ?? [])] };
  return {
    ...record,
    customerUid: record.customerUid ?? other.customerUid,
    templateKey: record.templateKey ?? other.templateKey,
    hostedUrl: record.hostedUrl ?? other.hostedUrl,
    rotates,
    supersededHashes: withSuperseded(all, []),
    spares: isOfRecord(record, refreshToken) ? record.spares : withSpare(record, refreshToken),
  };
}

/**
 * The record after `remember()`. A superseded refresh token does not replace the stored one (I3).
 * Of two unrelated ones, one becomes current and the other a spare, which is presented if the API
 * does not know the first.
 *
 * @param times of the tokens; undefined for a refresh token alone, or for expired tokens
 */
export function recordRemembered(
  before: TokenRecord | undefined,
  tokens: BerbixTokens,
  times: Times | undefined,
  customerUid: string | undefined,
): TokenRecord {
  const { refreshToken } = tokens;
  const names = {
    transactionId: tokens.transactionId ?? before?.transactionId,
    customerUid: customerUid ?? before?.customerUid,
  };
  const given = recordOf(tokens, times);
  if (before === undefined) return { ...given, ...names };
  if (before.refreshToken === refreshToken) {
    // Older tokens must not bring back an access token that the API may refuse.
    const isNewer = (given.expiresAt ?? 0) > (before.expiresAt ?? 0);
    return { ...before, ...(isNewer && given), ...names };
  }
  if (isSuperseded(before, refreshToken)) return { ...before, ...names };
  if (times === undefined && mayBeSuperseded(before)) {
    return { ...before, ...names, spares: withSpare(before, refreshToken) };
  }
  return {
    ...before,
    ...given,
    ...names,
    pendingRotation: undefined,
    supersededHashes: before.rotates ? before.supersededHashes : undefined,
    spares: withSpare(before, before.refreshToken).filter((one) => one !== refreshToken),
  };
}
