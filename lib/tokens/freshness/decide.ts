import type { BerbixError } from '../../errors/index.js';
import { deadTokenError, renewalPostponedError, refusedAgainError } from './renewal-errors.js';
import { isNotificationOwed, rotationOf, type RenewalPolicy } from './renewal-policy.js';
import { notificationPostponedError } from './rotation-hook.js';
import { isUsableIfError, satisfies, type TokenRequirement } from './token-requirement.js';
import { storeTime, type FoundTokens } from './token-record.js';
import type { SeenTokens } from './token-records.js';

/** What a renewal does next. */
export type Step =
  /** Hand out what is stored. */
  | { readonly do: 'serve' }
  /** Read the record again: another replica has the lease. */
  | { readonly do: 'wait' }
  /** Notify the application of a new refresh token. */
  | { readonly do: 'notify' }
  /** Present the refresh token; `mayBeSpent`: it may have been replaced already. */
  | { readonly do: 'exchange'; readonly mayBeSpent: boolean }
  /** No exchange now; `reload` asks `loadTokens` for another refresh token first. */
  | { readonly do: 'refuse' | 'reload'; readonly error: BerbixError };

/** Milliseconds after an exchange in which a refused access token causes no other one. */
const NOT_FORCED_FOR_MS = 10_000;

/**
 * Decides what to do with a record as it was read.
 *
 * @param found the tokens of the record
 * @param since when the tokens of the first look came: with `forceNew`, only later ones count
 */
export function decide(
  seen: SeenTokens,
  found: FoundTokens,
  need: TokenRequirement,
  since: number | undefined,
  policy: RenewalPolicy,
): Step {
  const { value, note, leasedForMs } = seen;
  const isOwed = isNotificationOwed(value, policy);
  const isNew = need.forceNew === undefined || value.exchangedAt !== since;
  if (isNew && !isOwed && satisfies(found, need)) return { do: 'serve' };
  const waitMs = Math.ceil((note.notBefore ?? 0) - storeTime(seen));
  if (waitMs > 0 && isOwed)
    return { do: 'refuse', error: notificationPostponedError(found.tokens, waitMs) };
  if (waitMs > 0 && note.dead !== undefined) {
    return { do: 'reload', error: deadTokenError(note.dead, waitMs) };
  }
  if (waitMs > 0) {
    return { do: 'refuse', error: renewalPostponedError(waitMs, note.startedAt !== undefined) };
  }
  const forcedMs = refusedForMs(seen, found, need);
  if (forcedMs > 0) return { do: 'refuse', error: refusedAgainError(forcedMs) };
  if (leasedForMs > 0) return { do: 'wait' };
  if (isOwed) return { do: 'notify' };
  const isOpen = mayBeSpent(seen, policy);
  // The token may be spent (I3). While stale tokens still work, wait for the replica that knows.
  if (isOpen && isUsableIfError(found, need)) return { do: 'serve' };
  return { do: 'exchange', mayBeSpent: isOpen };
}

/** For how long a refused access token causes no exchange: it came a moment ago. */
function refusedForMs(seen: SeenTokens, found: FoundTokens, { refused }: TokenRequirement): number {
  const { accessToken, exchangedAt = -Infinity } = seen.value;
  if (refused === undefined || refused !== accessToken || !satisfies(found, {})) return 0;
  return Math.ceil(exchangedAt + NOT_FORCED_FOR_MS - storeTime(seen));
}

/** Whether an attempt without a recorded outcome may have replaced the refresh token. */
function mayBeSpent(seen: SeenTokens, policy: RenewalPolicy): boolean {
  const { startedAt } = seen.note;
  const rotation = rotationOf(seen.value, policy);
  if (startedAt === undefined || rotation === 'none') return false;
  if (rotation === 'strict') return true;
  return storeTime(seen) - startedAt > rotation.graceMs - policy.totalTimeoutMs;
}
