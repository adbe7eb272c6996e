import { Logger } from '@nestjs/common';
import { Limiter, NoTurn } from '../../concurrency/index.js';
import {
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  isBerbixError,
  type BerbixError,
} from '../../errors/index.js';
import type { SeenRecord, TokenVault, VaultNote, VaultRecord } from '../../token-store/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import { isDead, noteAfterFailure } from './failure-note.js';
import { mayRepeat, type BerbixTokenOptions, type FreshnessSettings } from './freshness.options.js';
import { conflicting, dead, noTurn, postponed, refusedAgain, tooLate } from './renewal-errors.js';
import type { RenewalProgress } from './renewal-progress.js';
import { tellOfRotation, tellingPostponed } from './rotation-hook.js';
import { mergeOnto, recordAfter, type Exchanged } from './settle.js';
import { isUsableInNeed, suits, type TokenGoal } from './token-goal.js';
import type { SeenTokens, TokenQuery, TokenRecords } from './token-records.js';
import {
  foundTokens,
  nameOf,
  storeTime,
  type FoundTokens,
  type TokenRecord,
} from './token-record.js';

/** Makes an exchange. `mayRepeat`: also where it may have been done already and only the answer was lost. */
export type Exchange = (tokens: BerbixTokens, mayRepeat: boolean) => Promise<BerbixTokens>;

/** The waits for another replica's exchange grow from one to the other, in milliseconds. */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [15, 250];

/** An access token that could not be saved is handed out all the same after so many milliseconds. */
const SAVE_WITHIN_MS = 2_000;

/** An access token that the API refuses is not exchanged again for so many milliseconds after it came. */
const NOT_FORCED_FOR_MS = 10_000;

/** What a caller is told who comes while the end of an exchange is unknown, in milliseconds. */
const LATER_MS = 10_000;

/**
 * One exchange per expiry for the whole fleet. Read the record; if its tokens will not do, take the
 * lease of just this version; exchange the refresh token of just this version; save what came under
 * just this version, and only then hand it out. Whoever is not the one to do it waits and reads
 * again.
 */
export class TokenRenewal {
  readonly #logger = new Logger('BerbixTokenService');
  readonly #turns: Limiter;
  #isClosing = false;
  #sawRotation = false;

  constructor(
    private readonly vault: TokenVault,
    private readonly records: TokenRecords,
    private readonly settings: FreshnessSettings,
    private readonly exchange: Exchange,
    private readonly onRotation: BerbixTokenOptions['onRotation'],
  ) {
    this.#turns = new Limiter(settings.connections);
  }

  /** From now on nothing waits for a turn, another replica, or a store that cannot save. */
  close(): void {
    this.#isClosing = true;
    this.records.close();
    this.#turns.dismiss(new NoTurn('expired'));
  }

