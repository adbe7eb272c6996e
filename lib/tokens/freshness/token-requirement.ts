import type { LocalTokens } from './token-record.js';

/** What tokens must satisfy. */
export interface TokenRequirement {
  /** An access token that the API has refused: another one is required. */
  readonly refused?: string | undefined;
  /**
   * Milliseconds for which they must be valid, instead of the default; at most three quarters of
   * their lifetime.
   */
  readonly leewayMs?: number | undefined;
  /** They must not be stale either: for a renewal in the background. */
  readonly proactive?: true | undefined;
  /** They must come from an exchange that starts after the call. */
  readonly forceNew?: true | undefined;
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

/** Whether the tokens satisfy the requirement, apart from `forceNew` (I1). */
export function satisfies(
  found: LocalTokens,
  need: TokenRequirement,
  now = performance.now(),
): boolean {
  const { accessToken, lifetimeMs = Infinity } = found.tokens;
  if (accessToken === undefined || accessToken === need.refused) return false;
  if (need.proactive && now >= found.staleAt) return false;
  if (need.leewayMs === undefined) return now < found.expiresSoonAt;
  return found.endAt - now > Math.min(need.leewayMs, lifetimeMs * LEEWAY_SHARE);
}

/** stale-if-error (RFC 5861): whether the tokens may be served when a renewal fails (I1). */
export function isUsableIfError(found: LocalTokens, need: TokenRequirement): boolean {
  const { accessToken, lifetimeMs = 0 } = found.tokens;
  if (need.forceNew || accessToken === undefined || accessToken === need.refused) return false;
  return (
    found.endAt - performance.now() > Math.min(STALE_IF_ERROR_MS, lifetimeMs * STALE_IF_ERROR_SHARE)
  );
}
