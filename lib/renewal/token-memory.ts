import { refNamed, type LocalTokens } from '../records/index.js';
import type { BerbixTokens, BerbixTransactionRef } from '../values/index.js';
import { isUsableIfError } from './token-requirement.js';

/** A cache entry. */
export interface CachedTokens extends LocalTokens {
  /** The name under which it is cached. */
  readonly name: string;
  staleAt: number;
  /**
   * The most that the host's clock may be ahead of the monotonic one before the entry is
   * unreliable.
   */
  readonly differenceUntil: number;
  /** Until then the tokens are served without any further work. */
  serveUntil: number;
  /** From then on the store is asked whether the tokens still count. */
  recheckAt: number;
  /** Whether it was used since eviction last considered it. */
  used: boolean;
}

/**
 * Milliseconds after which the store is asked whether cached tokens were replaced or forgotten
 * (I8).
 */
const RECHECK_AFTER_MS = 30_000;

/**
 * Share of the time until the tokens are stale, as jitter: replicas should not renew
 * simultaneously.
 */
const SPREAD = 0.02;

/**
 * Milliseconds between two background renewals, or this share of the time left, if that is less.
 */
const [BETWEEN_TRIES_MS, BETWEEN_TRIES_SHARE] = [1_000, 0.25];

/**
 * Milliseconds of suspension, or share of the lifetime if that is less, after which the tokens are
 * read again.
 */
const [SUSPENDED_MS, SUSPENDED_SHARE] = [30_000, 0.05];

/** Entries of one kind, by id, uid or name. */
type Entries = Map<string, CachedTokens>;

/**
 * The cached tokens by name, with a maximum size for each kind of name. Entries that were not used
 * lately are evicted first (second chance).
 */
export class TokenMemory {
  // By the id or uid that callers pass: building and hashing a name takes longer than the rest of a
  // hit.
  readonly #customers: Entries = new Map();
  readonly #transactions: Entries = new Map();
  readonly #others: Entries = new Map();
  /** The other names under which the tokens of a transaction are cached. */
  readonly #names = new Map<string, Set<string>>();

  constructor(private readonly size: number) {}

  /** The number of entries, under all names. */
  get entries(): number {
    return this.#customers.size + this.#transactions.size + this.#others.size;
  }

  /** Whether any entry would be served during an outage; most may have expired. */
  get hasUsable(): boolean {
    const now = performance.now();
    return [this.#customers, this.#transactions, this.#others].some((entries) => {
      for (const entry of entries.values()) if (isUsableIfError(entry, {}, now)) return true;
      return false;
    });
  }

  get(name: string): CachedTokens | undefined {
    const [entries, id] = this.#place(name);
    return reliable(entries.get(id));
  }

  /** The same by transaction or customer, without validation: an invalid one was never cached. */
  of(owner: BerbixTransactionRef): CachedTokens | undefined {
    const { transactionId, customerUid } = owner as Record<string, string>;
    if (customerUid === undefined) return reliable(this.#transactions.get(transactionId as string));
    return transactionId === undefined ? reliable(this.#customers.get(customerUid)) : undefined;
  }

  put(name: string, found: LocalTokens): CachedTokens {
    const { tokens, staleAt, expiresSoonAt, endAt } = found;
    const now = performance.now();
    const spread = Math.max(0, staleAt - now) * SPREAD * Math.random();
    const entry: CachedTokens = {
      name,
      tokens,
      staleAt: staleAt + spread,
      expiresSoonAt,
      endAt,
      differenceUntil:
        Date.now() - now + Math.min(SUSPENDED_MS, (tokens.lifetimeMs ?? 0) * SUSPENDED_SHARE),
      serveUntil: 0,
      recheckAt: now + RECHECK_AFTER_MS,
      used: false,
    };
    if (staleAt <= now) postponeRenewal(entry);
    else updateServeUntil(entry);
    const [entries, id] = this.#place(name);
    this.#remove(entries, id);
    if (entries.size >= this.size) this.#removeOne(entries);
    entries.set(id, entry);
    if (entries !== this.#transactions) this.#index(name, tokens);
    return entry;
  }

  /** Removes the entry, and for the name of a transaction, its entries under all names (I8). */
  delete(name: string): void {
    const [entries, id] = this.#place(name);
    this.#remove(entries, id);
    if (entries !== this.#transactions) return;
    for (const other of this.#names.get(id) ?? []) this.#remove(...this.#place(other));
  }

  #index(name: string, { transactionId }: BerbixTokens): void {
    if (transactionId === undefined) return;
    const names = this.#names.get(transactionId) ?? new Set();
    this.#names.set(transactionId, names.add(name));
  }

  #remove(entries: Entries, id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    const { transactionId = '' } = entry.tokens;
    const names = this.#names.get(transactionId);
    if (names?.delete(entry.name) && names.size === 0) this.#names.delete(transactionId);
  }

  /** Evicts the oldest entry that was not used since the last pass (second chance). */
  #removeOne(entries: Entries): void {
    for (const [id, entry] of entries) {
      if (!entry.used) return this.#remove(entries, id);
      entries.delete(id);
      entry.used = false;
      entries.set(id, entry);
    }
  }

  #place(name: string): [Entries, string] {
    const owner = refNamed(name);
    if (owner === undefined) return [this.#others, name];
    return 'transactionId' in owner
      ? [this.#transactions, owner.transactionId]
      : [this.#customers, owner.customerUid];
  }
}

/**
 * Delays the next background renewal; until then the tokens are served without any further work.
 */
export function postponeRenewal(entry: CachedTokens): void {
  const now = performance.now();
  const share = Math.max(0, entry.expiresSoonAt - now) * BETWEEN_TRIES_SHARE;
  entry.staleAt = now + Math.min(BETWEEN_TRIES_MS, share);
  updateServeUntil(entry);
}

/** Delays the next recheck, since the store could not be asked. */
export function postponeRecheck(entry: CachedTokens, ms: number): void {
  entry.recheckAt = performance.now() + ms;
  updateServeUntil(entry);
}

/**
 * The entry, unless its times are unreliable (I1): the monotonic clock stands still while the
 * machine is suspended. After a suspension, or after the host's clock was set forward, the store is
 * asked.
 */
function reliable(entry: CachedTokens | undefined): CachedTokens | undefined {
  if (entry === undefined) return undefined;
  return Date.now() - performance.now() > entry.differenceUntil ? undefined : entry;
}

function updateServeUntil(entry: CachedTokens): void {
  entry.serveUntil = Math.min(entry.staleAt, entry.expiresSoonAt, entry.recheckAt);
}
