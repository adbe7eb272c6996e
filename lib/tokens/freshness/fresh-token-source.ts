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
import type { FoundTokens } from './token-record.js';
import type { TokenQuery } from './token-records.js';
import type { RenewalProgress } from './renewal-progress.js';
import type { TokenRenewal } from './token-renewal.js';
import { Seat, WaitingCallers, abandonedError } from './waiting-callers.js';

/** A look at the store that takes longer is not waited for, where there are good tokens in memory. */
const PATIENCE_MS = 100;

/** After the store failed, what is in memory is not compared with it for so many milliseconds. */
const STORE_REST_MS = 5_000;

/**
 * Tokens that are always fresh: from memory; from the store where that is not enough; by one exchange
 * where that is not enough. Past three quarters of their life they are still handed out, and
 * renewed behind their users. In this process, callers for the same tokens share one flight, which
 * is in the async context of none of them.
 */
export class FreshTokenSource {
  readonly #cache: TokenCache;
  readonly #flights = new Map<string, Flight>();
  /** Each ends the wait of one caller now, with the tokens at hand or an error. */
  readonly #waits = new Set<(why: string) => void>();
  #storeRestsUntil = 0;

  constructor(
    private readonly renewal: TokenRenewal,
    cacheSize: number,
    private readonly totalTimeoutMs: number,
  ) {
    this.#cache = new TokenCache(cacheSize);
  }

  /** From memory, without any further work; undefined when there is some to do. */
  cached(name: string): BerbixTokens | undefined {
    return served(this.#cache.get(name));
  }

  /** The same by the owner, who is not checked: what is no id or uid has nothing in memory. */
  cachedOf(owner: TransactionRef): BerbixTokens | undefined {
    return served(this.#cache.of(owner));
  }

  /**
   * Tokens that reach the need.
   *
   * @param caller who may leave before there are any
   * @throws {BerbixError} (as a rejection) when there are none; within the total timeout
   */
  async get(query: TokenQuery, need: TokenRequirement, caller?: Caller): Promise<BerbixTokens> {
    const entry = this.#cache.get(query.name);
    if (entry !== undefined && !need.forceNew && satisfies(entry, need))
      return this.#keep(query, entry);
    const atHand = entry !== undefined && isUsableIfError(entry, need) ? entry : undefined;
    if (atHand !== undefined && this.#storeRests()) {
      this.#obtainLater(query, need);
      return atHand.tokens;
    }
    const found = this.#inTime(query, need, caller);
    if (atHand === undefined) return found;
    return found.catch((error: unknown) => {
      // An outage, of whatever, takes nothing away; memory may have what the store could not be given.
      if (!isRemoved(error) && !isDead(error) && isUsableIfError(atHand, need))
        return atHand.tokens;
      throw error;
    });
  }

  /**
   * Makes a change to the store after which nothing that was read before it counts.
   *
   * @param change resolves to the names whose tokens have changed
   */
  async replace(change: () => Promise<string[]>): Promise<void> {
    const names = new Set(await change());
    for (const name of names) this.#cache.delete(name);
    for (const flight of this.#flights.values()) {
      if (names.has(flight.name)) flight.replacedAt = performance.now();
    }
  }

  /** Waits a while for exchanges under way, then ends all waits. */
  async close(): Promise<void> {
    const flights = [...this.#flights.values()].map(({ landing }) => landing);
    await drained(Promise.allSettled(flights));
    this.renewal.close();
    for (const end of this.#waits) end('The application shut down before there were fresh tokens.');
  }

  /** Good tokens in memory: renewed ahead of time, and compared with the store now and then. */
  #keep(query: TokenQuery, entry: CachedTokens): BerbixTokens | Promise<BerbixTokens> {
    const now = performance.now();
    if (now >= entry.staleAt) {
      postponeRefresh(entry);
      // What goes wrong here is noted in the store, or comes up again when the tokens are needed.
      this.#obtainLater(query, { proactive: true });
    }
    if (now < entry.recheckAt || this.#storeRests()) return entry.tokens;
    return this.#recheck(query, entry);
  }

  /** All who come while the store is asked wait for what it says, for a moment. */
  #recheck(query: TokenQuery, entry: CachedTokens): Promise<BerbixTokens> {
    return new Promise((resolve, reject) => {
      const makeDo = (): void => {
        postponeRecheck(entry, STORE_REST_MS);
        resolve(entry.tokens);
      };
      const timer = setTimeout(makeDo, PATIENCE_MS);
      this.#obtain(query, {}, this.#seat())
        .then(({ tokens }) => resolve(tokens))
        .catch((error: unknown) => {
          // Only what was removed does not count any more; an outage takes nothing away.
          if (!isRemoved(error)) return makeDo();
          this.#cache.delete(query.name);
          reject(error);
        })
        .finally(() => clearTimeout(timer));
    });
  }

  /** In the background, for no caller. */
  #obtainLater(query: TokenQuery, need: TokenRequirement): void {
    this.#obtain(query, need, this.#seat()).catch(() => {});
  }

  #seat(askedAt = performance.now()): Seat {
    return new Seat(askedAt + this.totalTimeoutMs);
  }

  /** Joins the flight for these tokens, or starts one. */
  async #obtain(query: TokenQuery, need: TokenRequirement, seat: Seat): Promise<CachedTokens> {
    const key = keyOf(query, need);
    for (let joined = 0; ; joined++) {
      if (seat.hasLeft) throw abandonedError();
      const flight = this.#flights.get(key);
      if (flight === undefined) return this.#start(key, query, need, seat);
      seat.take(flight.callers);
      const entry = await flight.landing;
      // A flight that began after this call brings the best there is.
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
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    const flight: Flight = new Flight(query.name, new WaitingCallers(end));
    this.#flights.set(key, flight);
    seat.take(flight.callers);
    flight.landing = outside(() => this.#fly(flight, query, need)).finally(end);
    return flight.landing;
  }

  async #fly(flight: Flight, query: TokenQuery, need: TokenRequirement): Promise<CachedTokens> {
    for (let current = need; ; current = { ...need, forceNew: undefined }) {
      const { replacedAt, progress } = flight;
      try {
        const found = await this.renewal.obtain({ query, need: current, progress });
        this.#storeRestsUntil = 0;
        if (replacedAt === flight.replacedAt) return this.#cache.put(query.name, found);
      } catch (error) {
        if (isStoreDown(error)) {
          this.#storeRestsUntil = performance.now() + STORE_REST_MS;
        }
        throw error;
      }
    }
  }

  #storeRests(): boolean {
    return performance.now() < this.#storeRestsUntil;
  }

