/*
 * The states of a record. Its tokens, the note of the last attempt, its lease and the store's clock
 * say which one it is in. `decide` holds every rule about the next step. settle.ts (success) and
 * attempt-after.ts (failure) say what is written afterwards.
 *
 *  ABSENT
 *    |- tokens were passed in, or loadTokens() has them --> IDLE
 *    '- neither --> BerbixNotFoundError
 *
 *  IDLE: fresh | stale | expired, by the clock <--------------------------+
 *    |- satisfies --> serve                                               |
 *    |- leased by another replica: wait, read again                       |
 *    | lease, attempt.startedAt                                           |
 *    v                                                                    |
 *  EXCHANGING                                                             |
 *    |- same refresh token: commit ---------------------------------------+
 *    |- rotated: commit --> UNNOTIFIED                                    |
 *    |                        |- onRotation succeeds ---------------------+
 *    |                        '- it fails --> COOLING                     |
 *    |- unknown, has a spare: note ---------------------------------------+
 *    |- process could not send: note -------------------------------------+
 *    |- 410, unknown --> DEAD (1, 2, 4 ... 60 min) -----------------------+
 *    |- else --> COOLING (<= 60 s) ---------------------------------------+
 *    |                                                                    |
 *    | the process dies, or a failure that may have spent the token       |
 *    v                                                                    |
 *  NO OUTCOME                                                             |
 *    |- rotation 'none', or early in the grace: exchange again            |
 *    |- else in doubt: serve stale tokens while they last, then exchange  |
 *    '- "unknown" after a crash --> COOLING for leaseMs ------------------+
 *
 * COOLING and DEAD end at attempt.notBefore; DEAD ends earlier if loadTokens() has another refresh
 * token. UNNOTIFIED exists only with onRotation; without it, a rotated token is IDLE once committed.
 *
 * forget(), from every state: FORGOTTEN --> BerbixGoneError, for at least a day. The version grows
 * by one, so every commit in flight fails.
 *
 * stale-if-error: stale tokens are served while they last, in COOLING, when in doubt, and to a caller
 * whose deadline comes during a wait; in DEAD unless the transaction is gone (410); in UNNOTIFIED
 * and FORGOTTEN never.
 *
 * I1 to I13 are the invariants in ../README.md.
 */
import type { BerbixError } from '../errors/index.js';
import { validityOf } from '../records/index.js';
import {
  deadTokenError,
  noClientTokenError,
  refusedAgainError,
  renewalPostponedError,
} from './renewal-errors.js';
import {
  isNotificationOwed,
  rotationOf,
  type RenewalPolicy,
  type RenewalState,
} from './renewal-state.js';
import { notificationPostponedError } from './rotation-hook.js';
import { isUsableIfError, satisfies, type TokenRequirement } from './token-requirement.js';

/** What a renewal does next. */
export type Step =
  /** Hand out what is stored. */
  | { readonly do: 'serve' }
  /** Read the record again: another replica has the lease. */
  | { readonly do: 'wait' }
  /** Notify the application of a new refresh token. */
  | { readonly do: 'notify' }
  /** Present the refresh token; `inDoubt`: the API may have replaced it already. */
  | { readonly do: 'exchange'; readonly inDoubt: boolean }
  /**
   * Do not exchange now: each caller gets stale tokens that satisfy them (stale-if-error), or the
   * error. `reload` asks `loadTokens` for another refresh token first.
   */
  | { readonly do: 'refuse' | 'reload'; readonly error: BerbixError };

/**
 * Milliseconds after an exchange during which a refused access token, or a missing client token,
 * does not cause another one.
 */
const IN_VAIN_MS = 10_000;

/** Decides the next step for a record as it was read. The order of the rules matters. */
export function decide(state: RenewalState, need: TokenRequirement, policy: RenewalPolicy): Step {
  const { value, attempt, leasedForMs, now, since } = state;
  const validity = validityOf(value);
  const isOwed = isNotificationOwed(value, policy);
  const isNewEnough = need.forceNew === undefined || value.exchangedAt !== since;
  // I1, I4; I11: after a wait, this serves what the other replica saved.
  if (isNewEnough && !isOwed && satisfies(validity, need, now)) return { do: 'serve' };
  // Cooling comes before `notify`: otherwise every caller would call an onRotation that has just
  // failed.
  const waitMs = Math.ceil((attempt.notBefore ?? 0) - now);
  if (waitMs > 0 && isOwed) {
    return { do: 'refuse', error: notificationPostponedError(value, waitMs) };
  }
  if (waitMs > 0 && attempt.deadCode !== undefined) {
    return { do: 'reload', error: deadTokenError(attempt.deadCode, waitMs) };
  }
  if (waitMs > 0) {
    return { do: 'refuse', error: renewalPostponedError(waitMs, attempt.startedAt !== undefined) };
  }
  // Before `wait`: the answer does not depend on the other replica.
  const vainError = inVainError(state, need);
  if (vainError !== undefined) return { do: 'refuse', error: vainError };
  // I2. Before the doubt: `startedAt` is set during every exchange, not only after a crash.
  if (leasedForMs > 0) return { do: 'wait' };
  // I4: nobody gets the tokens before onRotation has succeeded.
  if (isOwed) return { do: 'notify' };
  const inDoubt = isInDoubt(state, policy);
  // I3: the previous attempt has no recorded outcome, so the token may be spent. Serve stale tokens
  // while they last, and leave that replica time to save the successor.
  if (inDoubt && isUsableIfError(validity, need, now)) return { do: 'serve' };
  return { do: 'exchange', inDoubt };
}

/**
 * What the caller gets if the tokens are valid, are not what they need, and came a moment ago:
 * another exchange would most likely bring the same.
 */
function inVainError(
  { value, now }: RenewalState,
  need: TokenRequirement,
): BerbixError | undefined {
  const { accessToken, clientToken, exchangedAt = -Infinity } = value;
  const waitMs = Math.ceil(exchangedAt + IN_VAIN_MS - now);
  if (waitMs <= 0 || !satisfies(validityOf(value), {}, now)) return undefined;
  if (need.refused === accessToken) return refusedAgainError(waitMs);
  return need.needsClientToken && clientToken === undefined ? noClientTokenError() : undefined;
}

/** Whether an attempt without a recorded outcome may have replaced the refresh token. */
function isInDoubt({ value, attempt, now }: RenewalState, policy: RenewalPolicy): boolean {
  const { startedAt } = attempt;
  const rotation = rotationOf(value, policy);
  if (startedAt === undefined || rotation === 'none') return false;
  return rotation === 'strict' || now - startedAt > rotation.graceMs - policy.totalTimeoutMs;
}
