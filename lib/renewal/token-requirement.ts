import {
  BerbixGoneError,
  BerbixNotFoundError,
  BerbixStoreError,
  isBerbixError,
} from '../errors/index.js';
import type { BerbixExchangeReason } from '../events/index.js';
import { HOOK, type Validity } from '../records/index.js';

/** What tokens must satisfy. */
export interface TokenRequirement {
  /** An access token that the API has refused: another one is required. */
  readonly refused?: string | undefined;
  /**
   * Milliseconds for which they must be valid, instead of the default; at most three quarters of
   * their lifetime.
   */
  readonly leewayMs?: number | undefined;
  /** They must have a client token: stored tokens may have none. */
  readonly needsClientToken?: true | undefined;
  /** They must not be stale either: for a renewal in the background. */
  readonly proactive?: true | undefined;
  /** They must come from an exchange that starts after the call. */
  readonly forceNew?: true | undefined;
}

/** Why a refresh token is exchanged for this requirement, for events and spans. */
export function reasonOf({ forceNew, refused, proactive }: TokenRequirement): BerbixExchangeReason {
  if (forceNew) return 'forced';
  if (refused !== undefined) return 'refused';
  return proactive ? 'proactive' : 'expired';
}

/** Whether the value can be a leeway. */
export function isLeeway(leewayMs: unknown): boolean {
  return leewayMs === undefined || (typeof leewayMs === 'number' && leewayMs >= 0);
}

/**
 * stale-if-error: tokens are served while this share of their lifetime is left, at most five
 * seconds.
 */
const [STALE_IF_ERROR_SHARE, STALE_IF_ERROR_MS] = [0.02, 5_000];

/** Cap the leeway: otherwise not even brand-new tokens would satisfy it. */
const LEEWAY_SHARE = 0.75;

/** Whether what satisfies one requirement satisfies the other. */
export function isSameRequirement(one: TokenRequirement, other: TokenRequirement): boolean {
  return (
    one.refused === other.refused &&
    one.leewayMs === other.leewayMs &&
    one.needsClientToken === other.needsClientToken &&
    one.proactive === other.proactive &&
    one.forceNew === other.forceNew
  );
}

/** Whether the tokens satisfy the requirement, apart from `forceNew` (I1). */
export function satisfies(found: Validity, need: TokenRequirement, now: number): boolean {
  const { lifetimeMs = Infinity } = found.tokens;
  if (!hasTokensFor(found, need)) return false;
  if (need.proactive && now >= found.staleAt) return false;
  if (need.leewayMs === undefined) return now < found.expiresSoonAt;
  return found.endAt - now > Math.min(need.leewayMs, lifetimeMs * LEEWAY_SHARE);
}

/** stale-if-error (RFC 5861): whether the tokens may be served when a renewal fails (I1). */
export function isUsableIfError(found: Validity, need: TokenRequirement, now: number): boolean {
  const { lifetimeMs = 0 } = found.tokens;
  if (need.forceNew || !hasTokensFor(found, need)) return false;
  return found.endAt - now > Math.min(STALE_IF_ERROR_MS, lifetimeMs * STALE_IF_ERROR_SHARE);
}

function hasTokensFor({ tokens }: Validity, need: TokenRequirement): boolean {
  const { accessToken, clientToken } = tokens;
  if (accessToken === undefined || accessToken === need.refused) return false;
  return !need.needsClientToken || clientToken !== undefined;
}

/**
 * stale-if-error: on any outage, but not for tokens that are gone (I8), nor if the error has a new
 * refresh token that the store or the application does not have yet (I4).
 */
export function mayServeStale(error: unknown): boolean {
  return !isRemoved(error) && !(isBerbixError(error) && error.tokens !== undefined);
}

/** Whether the tokens are gone: removed from the store, or deleted at Berbix (I8). */
export function isRemoved(error: unknown): boolean {
  return error instanceof BerbixGoneError || error instanceof BerbixNotFoundError;
}

/** An outage of the store; not an unreadable record, nor a hook that failed. */
export function isStoreDown(error: unknown): boolean {
  return (
    error instanceof BerbixStoreError &&
    error.retryable &&
    error.tokens === undefined &&
    error.reason !== HOOK
  );
}
