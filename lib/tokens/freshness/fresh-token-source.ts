import { drained, outside, type Caller } from '../../concurrency/index.js';
import {
  BerbixGoneError,
  BerbixNotFoundError,
  BerbixStoreError,
  BerbixTimeoutError,
} from '../../errors/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import { isDead } from './attempt-after.js';
import type { TransactionRef } from './freshness.options.js';
import { TokenCache, postponeRecheck, postponeRefresh, type CachedTokens } from './token-cache.js';
import { isUsableIfError, satisfies, type TokenRequirement } from './token-requirement.js';
import type { LocalTokens } from './token-record.js';
import type { TokenQuery } from './token-records.js';
import type { RenewalProgress } from './renewal-progress.js';
import type { TokenRenewal } from './token-renewal.js';
import { Seat, WaitingCallers, abandonedError } from './waiting-callers.js';

/** Milliseconds to wait for a recheck of the store while the cache has valid tokens. */
const PATIENCE_MS = 100;

/** Milliseconds after a store failure during which cached tokens are served without a recheck. */
const STORE_COOLDOWN_MS = 5_000;

/**
 * Fresh tokens: from the cache if it has them, else from the store, else by one exchange. Stale
 * tokens are still served while they are renewed in the background (stale-while-revalidate).
 *
 * In this process, callers for the same tokens share one run (I2). It runs in the async context
 * of none of them.
 */
export class FreshTokenSource {
  readonly #cache: TokenCache;
  readonly #runs = new Map<string, Run>();
  /** Each function ends the wait of one caller immediately, with stale tokens or an error. */
  readonly #waits = new Set<(why: string) => void>();
  #storeCooldownUntil = 0;

  constructor(
    private readonly renewal: TokenRenewal,
    cacheSize: number,
    private readonly totalTimeoutMs: number,
  ) {
    this.#cache = new TokenCache(cacheSize);
  }

  /** Cached tokens that need no renewal and no recheck; undefined otherwise. */
  cached(name: string): BerbixTokens | undefined {
    return served(this.#cache.get(name));
  }

  /**
   * The same by transaction or customer, without validation: nothing is cached for a malformed id
   * or uid.
   */
  cachedOf(owner: TransactionRef): BerbixTokens | undefined {
    return served(this.#cache.of(owner));
  }

  /**
   * Tokens that satisfy the requirement.
   *
   * @param caller may leave before there are any
   * @throws {BerbixError} (as a rejection) if there are none; within the total timeout (I12)
   */
  async get(query: TokenQuery, need: TokenRequirement, caller?: Caller): Promise<BerbixTokens> {
    const entry = this.#cache.get(query.name);
    if (entry !== undefined && !need.forceNew && satisfies(entry, need))
      return this.#keep(query, entry);
    const stale = entry !== undefined && isUsableIfError(entry, need) ? entry : undefined;
    if (stale !== undefined && this.#isStoreCoolingDown()) {
      this.#obtainLater(query, need);
      return stale.tokens;
    }
    const found = this.#inTime(query, need, caller);
    if (stale === undefined) return found;
    return found.catch((error: unknown) => {
      // stale-if-error: fall back to the cache on any outage. It may even be newer than the store,
      // if saving failed.
      if (!isRemoved(error) && !isDead(error) && isUsableIfError(stale, need)) return stale.tokens;
      throw error;
    });
  }

  /**
   * Changes the store, then discards everything that was read before the change (I8).
   *
   * @param change resolves to the names whose tokens have changed
   */
  async replace(change: () => Promise<string[]>): Promise<void> {
    const names = new Set(await change());
    for (const name of names) this.#cache.delete(name);
    for (const run of this.#runs.values()) {
      if (names.has(run.name)) run.replacedAt = performance.now();
    }
  }

  /** Waits a while for exchanges under way, then ends all waits. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()].map(({ result }) => result);
    await drained(Promise.allSettled(runs));
    this.renewal.close();
    for (const end of this.#waits) end('The application shut down before there were fresh tokens.');
  }

  /**
   * Serves cached tokens; starts a renewal if they are stale, and rechecks the store from time to
   * time.
   */
  #keep(query: TokenQuery, entry: CachedTokens): BerbixTokens | Promise<BerbixTokens> {
    const now = performance.now();
    if (now >= entry.staleAt) {
      postponeRefresh(entry);
      // A failure is recorded in the store, or occurs again when a caller needs the renewal.
      this.#obtainLater(query, { proactive: true });
    }
    if (now < entry.recheckAt || this.#isStoreCoolingDown()) return entry.tokens;
    return this.#recheck(query, entry);
  }

  /**
   * Asks the store whether cached tokens still count (I8). Callers who come meanwhile wait too, up
   * to PATIENCE_MS.
   */
  #recheck(query: TokenQuery, entry: CachedTokens): Promise<BerbixTokens> {
    return new Promise((resolve, reject) => {
      const makeDo = (): void => {
        postponeRecheck(entry, STORE_COOLDOWN_MS);
        resolve(entry.tokens);
      };
      const timer = setTimeout(makeDo, PATIENCE_MS);
      this.#obtain(query, {}, this.#seat())
        .then(({ tokens }) => resolve(tokens))
        .catch((error: unknown) => {
          // I8: only a removal invalidates cached tokens; an outage does not.
          if (!isRemoved(error)) return makeDo();
          this.#cache.delete(query.name);
          reject(error);
        })
        .finally(() => clearTimeout(timer));
    });
  }

  /**
   * In the background: no caller waits, so a failure must not become an unhandled rejection (I9).
   */
  #obtainLater(query: TokenQuery, need: TokenRequirement): void {
    this.#obtain(query, need, this.#seat()).catch(() => {});
  }

