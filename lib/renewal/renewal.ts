/*
 * One run: the order of effects in a renewal. `decide` names the step, this file performs it:
 *   1. read the record, and serve if it satisfies the requirement
 *   2. take the lease of the version that was read; the note records that an attempt has started
 *   3. exchange the refresh token of that version, unless the lease is already too old
 *   4. failed: release the lease with a note; each caller gets stale tokens or the error
 *   5. succeeded: commit to that version, which ends the lease; a new refresh token never leaves before
 *   6. rotated: read again, take the lease, call onRotation, commit; only then serve
 *   7. lost a race in any step: wait, then read again, until totalTimeoutMs
 */
import { Logger } from '@nestjs/common';
import { NoTurn, Pauses, outside, shutDownError } from '../concurrency/index.js';
import { isBerbixError, logLine, type BerbixError } from '../errors/index.js';
import { failureOf } from '../events/index.js';
import {
  otherReplicaTimeoutError,
  exchangeTimes,
  recordAfter,
  localTokens,
  tokensToPresent,
  nextRefreshToken,
  storeTime,
  type Exchanged,
  type FoundTokens,
  type LocalTokens,
  type SeenTokens,
  type TokenQuery,
} from '../records/index.js';
import { RunTrace, inTrace } from '../telemetry/index.js';
import type { ExchangeAttempt } from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import { attemptAfter, isDead, type Failure } from './attempt-after.js';
import { decide, type Step } from './decide.js';
import type { RenewalContext, RenewalSlot } from './renewal-context.js';
import * as errors from './renewal-errors.js';
import { isNotificationOwed } from './renewal-state.js';
import type { CachedTokens } from './token-memory.js';
import {
  isRemoved,
  isUsableIfError,
  mayServeStale,
  reasonOf,
  type TokenRequirement,
} from './token-requirement.js';
import { WaitingCallers } from './waiting-callers.js';

const logger = new Logger('BerbixTokenService');

/**
 * One renewal, shared by all callers who ask for the same tokens meanwhile (I11). The replica with
 * the lease exchanges the refresh token of exactly the version that it read, and saves the result
 * to exactly that version. The others wait and read again.
 */
export class Renewal {
  /** Its end, for which callers wait; set by the cache, which starts it. */
  result!: Promise<CachedTokens>;
  /** What telemetry shows of it. */
  readonly trace = new RunTrace();
  /** How often this process has changed the store during the run. */
  #changes = 0;
  /** `#changes` when the last read began. */
  #changesRead: number | undefined;
  /** The record of the first read: with `forceNew`, tokens must be newer. */
  #first: SeenTokens | undefined;
  /** The tokens of the last read: if the store loses the record, `findOrAdd` adds it again. */
  #lastRead: BerbixTokens | undefined;
  /** What callers may get if the run fails; undefined while onRotation is owed. */
  #latest: LocalTokens | undefined;
  /** The successor of a spent refresh token, while only this process has it. */
  #unsaved: BerbixTokens | undefined;
  #isReloaded = false;
  /** Whether this run has saved a new refresh token of which the application must be notified. */
  #mustNotify = false;

  readonly callers: WaitingCallers;

  constructor(
    private readonly context: RenewalContext,
    readonly query: TokenQuery,
    /** What its tokens satisfy. */
    readonly need: TokenRequirement,
    private readonly slot: RenewalSlot,
  ) {
    this.callers = new WaitingCallers(() => slot.free());
  }