  /**
   * Tokens that reach the goal; tokens that are about to end where better ones cannot be had.
   *
   * @param progress written to meanwhile
   * @throws {BerbixError} (as a rejection) when there are none
   */
  async obtain(
    query: TokenQuery,
    goal: TokenGoal,
    progress: RenewalProgress,
  ): Promise<FoundTokens> {
    const giveUpAt = performance.now() + this.settings.totalTimeoutMs;
    let first: SeenTokens | undefined;
    let { given } = query;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 1.5, LONGEST_WAIT_MS)) {
      const seen = await this.records.find({ ...query, given });
      const found = foundTokens(seen.value, seen.moment);
      // If the store loses the record from now on, it is saved again.
      given = found.tokens;
      const mustTell = this.#mustTell(seen.value);
      progress.atHand = mustTell ? undefined : { found, readAt: seen.moment.local };
      first ??= seen;
      const isNew = goal.anew === undefined || isExchangedSince(first.value, seen.value);
      if (isNew && !mustTell && suits(found, goal)) return found;
      const obstacle = this.#obstacle(seen, found, goal);
      if (obstacle !== undefined) {
        if (isDead(obstacle) && (await this.#reload(query, seen, progress))) continue;
        return this.#inNeed(seen, found, goal, obstacle);
      }
      if (seen.leasedForMs === 0) {
        const renew = (): Promise<FoundTokens | undefined> =>
          this.#renew(query, seen, found, goal, progress);
        try {
          // The application is told of a new token even if no caller waits any more.
          const callers = mustTell ? undefined : progress.callers;
          const renewed = await this.#turns.run(renew, callers);
          if (renewed !== undefined) return renewed;
        } catch (error) {
          if (!(error instanceof NoTurn)) throw error;
          return this.#inNeed(seen, found, goal, noTurn(error));
        }
      }
      if (this.#isClosing || performance.now() >= giveUpAt)
        return this.#inNeed(seen, found, goal, tooLate());
      await sleep(wait * (1 - 0.3 * Math.random()));
    }
  }

  /** Why there must be no exchange now. */
  #obstacle(seen: SeenTokens, found: FoundTokens, goal: TokenGoal): BerbixError | undefined {
    const { note, value } = seen;
    const now = storeTime(seen);
    const waitMs = Math.ceil((note.notBefore ?? 0) - now);
    if (waitMs > 0 && this.#mustTell(value)) return tellingPostponed(found.tokens, waitMs);
    if (waitMs > 0 && note.dead !== undefined) return dead(note.dead, waitMs);
    if (waitMs > 0) return postponed(waitMs, note.attemptAt !== undefined);
    const forcedMs = Math.ceil((value.exchangedAt ?? -Infinity) + NOT_FORCED_FOR_MS - now);
    const isForced = goal.refused !== undefined && goal.refused === value.accessToken;
    if (isForced && forcedMs > 0 && suits(found, {})) return refusedAgain(forcedMs);
    // It may be that the API has acted on the last attempt: as long as there is time, its end may
    // still be reported.
    const isOpen = seen.leasedForMs === 0 && this.#mayBeSpent(seen);
    return isOpen && isUsableInNeed(found, goal) ? postponed(LATER_MS, true) : undefined;
  }

  /** Whether the refresh token may have been replaced in an attempt whose end is not known. */
  #mayBeSpent(seen: SeenTokens): boolean {
    const { attemptAt } = seen.note;
    const rotation = this.#rotationOf(seen.value);
    if (attemptAt === undefined || rotation === 'none') return false;
    if (rotation === 'strict') return true;
    return storeTime(seen) - attemptAt > rotation.graceMs - this.settings.totalTimeoutMs;
  }

  /** One step under the lease; undefined when somebody else was faster, or another step is to follow. */
  async #renew(
    query: TokenQuery,
    seen: SeenTokens,
    found: FoundTokens,
    goal: TokenGoal,
    progress: RenewalProgress,
  ): Promise<FoundTokens | undefined> {
    const { key, value } = seen;
    const { leaseMs, totalTimeoutMs } = this.settings;
    const mustTell = this.#mustTell(value);
    const attemptAt = storeTime(seen);
    const note: VaultNote = mustTell
      ? seen.note
      : { ...seen.note, attemptAt: seen.note.attemptAt ?? attemptAt, isUnreported: true };
    const lease = await this.vault.lease(key, seen, leaseMs, note);
    if (lease === undefined) return undefined;
    const held = { version: seen.version, fence: lease.fence };
    if (mustTell) return this.#tell(seen, held);
    if (this.#mayBeSpent(seen)) {
      this.#logger.warn(
        'An exchange ended without a trace; its refresh token is presented once more.',
      );
    }
    // Held up since then for so long that the exchange might outlast the lease?
    const mayBegin = (): boolean =>
      performance.now() - lease.moment.local <= leaseMs - totalTimeoutMs;
    if (!mayBegin()) {
      await this.vault.release(key, held, seen.note);
      return undefined;
    }
    let exchanged: Pick<Exchanged, 'tokens' | 'presented'>;
    try {
      exchanged = await this.#present(found.tokens, value, mayBegin);
    } catch (error) {
      const rescued = isBerbixError(error) ? (error.tokens as BerbixTokens | undefined) : undefined;
      if (rescued !== undefined && rescued.refreshToken !== value.refreshToken) {
        const presented = value.refreshToken;
        await this.#save(query, seen, { tokens: rescued, presented, times: undefined }, progress);
        throw error;
      }
      return this.#failed(query, seen, { ...held, attemptAt }, found, goal, error, progress);
    }
    const { lifetimeMs = 0 } = exchanged.tokens;
    const { store } = lease.moment;
    const times = { expiresAt: store + lifetimeMs, lifetimeMs, exchangedAt: store };
    const saved = await this.#save(query, seen, { ...exchanged, times }, progress);
    if (saved === undefined || this.#mustTell(saved)) return undefined;
    return foundTokens(saved, lease.moment);
  }

  /** Makes the exchange; where the API does not know the refresh token, with those kept as spares. */
  async #present(
    tokens: BerbixTokens,
    value: TokenRecord,
    mayBegin: () => boolean,
  ): Promise<Pick<Exchanged, 'tokens' | 'presented'>> {
    const candidates = [value.refreshToken, ...(value.spares ?? [])];
    for (const [n, presented] of candidates.entries()) {
      const { transactionId } = tokens;
      const before =
        n === 0 ? tokens : new BerbixTokens({ refreshToken: presented, transactionId });
      try {
        return { presented, tokens: await this.exchange(before, this.#mayRepeat(value)) };
      } catch (error) {
        const isUnknown = error instanceof BerbixInvalidRefreshTokenError;
        if (!isUnknown || n === candidates.length - 1 || !mayBegin()) throw error;
      }
    }
    throw new Error('There is always a refresh token to present.');
  }

  /** Saves what came of an exchange, before anyone gets it; undefined when it does not count any more. */
  async #save(
    query: TokenQuery,
    seen: SeenTokens,
    exchanged: Exchanged,
    progress: RenewalProgress,
  ): Promise<TokenRecord | undefined> {
    const { key, value } = seen;
    const { tokens, presented } = exchanged;
    const spent = value.refreshToken;
    let next = recordAfter(value, exchanged, this.onRotation !== undefined);
    const isRotated = next.refreshToken !== spent;
    if (isRotated) progress.unsaved = tokens;
    if (next.refreshToken !== presented) this.#noticeRotation();
    const until = performance.now() + SAVE_WITHIN_MS;
    const keepTrying = (): boolean => (isRotated ? !this.#isClosing : performance.now() < until);
    let [isConflict, wasLost] = [false, false];
    const merge = (current: VaultRecord<TokenRecord>): TokenRecord | undefined => {
      const merged = mergeOnto(current, seen, next);
      isConflict = merged === 'conflict';
      wasLost ||= current.version === 0;
      return typeof merged === 'object' ? (next = merged) : undefined;
    };
    try {
      if (!(await this.vault.commit(key, seen.version, next, keepTrying, merge))) {
        if (isConflict) throw conflicting();
        return undefined;
      }
      await this.#referTo(key, query, next, spent);
      if (wasLost && next.customerUid !== undefined) {
        await this.records.refer(nameOf.customer(next.customerUid), key, spent);
      }
      return next;
    } catch (error) {
      if (!isRotated && !isConflict) {
        // The refresh token in the store is good as before; these tokens are, too.
        this.#logger.warn(`Fresh tokens could not be saved: ${sentenceOf(error)}`);
        return next;
      }
      this.#logger.error(
        `The tokens of an exchange could not be saved, and the store does not have their refresh token: ${sentenceOf(error)} Callers get them in \`error.tokens\`.`,
      );
      await this.#tellAsLastResort(next, tokens, spent);
      throw isBerbixError(error) ? error.carrying(tokens) : error;
    } finally {
      progress.unsaved = undefined;
    }
  }

  /** The application may have a place for what the store does not take. */
  async #tellAsLastResort(
    { customerUid }: TokenRecord,
    tokens: BerbixTokens,
    previousRefreshToken: string,
  ): Promise<void> {
    const rotated = { tokens, previousRefreshToken, customerUid };
    await tellOfRotation(this.onRotation, rotated, this.settings.hookTimeoutMs).catch(
      (error: unknown) => this.#logger.error(sentenceOf(error)),
    );
  }

  /** Makes the tokens known under the names that they may be asked for by. */
  async #referTo(
    key: string,
    { name }: TokenQuery,
    { transactionId, refreshToken }: TokenRecord,
    spent: string,
  ): Promise<void> {
    if (transactionId !== undefined && key.startsWith('session/')) {
      await this.records.refer(nameOf.transaction(transactionId), key, spent);
    }
    if (name.startsWith('refresh-token/') && refreshToken !== spent) {
      await this.records.refer(nameOf.refreshToken(refreshToken), key, spent);
    }
  }

  /** Leaves a note for the others, and makes do with the tokens that are there, if they will. */
  async #failed(
    query: TokenQuery,
    seen: SeenTokens,
    held: SeenRecord & { attemptAt: number | undefined },
    found: FoundTokens,
    goal: TokenGoal,
    error: unknown,
    progress: RenewalProgress,
  ): Promise<FoundTokens | undefined> {
    const note = this.#noteAfter(seen, held.attemptAt, error);
    try {
      // Not released: the record was changed meanwhile, and this error may not concern it any more.
      if (!(await this.vault.release(seen.key, held, note))) return undefined;
    } catch (storeError) {
      this.#logger.warn(`A failed exchange could not be noted: ${sentenceOf(storeError)}`);
    }
    if (!isDead(error)) return this.#inNeed(seen, found, goal, error);
    if (note.dead === undefined) {
      const waitMs = Math.ceil((note.notBefore ?? 0) - storeTime(seen));
      return this.#inNeed(seen, found, goal, postponed(waitMs, true));
    }
    if (await this.#reload(query, { ...seen, ...held }, progress)) return undefined;
    this.#logger.warn(`A refresh token is dead: ${error.message}`);
    return this.#inNeed(seen, found, goal, error);
  }

  /** Only once: `loadTokens` might return one dead refresh token after another. */
  async #reload(query: TokenQuery, seen: SeenTokens, progress: RenewalProgress): Promise<boolean> {
    if (progress.isReloaded) return false;
    progress.isReloaded = await this.records.reload(query, seen);
    return progress.isReloaded;
  }

  #noteAfter(seen: SeenTokens, attemptAt: number | undefined, error: unknown): VaultNote {
    const now = storeTime(seen);
    const { leaseMs } = this.settings;
    const note = noteAfterFailure(seen.note, attemptAt, error, now, leaseMs);
    const rotation = this.#rotationOf(seen.value);
    if (typeof rotation !== 'object' || note.attemptAt === undefined) return note;
    // If the token was spent, its successor can be had as long as the grace lasts, and no longer.
    const lastChanceAt = note.attemptAt + rotation.graceMs - this.settings.totalTimeoutMs;
    if (lastChanceAt <= now) return note;
    return { ...note, notBefore: Math.min(note.notBefore ?? 0, lastChanceAt) };
  }

  /** Tells the application of a new refresh token. */
  async #tell(seen: SeenTokens, held: SeenRecord): Promise<undefined> {
    const { key, value, version } = seen;
    const { tokens } = foundTokens(value, seen.moment);
    const { untold: previousRefreshToken = '', customerUid } = value;
    try {
      await tellOfRotation(
        this.onRotation,
        { tokens, previousRefreshToken, customerUid },
        this.settings.hookTimeoutMs,
      );
    } catch (error) {
      await this.vault.release(key, held, this.#noteAfter(seen, undefined, error));
      throw error;
    }
    const told = { ...value, untold: undefined };
    const merge = (current: VaultRecord<TokenRecord>): TokenRecord | undefined => {
      const merged = mergeOnto(current, seen, told);
      return typeof merged === 'object' ? merged : undefined;
    };
    await this.vault.commit(key, version, told, () => false, merge);
    return undefined;
  }

  /** The tokens that are there, if they are good for a while, or the error. */
  #inNeed(seen: SeenTokens, found: FoundTokens, goal: TokenGoal, error: unknown): FoundTokens {
    if (!(error instanceof BerbixGoneError) && !this.#mustTell(seen.value)) {
      if (isUsableInNeed(found, goal)) return found;
    }
    throw error;
  }

  #mustTell({ untold }: TokenRecord): boolean {
    return untold !== undefined && this.onRotation !== undefined;
  }

  #rotationOf({ rotates }: TokenRecord): FreshnessSettings['rotation'] {
    const { rotation } = this.settings;
    return rotation === 'none' && rotates ? 'strict' : rotation;
  }

  #mayRepeat(value: TokenRecord): boolean {
    return mayRepeat(this.#rotationOf(value), this.settings.totalTimeoutMs);
  }

  #noticeRotation(): void {
    if (this.settings.rotation !== 'none' || this.#sawRotation) return;
    this.#sawRotation = true;
    this.#logger.error(
      "The API has replaced a refresh token, though freshness.rotation is 'none'. The new one is kept; set freshness.rotation, so that a crash in the middle of an exchange is handled with more care.",
    );
  }
}

/** Whether an exchange was saved between the two looks at a record. */
function isExchangedSince(before: TokenRecord, after: TokenRecord): boolean {
  return after.exchangedAt !== before.exchangedAt;
}

/** Messages of this package hold no secrets; others may. */
function sentenceOf(error: unknown): string {
  return isBerbixError(error) ? error.message : String((error as Error)?.name);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