  /** Waits until the caller's deadline; an exchange under way goes on after it. */
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
        const underWay = this.#flights.get(keyOf(query, need));
        over();
        const unsaved = underWay?.progress.unsaved;
        const atHand = underWay?.atHand;
        if (unsaved === undefined && atHand && isUsableIfError(atHand, need)) {
          return resolve(atHand.tokens);
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

/** One search for tokens, for all who ask for them meanwhile. */
class Flight {
  landing!: Promise<CachedTokens>;
  readonly progress: RenewalProgress;
  /** When the store was changed from outside: what was read before does not count. */
  replacedAt = -Infinity;

  constructor(
    readonly name: string,
    readonly callers: WaitingCallers,
  ) {
    this.progress = { callers };
  }

  /** What the store had when it was read last. */
  get atHand(): FoundTokens | undefined {
    const { found, readAt = -Infinity } = this.progress.atHand ?? {};
    return readAt > this.replacedAt ? found : undefined;
  }
}

/** Those who want an exchange that has not begun yet fly apart from the others. */
function keyOf({ name }: TokenQuery, { forceNew }: TokenRequirement): string {
  return forceNew ? `new:${name}` : name;
}

/** Its tokens, as long as they are handed out as they are. */
function served(entry: CachedTokens | undefined): BerbixTokens | undefined {
  if (entry === undefined) return undefined;
  entry.used = true;
  return performance.now() < entry.serveUntil ? entry.tokens : undefined;
}

/** Whether the tokens were removed from the store. */
function isRemoved(error: unknown): boolean {
  return error instanceof BerbixGoneError || error instanceof BerbixNotFoundError;
}

/** Not that a record cannot be read, nor that the application could not be told of a new token. */
function isStoreDown(error: unknown): boolean {
  return error instanceof BerbixStoreError && error.retryable && error.tokens === undefined;
}
