/*
 * The order of effects in one renewal; `decide` names the step, this file performs it:
 *   1. read the record, and serve if it satisfies the requirement
 *   2. take the lease of the version that was read; the note records that an attempt has started
 *   3. exchange the refresh token of that version, unless the lease is already too old
 *   4. failed: release the lease with a note; then serve stale tokens or throw
 *   5. succeeded: commit to that version, which ends the lease; a new refresh token never leaves before
 *   6. rotated: read again, take the lease, call onRotation, commit; only then serve
 *   7. lost a race in any step: wait, then read again, until totalTimeoutMs
 */
import { Logger } from '@nestjs/common';
import { Limiter, NoTurn } from '../../concurrency/index.js';
import { BerbixGoneError, isBerbixError } from '../../errors/index.js';
import type { SealedRecords, ExchangeAttempt } from '../../token-store/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import { decide } from './decide.js';
import { attemptAfter, isDead, type Failure } from './attempt-after.js';
import { mayRepeat, type BerbixTokenOptions, type FreshnessSettings } from './freshness.options.js';
import {
  queueFullError,
  renewalPostponedError,
  sentenceOf,
  renewalTimeoutError,
} from './renewal-errors.js';
import { isNotificationOwed, rotationOf, type RenewalPolicy } from './renewal-policy.js';
import type { TokenSearch } from './renewal-progress.js';
import { isUsableIfError } from './token-requirement.js';
import type { SeenTokens, TokenRecords } from './token-records.js';
import {
  localTokens,
  refreshTokensOf,
  storeTime,
  type LocalTokens,
  type TokenRecord,
} from './token-record.js';
import { TokenSaver } from './token-saver.js';

/**
 * Makes an exchange. `mayRepeat`: it may be sent again even if the API may have processed it
 * already.
 */
export type Exchange = (tokens: BerbixTokens, mayRepeat: boolean) => Promise<BerbixTokens>;

/**
 * Milliseconds between two reads while another replica has the lease: the first wait, and the
 * limit.
 */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [15, 250];

/**
 * One exchange per expiry for the whole fleet (I11). The replica with the lease exchanges the
 * refresh token of exactly the version that it read, and saves the result to exactly that version.
 * The others wait and read again.
 */
export class TokenRenewal {
  readonly #logger = new Logger('BerbixTokenService');
  readonly #turns: Limiter;
  readonly #policy: RenewalPolicy;
  readonly #saver: TokenSaver;
  #isClosing = false;

  constructor(
    private readonly sealed: SealedRecords,
    private readonly records: TokenRecords,
    settings: FreshnessSettings,
    private readonly exchange: Exchange,
    onRotation: BerbixTokenOptions['onRotation'],
  ) {
    this.#turns = new Limiter(settings.connections);
    this.#policy = { ...settings, notifies: onRotation !== undefined };
    this.#saver = new TokenSaver(sealed, records, this.#policy, onRotation);
  }

  /** From now on nothing waits for a turn, another replica, or a store that cannot save. */
  close(): void {
    this.#isClosing = true;
    this.#saver.close();
    this.records.close();
    this.#turns.dismiss(new NoTurn('expired'));
  }