  /**
   * Resolves to tokens that satisfy the requirement. It runs in the async context of no caller.
   *
   * @throws {BerbixError} (as a rejection) if there are none
   */
  start(): Promise<CachedTokens> {
    return outside(() => inTrace(this.trace, () => this.#run()));
  }

  /** This process has changed the store: what was read before no longer counts (I8). */
  changed(): void {
    this.#changes++;
  }

  /**
   * stale-if-error, by what this caller needs: the tokens of the last read, if they may still be
   * served (I1, I4, I8); else throws the error.
   */
  staleOr(error: unknown, need: TokenRequirement): CachedTokens {
    const stale = this.#isCurrent && mayServeStale(error) ? this.#latest : undefined;
    if (stale === undefined || !isUsableIfError(stale, need, performance.now())) throw error;
    return this.slot.keep(stale);
  }

  /** The error of a caller who can wait no longer, with the tokens that would be lost with it. */
  withUnsaved(error: BerbixError): BerbixError {
    return this.#unsaved === undefined ? error : errors.unsavedTokensError(error, this.#unsaved);
  }

  get #isCurrent(): boolean {
    return this.#changesRead === this.#changes;
  }

  async #run(): Promise<CachedTokens> {
    const { policy, closing } = this.context;
    const giveUpAt = performance.now() + policy.totalTimeoutMs;
    const pauses = Pauses.whileLeased();
    for (;;) {
      const found = await this.#step(await this.#read());
      // I8: check and keep without an await between them.
      if (found !== undefined && this.#isCurrent) return this.slot.keep(found);
      // I4: a new refresh token that this run has saved comes first.
      if (!this.#mustNotify) {
        if (closing.signal.aborted) throw shutDownError();
        if (performance.now() >= giveUpAt) throw otherReplicaTimeoutError();
      }
      if (found === undefined) await pauses.next();
    }
  }

  async #read(): Promise<FoundTokens> {
    // I8: before the first of several loads. A reference may change before its record is read.
    const changes = this.#changes;
    const { records, policy } = this.context;
    const { name, owner, given } = this.query;
    const seen = await records.findOrAdd({ name, owner, given: this.#lastRead ?? given });
    const found = localTokens(seen.value, seen.moment);
    this.#changesRead = changes;
    this.#first ??= seen;
    this.#lastRead = found.tokens;
    const isOwed = isNotificationOwed(seen.value, policy);
    this.#latest = isOwed ? undefined : found;
    if (!isOwed) this.#unsaved = undefined;
    return seen;
  }

  /** Undefined if the record must be read again for the next step. */
  async #step(seen: FoundTokens): Promise<LocalTokens | undefined> {
    const { value, attempt, leasedForMs } = seen;
    const [now, since] = [storeTime(seen), this.#first?.value.exchangedAt];
    const state = { value, attempt, leasedForMs, now, since };
    const step = decide(state, this.need, this.context.policy);
    this.trace.next(step.do, this.context.events.account);
    switch (step.do) {
      case 'serve':
        return this.#latest;
      case 'wait':
        return undefined;
      case 'refuse':
        throw step.error;
      case 'reload':
        if (await this.#reload(seen)) return undefined;
        throw step.error;
      default:
        return this.#inTurn(seen, step);
    }
  }

  async #inTurn(
    seen: FoundTokens,
    step: Extract<Step, { do: 'notify' | 'exchange' }>,
  ): Promise<LocalTokens | undefined> {
    const { saver, turns, closing } = this.context;
    try {
      // Notify the application even if no caller is waiting.
      if (step.do === 'notify') {
        this.#mustNotify = false;
        return await turns.run(() => saver.notify(seen));
      }
      // I4: nobody would wait until the result is saved.
      if (closing.signal.aborted) throw shutDownError();
      return await turns.run(() => this.#exchange(seen, step.inDoubt), this.callers);
    } catch (error) {
      if (!(error instanceof NoTurn)) throw error;
      // I4: a shutdown empties the queue, but the application still gets a new refresh token.
      if (step.do === 'notify') return saver.notify(seen);
      throw closing.signal.aborted ? shutDownError() : errors.queueFullError(error);
    }
  }

  /** An exchange under the lease. */
  async #exchange(seen: FoundTokens, inDoubt: boolean): Promise<LocalTokens | undefined> {
    const { sealed, policy, exchange } = this.context;
    const { key, value, version, attempt } = seen;
    const startedAt = storeTime(seen);
    const since = attempt.startedAt ?? startedAt;
    const started: ExchangeAttempt = { ...attempt, startedAt: since, isUnreported: true };
    // I2, I3: of this version and lease epoch only, so the note that was read is still the last one.
    const lease = await sealed.lease(key, seen, policy.leaseMs, started);
    if (lease === undefined) return undefined;
    // With the note that was read: its `isUnreported` tells of the holder before this one (I7).
    const held = { ...seen, version, leaseEpoch: lease.leaseEpoch };
    if (inDoubt) {
      logger.warn(
        'An exchange ended without a recorded outcome; its refresh token is presented once more.',
      );
    }
    // I2: this process was paused for so long that the exchange might outlast the lease.
    if (performance.now() - lease.moment.local > policy.leaseMs - policy.totalTimeoutMs) {
      await sealed.release(key, held, attempt);
      return undefined;
    }
    // I3: another replica has seen a replaced refresh token.
    if (value.rotates) exchange.noticeRotation();
    const presented = nextRefreshToken(value, attempt.unknownCount) ?? value.refreshToken;
    let tokens: BerbixTokens;
    try {
      tokens = await exchange.run(tokensToPresent(seen, presented), reasonOf(this.need));
      this.trace.source = 'exchange';
    } catch (error) {
      const replacement = isBerbixError(error) ? (error.tokens as BerbixTokens) : undefined;
      if (replacement === undefined || replacement.refreshToken === value.refreshToken) {
        return this.#failed(held, { error, startedAt });
      }
      await this.#save(seen, { tokens: replacement, presented, times: undefined });
      throw error;
    }
    const times = exchangeTimes(tokens, lease.moment);
    return this.#save(seen, { tokens, presented, times }, lease.moment);
  }

  /** Saves the result of an exchange before anyone gets it (I4). */
  async #save(
    seen: SeenTokens,
    exchanged: Exchanged,
    moment = seen.moment,
  ): Promise<LocalTokens | undefined> {
    const { policy, saver, events, sealed } = this.context;
    const next = recordAfter(seen.value, exchanged, policy.notifies);
    if (next.refreshToken !== seen.value.refreshToken) {
      this.#unsaved = exchanged.tokens;
      // These tokens have a spent refresh token.
      this.#latest = undefined;
      this.#lastRead = exchanged.tokens;
    }
    try {
      const saved = await saver.save(seen, next, exchanged, this.query.name);
      // The next step notifies the application.
      this.#mustNotify = saved !== undefined && isNotificationOwed(saved, policy);
      if (saved !== undefined && seen.attempt.deadCode !== undefined) {
        events.emit('token.recovered', () => ({ transactionId: saved.transactionId }));
      }
      if (saved === undefined || this.#mustNotify) return undefined;
      return localTokens(saved, moment);
    } finally {
      if (!this.#mustNotify || !sealed.endWithProcess) this.#unsaved = undefined;
    }
  }

  /** Leaves a note for the other replicas, then throws, unless another step may help. */
  async #failed(held: FoundTokens, failure: Failure): Promise<undefined> {
    const { sealed, policy, events } = this.context;
    const { error } = failure;
    // Also at a deadline that comes before the note is saved.
    if (isRemoved(error)) this.#latest = undefined;
    const now = storeTime(held);
    const attempt = attemptAfter({ ...held, now }, failure, policy);
    try {
      // I7: the record has changed meanwhile, so this error may not apply to it any more.
      if (!(await sealed.release(held.key, held, attempt))) return undefined;
    } catch (storeError) {
      logger.warn(logLine('A failed exchange could not be noted:', storeError));
    }
    if (!isDead(error)) throw error;
    // The next step presents a spare refresh token.
    if (attempt.unknownCount !== undefined) return undefined;
    if (attempt.deadCode === undefined) {
      throw errors.renewalPostponedError(Math.ceil((attempt.notBefore ?? 0) - now), true);
    }
    if (await this.#reload(held)) return undefined;
    logger.warn(logLine('A refresh token is dead:', error));
    const { transactionId, customerUid } = held.value;
    events.emit('token.dead', () => ({ transactionId, customerUid, ...failureOf(error) }));
    throw error;
  }

  /** At most once per run: `loadTokens` might return one dead refresh token after another. */
  async #reload(seen: FoundTokens): Promise<boolean> {
    if (this.#isReloaded) return false;
    this.#isReloaded = await this.context.records.reload(this.query, seen);
    return this.#isReloaded;
  }
}
