import { Caller, LinkedList, NoTurn, drained, shutDownError } from '../concurrency/index.js';
import type { BerbixError } from '../errors/index.js';
import type { LocalTokens, TokenQuery } from '../records/index.js';
import { countLookup, recordLookup } from '../telemetry/index.js';
import type { BerbixTokens, BerbixTransactionRef } from '../values/index.js';
import type { RenewalContext } from './renewal-context.js';
import { deadlineError } from './renewal-errors.js';
import { Renewal } from './renewal.js';
import {
  TokenMemory,
  postponeRecheck,
  postponeRenewal,
  type CachedTokens,
} from './token-memory.js';
import {
  isRemoved,
  isSameRequirement,
  isStoreDown,
  isUsableIfError,
  mayServeStale,
  satisfies,
  type TokenRequirement,
} from './token-requirement.js';
import { WaitingCaller, abandonedError } from './waiting-callers.js';

/** Milliseconds to wait for a recheck of the store while the cache has valid tokens. */
const PATIENCE_MS = 100;

/** Milliseconds after a store failure during which cached tokens are served without a recheck. */
const STORE_COOLDOWN_MS = 5_000;

/**
 * Fresh tokens: from memory, else from the store, else by one exchange. Stale tokens are still
 * served while they are renewed in the background (stale-while-revalidate).
 *
 * In this process, callers for the same tokens share one run (I2). It runs in the async context
 * of none of them.
 */
export class TokenCache {
  readonly #memory: TokenMemory;
  readonly #runs = new Map<string, Renewal>();
  /** Each function ends the wait of one caller immediately, with stale tokens or an error. */
  readonly #waits = new LinkedList<(error: BerbixError) => void>();
  readonly #totalTimeoutMs: number;
  readonly #account: string;
  #storeCooldownUntil = 0;

  constructor(
    private readonly context: RenewalContext,
    size: number,
  ) {
    this.#memory = new TokenMemory(size);
    this.#totalTimeoutMs = context.policy.totalTimeoutMs;
    this.#account = context.events.account;
  }

  /** How many tokens are in memory, counted under each name, and whether an outage leaves any. */
  get contents(): Pick<TokenMemory, 'entries' | 'hasUsable'> {
    return this.#memory;
  }

  /** Cached tokens that need no renewal and no recheck; undefined otherwise. */
  cached(name: string): BerbixTokens | undefined {
    return this.#served(this.#memory.get(name));
  }

  /** The same by transaction or customer; nothing is cached for a malformed one. */
  cachedOf(owner: BerbixTransactionRef): BerbixTokens | undefined {
    return this.#served(this.#memory.of(owner));
  }

  /**
   * Tokens that satisfy the requirement.
   *
   * @param caller may leave before there are any
   * @throws {BerbixError} (as a rejection) if there are none; within the caller's time (I12)
   */
  async get(
    query: TokenQuery,
    need: TokenRequirement,
    caller: Caller = new Caller(),
  ): Promise<BerbixTokens> {
    const now = performance.now();
    const entry = this.#memory.get(query.name);
    if (entry !== undefined && !need.forceNew && satisfies(entry, need, now)) {
      return this.#serve(query, need, entry, caller);
    }
    const stale = entry !== undefined && isUsableIfError(entry, need, now) ? entry : undefined;
    if (stale === undefined) return this.#inTime(query, need, caller);
    if (this.#isStoreCoolingDown()) {
      this.#obtainLater(query, need);
      recordLookup(this.#account, 'fallback', caller.span);
      return stale.tokens;
    }
    return this.#inTime(query, need, caller).catch((error: unknown) => {
      // The cache may even be newer than the store, if saving failed. Look again: tokens that were
      // forgotten meanwhile are no longer there (I8).
      const cached = this.#memory.get(query.name);
      const isUsable = cached !== undefined && isUsableIfError(cached, need, performance.now());
      if (!isUsable || !mayServeStale(error)) throw error;
      recordLookup(this.#account, 'fallback', caller.span);
      return cached.tokens;
    });
  }