  #seat(askedAt = performance.now()): Seat {
    return new Seat(askedAt + this.totalTimeoutMs);
  }

  /** Joins the run for these tokens, or starts one. */
  async #obtain(query: TokenQuery, need: TokenRequirement, seat: Seat): Promise<CachedTokens> {
    const key = keyOf(query, need);
    for (let joined = 0; ; joined++) {
      if (seat.hasLeft) throw abandonedError();
      const run = this.#runs.get(key);
      if (run === undefined) return this.#start(key, query, need, seat);
      seat.take(run.callers);
      const entry = await run.result;
      // The first run may have started before this call; the second one did not, so its tokens
      // are the best there are.
      const isLatest = joined > 0 && need.refused === undefined;
      if (need.forceNew || satisfies(entry, need) || isLatest) return entry;
    }
  }

  #start(
    key: string,
    query: TokenQuery,
    need: TokenRequirement,
    seat: Seat,
  ): Promise<CachedTokens> {
    const end = (): void => {
      if (this.#runs.get(key) === run) this.#runs.delete(key);
    };
    const run: Run = new Run(query.name, new WaitingCallers(end));
    this.#runs.set(key, run);
    seat.take(run.callers);
    run.result = outside(() => this.#run(run, query, need)).finally(end);
    return run.result;
  }

  async #run(run: Run, query: TokenQuery, need: TokenRequirement): Promise<CachedTokens> {
    for (let current = need; ; current = { ...need, forceNew: undefined }) {
      const { replacedAt, progress } = run;
      try {
        const found = await this.renewal.obtain({ query, need: current, progress });
        this.#storeCooldownUntil = 0;
        // I8: the store was changed during the run, so read it again.
        if (replacedAt === run.replacedAt) return this.#cache.put(query.name, found);
      } catch (error) {
        if (isStoreDown(error)) {
          this.#storeCooldownUntil = performance.now() + STORE_COOLDOWN_MS;
        }
        throw error;
      }
    }
  }

  #isStoreCoolingDown(): boolean {
    return performance.now() < this.#storeCooldownUntil;
  }

  /** Waits until the caller's deadline (I12); an exchange under way continues after it (I9). */
  #inTime(query: TokenQuery, need: TokenRequirement, caller?: Caller): Promise<BerbixTokens> {
    const { askedAt = performance.now() } = query;
    const seat = this.#seat(askedAt);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#waits.delete(end);
        seat.leave();
      };
      const end = (why: string): void => {
        const underWay = this.#runs.get(keyOf(query, need));
        over();
        const unsaved = underWay?.progress.unsaved;
        const stale = underWay?.stale;
        if (unsaved === undefined && stale && isUsableIfError(stale, need)) {
          return resolve(stale.tokens);
        }
        reject(
          unsaved === undefined
            ? new BerbixTimeoutError(why, { retryable: true })
            : new BerbixStoreError(
                `${why} The API has replaced the refresh token, and the store could not save the new one; it is in \`error.tokens\`.`,
                { retryable: true },
              ).withTokens(unsaved),
        );
      };
      const late = `There were no fresh tokens within ${this.totalTimeoutMs} ms (totalTimeoutMs).`;
      const leftMs = askedAt + this.totalTimeoutMs - performance.now();
      const timer = setTimeout(() => end(late), leftMs);
      this.#waits.add(end);
      if (caller !== undefined) caller.onLeave = over;
      if (caller?.hasLeft) over();
      this.#obtain(query, need, seat)
        .then(({ tokens }) => resolve(tokens), reject)
        .finally(over);
    });
  }
}

/** One run that gets tokens, shared by all callers who ask for them meanwhile. */
class Run {
  result!: Promise<CachedTokens>;
  readonly progress: RenewalProgress;
  /** When this process last changed the store: what was read before does not count (I8). */
  replacedAt = -Infinity;

  constructor(
    readonly name: string,
    readonly callers: WaitingCallers,
  ) {
    this.progress = { callers };
  }

  /** The tokens that the store had at the last read, if nothing was changed since. */
  get stale(): LocalTokens | undefined {
    const { found, readAt = -Infinity } = this.progress.latest ?? {};
    return readAt > this.replacedAt ? found : undefined;
  }
}

/** `forceNew` needs an exchange that starts after the call, so it has a run of its own. */
function keyOf({ name }: TokenQuery, { forceNew }: TokenRequirement): string {
  return forceNew ? `new:${name}` : name;
}

/** The tokens of a cache entry, while it needs neither renewal nor recheck. */
function served(entry: CachedTokens | undefined): BerbixTokens | undefined {
  if (entry === undefined) return undefined;
  entry.used = true;
  return performance.now() < entry.serveUntil ? entry.tokens : undefined;
}

/** Whether the tokens are gone: removed from the store, or deleted at Berbix. */
function isRemoved(error: unknown): boolean {
  return error instanceof BerbixGoneError || error instanceof BerbixNotFoundError;
}

/** An outage of the store; not an unreadable record, nor a failed onRotation. */
function isStoreDown(error: unknown): boolean {
  return error instanceof BerbixStoreError && error.retryable && error.tokens === undefined;
}
