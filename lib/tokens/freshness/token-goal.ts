import type { FoundTokens } from './token-record.js';

/** Which tokens are good enough. */
export interface TokenGoal {
  /** Not with this access token, which the API refused. */
  readonly refused?: string | undefined;
  /** Good for so many milliseconds, in place of the usual; or for three quarters of their life, if that is less. */
  readonly leewayMs?: number | undefined;
  /** Not due for a refresh either. */
  readonly ahead?: true | undefined;
  /** From an exchange that has not begun yet. */
  readonly anew?: true | undefined;
}

/** Whether tokens can be asked to be good for so long. */
export function isLeeway(leewayMs: unknown): boolean {
  return leewayMs === undefined || (typeof leewayMs === 'number' && leewayMs >= 0);
}

/** In need, tokens are handed out that are good for this share of their life, or five seconds. */
const [NEED_SHARE, NEED_MS] = [0.02, 5_000];

/** More than this share of their life is asked of no tokens: those that just came must reach the goal. */
const LEEWAY_SHARE = 0.75;

/** Whether the tokens reach the goal, as far as time and the access token go. */
export function suits(found: FoundTokens, goal: TokenGoal, now = performance.now()): boolean {
  const { accessToken, lifetimeMs = Infinity } = found.tokens;
  if (accessToken === undefined || accessToken === goal.refused) return false;
  if (goal.ahead && now >= found.softAt) return false;
  if (goal.leewayMs === undefined) return now < found.hardAt;
  return found.endAt - now > Math.min(goal.leewayMs, lifetimeMs * LEEWAY_SHARE);
}

/** Whether the tokens are better than none while better ones cannot be had. */
export function isUsableInNeed(found: FoundTokens, goal: TokenGoal): boolean {
  const { accessToken, lifetimeMs = 0 } = found.tokens;
  if (goal.anew || accessToken === undefined || accessToken === goal.refused) return false;
  return found.endAt - performance.now() > Math.min(NEED_MS, lifetimeMs * NEED_SHARE);
}
