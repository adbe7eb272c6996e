import type { FoundTokens } from './token-record.js';

/** Which tokens are good enough. */
export interface TokenGoal {
  /** Not with this access token, which the API refused. */
  readonly refused?: string | undefined;
  /** Good for so many milliseconds, in place of the usual. */
  readonly leewayMs?: number | undefined;
  /** Not due for a refresh either. */
  readonly ahead?: true | undefined;
  /** From an exchange that has not begun yet. */
  readonly anew?: true | undefined;
}

/** In need, tokens are handed out that are good for this share of their life, or five seconds. */
const [NEED_SHARE, NEED_MS] = [0.02, 5_000];

/** Whether the tokens reach the goal, as far as time and the access token go. */
export function suits(found: FoundTokens, goal: TokenGoal, now = performance.now()): boolean {
  const { accessToken } = found.tokens;
  if (accessToken === undefined || accessToken === goal.refused) return false;
  if (goal.ahead && now >= found.softAt) return false;
  return goal.leewayMs === undefined ? now < found.hardAt : found.endAt - now > goal.leewayMs;
}

/** Whether the tokens are better than none while better ones cannot be had. */
export function isUsableInNeed(found: FoundTokens, goal: TokenGoal): boolean {
  const { accessToken, lifetimeMs = 0 } = found.tokens;
  if (goal.anew || accessToken === undefined || accessToken === goal.refused) return false;
  return found.endAt - performance.now() > Math.min(NEED_MS, lifetimeMs * NEED_SHARE);
}
