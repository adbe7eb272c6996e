/*
 * The states of a record. Its tokens, the note of the last attempt, its lease and the store's clock
 * say which one it is in. `decide` holds every rule about the next step. settle.ts (success) and
 * attempt-after.ts (failure) say what is written afterwards.
 *
 *           tokens were passed in, or loadTokens() has them
 *  ABSENT --------------------------------------------------> IDLE <------------------------------+
 *    '- neither --> BerbixNotFoundError                        |  fresh | stale | expired, by the |
 *                                                              |  clock; satisfies --> serve      |
 *  leased by another replica: wait, read again <---------------+                                  |
 *                                                              | lease(version), attempt.startedAt   |
 *                                                              v                                  |
 *             the process dies                             EXCHANGING                             |
 *     +--------------------------------------------------------+                                  |
 *     v                                                        |- same refresh token: commit -----+
 *  IN DOUBT (also after a failure that may have spent it)      |- rotated: commit --> UNNOTIFIED  |
 *     |- rotation 'none', or early in the grace:               |     |- onRotation succeeds ------+
 *     |     exchange again                                     |     '- it fails --> COOLING      |
 *     |- else serve stale tokens while they last,              |- unknown, has a spare: note -----+
 *     |     then exchange                                      |- nothing was sent: note ---------+
 *     '- "unknown" after a crash --> COOLING for leaseMs       |- 410, unknown --> DEAD ----------+
 *                                                              |     (1, 2, 4 ... 60 min)         |
 *                                                              '- else --> COOLING (<= 60 s) -----+
 *
 * COOLING and DEAD end at attempt.notBefore; DEAD ends earlier if loadTokens() has another refresh
 * token. UNNOTIFIED exists only with onRotation; without it, a rotated token is IDLE once committed.
 *
 * forget(), from every state: FORGOTTEN --> BerbixGoneError, for at least a day. The version grows
 * by one, so every commit in flight fails.
 *
 * stale-if-error: stale tokens are served while they last, in COOLING, in IN DOUBT, and to a caller
 * whose deadline comes during a wait; in DEAD unless the transaction is gone (410); in UNNOTIFIED
 * and FORGOTTEN never.
 *
 * I1 to I13 are the promises in test/tokens/freshness/README.md.
 */
import type { BerbixError } from '../../errors/index.js';
import { deadTokenError, renewalPostponedError, refusedAgainError } from './renewal-errors.js';
import { isNotificationOwed, rotationOf, type RenewalPolicy } from './renewal-policy.js';
import { notificationPostponedError } from './rotation-hook.js';
import { isUsableIfError, satisfies, type TokenRequirement } from './token-requirement.js';
import { storeTime, type LocalTokens } from './token-record.js';
import type { SeenTokens } from './token-records.js';

/** What a renewal does next. */
export type Step =
  /** Hand out what is stored. */
  | { readonly do: 'serve' }
  /** Read the record again: another replica has the lease. */
  | { readonly do: 'wait' }
  /** Notify the application of a new refresh token. */
  | { readonly do: 'notify' }
  /** Present the refresh token; `mayBeSpent`: the API may have replaced it already. */
  | { readonly do: 'exchange'; readonly mayBeSpent: boolean }
  /**
   * Do not exchange now: serve stale tokens, or throw. `reload` asks `loadTokens` for another
   * refresh token first.
   */
  | { readonly do: 'refuse' | 'reload'; readonly error: BerbixError };

/**
 * Milliseconds after an exchange during which a refused access token does not cause another one.
 */
const NOT_FORCED_FOR_MS = 10_000;

/**
 * Decides the next step for a record as it was read. The order of the rules matters.
 *
 * @param found the tokens of the record
 * @param since `exchangedAt` at the first read of this run: with `forceNew`, only later tokens
 * count
 */
export function decide(
  seen: SeenTokens,
  found: LocalTokens,
  need: TokenRequirement,
  since: number | undefined,
  policy: RenewalPolicy,
): Step {
  const { value, attempt, leasedForMs } = seen;
  const isOwed = isNotificationOwed(value, policy);
  const isNew = need.forceNew === undefined || value.exchangedAt !== since;
  // I1, I4; I11: after a wait, this serves what the other replica saved.
  if (isNew && !isOwed && satisfies(found, need)) return { do: 'serve' };
  // Cooling comes before `notify`: otherwise every caller would call an onRotation that has just
  // failed.
  const waitMs = Math.ceil((attempt.notBefore ?? 0) - storeTime(seen));
  if (waitMs > 0 && isOwed)
    return { do: 'refuse', error: notificationPostponedError(found.tokens, waitMs) };
  if (waitMs > 0 && attempt.deadCode !== undefined) {
    return { do: 'reload', error: deadTokenError(attempt.deadCode, waitMs) };
  }
  if (waitMs > 0) {
    return { do: 'refuse', error: renewalPostponedError(waitMs, attempt.startedAt !== undefined) };
  }
  // Before `wait`: the answer does not depend on the other replica.
  const forcedMs = refusedForMs(seen, found, need);
  if (forcedMs > 0) return { do: 'refuse', error: refusedAgainError(forcedMs) };
  // I2. Before the doubt: `startedAt` is set during every exchange, not only after a crash.
  if (leasedForMs > 0) return { do: 'wait' };
  // I4
  if (isOwed) return { do: 'notify' };
  const isOpen = mayBeSpent(seen, policy);
  // I3: the previous attempt has no recorded outcome, so the token may be spent. Serve stale tokens
  // while they last, and leave that replica time to save the successor.
  if (isOpen && isUsableIfError(found, need)) return { do: 'serve' };
  return { do: 'exchange', mayBeSpent: isOpen };
}

/**
 * Milliseconds for which a refused access token is too new to be exchanged again; 0 or less if it
 * is not.
 */
function refusedForMs(seen: SeenTokens, found: LocalTokens, { refused }: TokenRequirement): number {
  const { accessToken, exchangedAt = -Infinity } = seen.value;
  if (refused === undefined || refused !== accessToken || !satisfies(found, {})) return 0;
  return Math.ceil(exchangedAt + NOT_FORCED_FOR_MS - storeTime(seen));
}

/** Whether an attempt without a recorded outcome may have replaced the refresh token. */
function mayBeSpent(seen: SeenTokens, policy: RenewalPolicy): boolean {
  const { startedAt } = seen.attempt;
  const rotation = rotationOf(seen.value, policy);
  if (startedAt === undefined || rotation === 'none') return false;
  if (rotation === 'strict') return true;
  return storeTime(seen) - startedAt > rotation.graceMs - policy.totalTimeoutMs;
}