  /**
   * Tokens that satisfy the requirement; stale tokens if a renewal is not possible
   * (stale-if-error).
   *
   * @throws {BerbixError} (as a rejection) if there are neither
   */
  async obtain(search: TokenSearch): Promise<LocalTokens> {
    const { query, need, progress } = search;
    const giveUpAt = performance.now() + this.#policy.totalTimeoutMs;
    let first: SeenTokens | undefined;
    let { given } = query;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 1.5, LONGEST_WAIT_MS)) {
      const seen = await this.records.find({ ...query, given });
      const found = localTokens(seen.value, seen.moment);
      // If the store loses the record meanwhile, `find` adds it again.
      given = found.tokens;
      const isOwed = isNotificationOwed(seen.value, this.#policy);
      progress.latest = isOwed ? undefined : { found, readAt: seen.moment.local };
      first ??= seen;
      const step = decide(seen, found, need, first.value.exchangedAt, this.#policy);
      if (step.do === 'serve') return found;
      if ('error' in step) {
        if (step.do === 'reload' && (await this.#reload(search, seen))) continue;
        return this.#staleOr(search, seen, found, step.error);
      }
      if (step.do !== 'wait') {
        const renew = (): Promise<LocalTokens | undefined> =>
          step.do === 'notify'
            ? this.#saver.notify(seen)
            : this.#renew(search, seen, found, step.mayBeSpent);
        try {
          // Notify the application even if no caller is waiting.
          const renewed = await this.#turns.run(renew, isOwed ? undefined : progress.callers);
          if (renewed !== undefined) return renewed;
        } catch (error) {
          if (!(error instanceof NoTurn)) throw error;
          return this.#staleOr(search, seen, found, queueFullError(error));
        }
      }
      if (this.#isClosing || performance.now() >= giveUpAt)
        return this.#staleOr(search, seen, found, renewalTimeoutError());
      await sleep(wait * (1 - 0.3 * Math.random()));
    }
  }

  /** An exchange under the lease; undefined if the record must be read again for the next step. */
  async #renew(
    search: TokenSearch,
    seen: SeenTokens,
    found: LocalTokens,
    isOpen: boolean,
  ): Promise<LocalTokens | undefined> {
    const { key, value } = seen;
    const { leaseMs, totalTimeoutMs } = this.#policy;
    const startedAt = storeTime(seen);
    const openSince = seen.attempt.startedAt ?? startedAt;
    const attempt: ExchangeAttempt = { ...seen.attempt, startedAt: openSince, isUnreported: true };
    // I2, I3: of this version and fence only, so the note that was read is still the last one.
    const lease = await this.sealed.lease(key, seen, leaseMs, attempt);
    if (lease === undefined) return undefined;
    const held = { version: seen.version, fence: lease.fence };
    if (isOpen) {
      this.#logger.warn(
        'An exchange ended without a trace; its refresh token is presented once more.',
      );
    }
    // I2: this process was paused for so long that the exchange might outlast the lease.
    if (performance.now() - lease.moment.local > leaseMs - totalTimeoutMs) {
      await this.sealed.release(key, held, seen.attempt);
      return undefined;
    }
    const presented = refreshTokensOf(value)[seen.attempt.unknownCount ?? 0] ?? value.refreshToken;
    let tokens: BerbixTokens;
    try {
      tokens = await this.exchange(tokensToPresent(found, presented), this.#mayRepeat(value));
    } catch (error) {
      const rescued = isBerbixError(error) ? (error.tokens as BerbixTokens | undefined) : undefined;
      if (rescued !== undefined && rescued.refreshToken !== value.refreshToken) {
        await this.#saver.save(search, seen, { tokens: rescued, presented, times: undefined });
        throw error;
      }
      return this.#failed(search, { ...seen, ...held }, found, { error, startedAt });
    }
    const { lifetimeMs = 0 } = tokens;
    // I1: the lifetime counts from the lease, which came before the request.
    const { store } = lease.moment;
    const times = { expiresAt: store + lifetimeMs, lifetimeMs, exchangedAt: store };
    const saved = await this.#saver.save(search, seen, { tokens, presented, times });
    // I4: while the application has not been notified, nobody gets the tokens; the next step does
    // that.
    if (saved === undefined || isNotificationOwed(saved, this.#policy)) return undefined;
    return localTokens(saved, lease.moment);
  }

  /** Leaves a note for the other replicas, then serves stale tokens or throws. */
  async #failed(
    search: TokenSearch,
    held: SeenTokens,
    found: LocalTokens,
    failure: Failure,
  ): Promise<LocalTokens | undefined> {
    const { error } = failure;
    const attempt = attemptAfter(held, failure, this.#policy);
    try {
      // I7: the record has changed meanwhile, so this error may not apply to it any more.
      if (!(await this.sealed.release(held.key, held, attempt))) return undefined;
    } catch (storeError) {
      this.#logger.warn(`A failed exchange could not be noted: ${sentenceOf(storeError)}`);
    }
    if (!isDead(error)) return this.#staleOr(search, held, found, error);
    // The next step presents a spare refresh token.
    if (attempt.unknownCount !== undefined) return undefined;
    if (attempt.deadCode === undefined) {
      const waitMs = Math.ceil((attempt.notBefore ?? 0) - storeTime(held));
      return this.#staleOr(search, held, found, renewalPostponedError(waitMs, true));
    }
    if (await this.#reload(search, held)) return undefined;
    this.#logger.warn(`A refresh token is dead: ${error.message}`);
    return this.#staleOr(search, held, found, error);
  }

  /** At most once per run: `loadTokens` might return one dead refresh token after another. */
  async #reload({ query, progress }: TokenSearch, seen: SeenTokens): Promise<boolean> {
    if (progress.isReloaded) return false;
    progress.isReloaded = await this.records.reload(query, seen);
    return progress.isReloaded;
  }

  /**
   * stale-if-error: the stored tokens, if they may still be served (I1, I4, I8); else throws the
   * error.
   */
  #staleOr(
    { need }: TokenSearch,
    seen: SeenTokens,
    found: LocalTokens,
    error: unknown,
  ): LocalTokens {
    if (!(error instanceof BerbixGoneError) && !isNotificationOwed(seen.value, this.#policy)) {
      if (isUsableIfError(found, need)) return found;
    }
    throw error;
  }

  #mayRepeat(value: TokenRecord): boolean {
    return mayRepeat(rotationOf(value, this.#policy), this.#policy.totalTimeoutMs);
  }
}

/** The stored tokens, or those of a spare refresh token of the same transaction. */
function tokensToPresent({ tokens }: LocalTokens, refreshToken: string): BerbixTokens {
  const { transactionId } = tokens;
  return refreshToken === tokens.refreshToken
    ? tokens
    : new BerbixTokens({ refreshToken, transactionId });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
