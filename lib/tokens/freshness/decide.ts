import type { BerbixError } from '../../errors/index.js';
import { dead, postponed, refusedAgain } from './renewal-errors.js';
import { mustTell, rotationOf, type RenewalPolicy } from './renewal-policy.js';
import { tellingPostponed } from './rotation-hook.js';
import { isUsableInNeed, suits, type TokenGoal } from './token-goal.js';
import { storeTime, type FoundTokens } from './token-record.js';
import type { SeenTokens } from './token-records.js';

/** What a renewal does next. */
export type Step =
  /** Hand out what is stored. */
  | { readonly do: 'serve' }
  /** Read the record again: another replica has the lease. */
  | { readonly do: 'wait' }
  /** Tell the application of a new refresh token. */
  | { readonly do: 'tell' }
  /** Present the refresh token; `mayBeSpent`: it may have been replaced already. */
  | { readonly do: 'exchange'; readonly mayBeSpent: boolean }
  /** No exchange now; `reload` asks `loadTokens` for another refresh token first. */
  | { readonly do: 'refuse' | 'reload'; readonly error: BerbixError };

/** An access token that the API refuses is not exchanged again for so many milliseconds after it came. */
const NOT_FORCED_FOR_MS = 10_000;

/**
 * Decides what to do with a record as it was read.
 *
 * @param found the tokens of the record
 * @param since when the tokens of the first look came: what is wanted anew comes from a later exchange
 */
export function decide(
  seen: SeenTokens,
  found: FoundTokens,
  goal: TokenGoal,
  since: number | undefined,
  policy: RenewalPolicy,
): Step {
  const { value, note, leasedForMs } = seen;
  const isOwed = mustTell(value, policy);
  const isNew = goal.anew === undefined || value.exchangedAt !== since;
  if (isNew && !isOwed && suits(found, goal)) return { do: 'serve' };
  const waitMs = Math.ceil((note.notBefore ?? 0) - storeTime(seen));
  if (waitMs > 0 && isOwed) return { do: 'refuse', error: tellingPostponed(found.tokens, waitMs) };
  if (waitMs > 0 && note.dead !== undefined) {
    return { do: 'reload', error: dead(note.dead, waitMs) };
  }
  if (waitMs > 0) {
    return { do: 'refuse', error: postponed(waitMs, note.attemptAt !== undefined) };
  }
  const forcedMs = refusedForMs(seen, found, goal);
  if (forcedMs > 0) return { do: 'refuse', error: refusedAgain(forcedMs) };
  if (leasedForMs > 0) return { do: 'wait' };
  if (isOwed) return { do: 'tell' };
  const isOpen = mayBeSpent(seen, policy);
  // The holder may still save the successor of a spent token (I3): there is time as long as these are good.
  if (isOpen && isUsableInNeed(found, goal)) return { do: 'serve' };
  return { do: 'exchange', mayBeSpent: isOpen };
}

/** For how long the access token is not exchanged, though the API refuses it: it came a moment ago. */
function refusedForMs(seen: SeenTokens, found: FoundTokens, { refused }: TokenGoal): number {
  const { accessToken, exchangedAt = -Infinity } = seen.value;
  if (refused === undefined || refused !== accessToken || !suits(found, {})) return 0;
  return Math.ceil(exchangedAt + NOT_FORCED_FOR_MS - storeTime(seen));
}

/** Whether the refresh token may have been replaced in an attempt whose end is not known. */
function mayBeSpent(seen: SeenTokens, policy: RenewalPolicy): boolean {
  const { attemptAt } = seen.note;
  const rotation = rotationOf(seen.value, policy);
  if (attemptAt === undefined || rotation === 'none') return false;
  if (rotation === 'strict') return true;
  return storeTime(seen) - attemptAt > rotation.graceMs - policy.totalTimeoutMs;
}
