import type { FoundTokens } from './token-record.js';

/** What a caller asks of tokens. */
export interface TokenRequirement {
  /** Not with this access token, which the API refused. */
  readonly refused?: string | undefined;
  /** Milliseconds until they expire, instead of the default; capped at three quarters of their lifetime. */
  readonly leewayMs?: number | undefined;
  /** Not stale either: a renewal before anybody needs it. */
  readonly proactive?: true | undefined;
  /** From an exchange that begins after the call. */
  readonly forceNew?: true | undefined;
}

/** Whether the value can be a leeway. */
export function isLeeway(leewayMs: unknown): boolean {
  return leewayMs === undefined || (typeof leewayMs === 'number' && leewayMs >= 0);
}

/** stale-if-error: tokens are served while this share of their lifetime is left, at most five seconds. */
const [STALE_IF_ERROR_SHARE, STALE_IF_ERROR_MS] = [0.02, 5_000];

/** Cap the leeway: otherwise not even brand-new tokens would satisfy it. */
const LEEWAY_SHARE = 0.75;

/** Whether the tokens meet the requirement, but for `forceNew`. */
export function satisfies(
  found: FoundTokens,
  need: TokenRequirement,
  now = performance.now(),
): boolean {
  const { accessToken, lifetimeMs = Infinity } = found.tokens;
  if (accessToken === undefined || accessToken === need.refused) return false;
  if (need.proactive && now >= found.staleAt) return false;
  if (need.leewayMs === undefined) return now < found.expiresSoonAt;
  return found.endAt - now > Math.min(need.leewayMs, lifetimeMs * LEEWAY_SHARE);
}

/** stale-if-error: whether the tokens may be served when a renewal fails (RFC 5861). */
export function isUsableIfError(found: FoundTokens, need: TokenRequirement): boolean {
  const { accessToken, lifetimeMs = 0 } = found.tokens;
  if (need.forceNew || accessToken === undefined || accessToken === need.refused) return false;
  return (
    found.endAt - performance.now() > Math.min(STALE_IF_ERROR_MS, lifetimeMs * STALE_IF_ERROR_SHARE)
  );
}