  /** The tokens of these names have changed in the store: discards what was read before (I8). */
  discard(names: readonly string[]): void {
    for (const name of names) this.#memory.delete(name);
    for (const run of this.#runs.values()) if (names.includes(run.query.name)) run.changed();
  }

  /** Resolves when no run is in flight, or after five seconds. */
  idle(): Promise<void> {
    return drained(Promise.allSettled([...this.#runs.values()].map(({ result }) => result)));
  }

  /** Ends all waits, with stale tokens or a `BerbixUnavailableError`. */
  endWaits(): void {
    this.context.closing.abort();
    this.context.turns.dismiss(new NoTurn('expired'));
    for (let wait = this.#waits.first; wait !== undefined; wait = this.#waits.first) {
      wait.value(shutDownError());
    }
  }

  /** Serves cached tokens; renews them if they are stale, and rechecks the store now and then. */
  #serve(
    query: TokenQuery,
    need: TokenRequirement,
    entry: CachedTokens,
    caller: Caller,
  ): BerbixTokens | Promise<BerbixTokens> {
    const now = performance.now();
    if (now >= entry.staleAt) {
      postponeRenewal(entry);
      // A failure is recorded in the store, or occurs again when a caller needs the renewal.
      this.#obtainLater(query, { proactive: true });
    }
    if (now < entry.recheckAt || this.#isStoreCoolingDown()) {
      recordLookup(this.#account, 'memory', caller.span);
      return entry.tokens;
    }
    return this.#recheck(query, need, entry, caller);
  }

  /**
   * Asks the store whether cached tokens still count (I8). Callers who come meanwhile wait too, up
   * to PATIENCE_MS.
   */
  #recheck(
    query: TokenQuery,
    need: TokenRequirement,
    entry: CachedTokens,
    caller: Caller,
  ): Promise<BerbixTokens> {
    return new Promise((resolve, reject) => {
      const serveUnchecked = (error?: unknown): void => {
        // I8: this process may have forgotten them during the wait.
        if (this.#memory.get(query.name) === undefined) {
          return error === undefined ? undefined : reject(error);
        }
        postponeRecheck(entry, STORE_COOLDOWN_MS);
        if (!caller.isServed) recordLookup(this.#account, 'memory', caller.span);
        caller.isServed = true;
        resolve(entry.tokens);
      };
      const timer = setTimeout(serveUnchecked, PATIENCE_MS);
      this.#inTime(query, need, caller)
        .then(resolve, (error: unknown) => {
          // I8: only a removal invalidates cached tokens; an outage does not.
          if (!isRemoved(error)) return serveUnchecked(error);
          this.#memory.delete(query.name);
          reject(error);
        })
        .finally(() => clearTimeout(timer));
    });
  }

  /**
   * In the background: no caller waits, so a failure must not become an unhandled rejection (I9).
   */
  #obtainLater(query: TokenQuery, need: TokenRequirement): void {
    const nobody = new WaitingCaller<Renewal>(performance.now() + this.#totalTimeoutMs);
    this.#obtain(query, need, nobody).catch(() => {});
  }

  /** Joins the run for these tokens, or starts one. */
  async #obtain(
    query: TokenQuery,
    need: TokenRequirement,
    caller: WaitingCaller<Renewal>,
  ): Promise<CachedTokens> {
    // `forceNew` needs an exchange that starts after the call, so it has a run of its own.
    const key = need.forceNew ? `new:${query.name}` : query.name;
    for (;;) {
      if (caller.hasLeft) throw abandonedError();
      const current = this.#runs.get(key);
      const run = current ?? this.#start(key, query, need);
      caller.join(run);
      try {
        const entry = await run.result;
        // A run that another caller started brings what that one required.
        const isOwn = current === undefined || isSameRequirement(current.need, need);
        caller.source = run.trace.source;
        if (isOwn || satisfies(entry, need, performance.now())) return entry;
      } catch (error) {
        // Whether stale tokens will do differs from caller to caller.
        caller.source = 'fallback';
        return run.staleOr(error, need);
      }
    }
  }

  #start(key: string, query: TokenQuery, need: TokenRequirement): Renewal {
    const slot = {
      keep: (found: LocalTokens) => this.#memory.put(query.name, found),
      free: () => {
        if (this.#runs.get(key) === run) this.#runs.delete(key);
      },
    };
    const run = new Renewal(this.context, query, need, slot);
    this.#runs.set(key, run);
    // The key is free before callers continue, so that one who asks again starts a new run.
    run.result = run.start().then(
      (entry) => {
        slot.free();
        this.#storeCooldownUntil = 0;
        return entry;
      },
      (error: unknown) => {
        slot.free();
        if (isStoreDown(error)) this.#storeCooldownUntil = performance.now() + STORE_COOLDOWN_MS;
        throw error;
      },
    );
    return run;
  }

  /** The tokens of a cache entry, while it needs neither renewal nor recheck. */
  #served(entry: CachedTokens | undefined): BerbixTokens | undefined {
    if (entry === undefined) return undefined;
    entry.used = true;
    if (performance.now() >= entry.serveUntil) return undefined;
    countLookup(this.#account, 'memory');
    return entry.tokens;
  }

  #isStoreCoolingDown(): boolean {
    return performance.now() < this.#storeCooldownUntil;
  }

  /** Waits until the caller's deadline (I12); an exchange in flight continues after it (I9). */
  #inTime(query: TokenQuery, need: TokenRequirement, caller: Caller): Promise<BerbixTokens> {
    const waiting = new WaitingCaller<Renewal>(caller.deadline(this.#totalTimeoutMs));
    return new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#waits.remove(wait);
        if (!waiting.hasLeft && !caller.isServed) caller.span?.link(waiting.run?.trace.span);
        waiting.leave();
      };
      const end = (error: BerbixError): void => {
        over();
        const { run } = waiting;
        if (run === undefined) return reject(abandonedError());
        try {
          resolve(run.staleOr(run.withUnsaved(error), need).tokens);
          recordLookup(this.#account, 'fallback', caller.span);
        } catch (thrown) {
          reject(thrown);
        }
      };
      const timer = setTimeout(
        () => end(deadlineError(caller, this.#totalTimeoutMs)),
        waiting.deadline - performance.now(),
      );
      const wait = this.#waits.append(end);
      caller.onLeave = over;
      if (caller.hasLeft) over();
      this.#obtain(query, need, waiting).then(
        ({ tokens }) => {
          if (!waiting.hasLeft && !caller.isServed) {
            recordLookup(this.#account, waiting.source, caller.span);
          }
          over();
          resolve(tokens);
        },
        (error: unknown) => {
          over();
          reject(error);
        },
      );
    });
  }
}
