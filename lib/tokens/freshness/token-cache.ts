import type { BerbixTokens } from '../berbix-tokens.js';
import type { TransactionRef } from './freshness.options.js';
import { refNamed, type FoundTokens } from './token-record.js';

/** Tokens in the memory of this process. */
export interface CachedTokens extends FoundTokens {
  /** The name they are kept under. */
  readonly name: string;
  staleAt: number;
  /** The most that the host's clock may be ahead of the monotonic one before the entry is unreliable. */
  readonly differenceUntil: number;
  /** Until then they are handed out as they are. */
  serveUntil: number;
  /** From here on the store is asked whether they still count. */
  recheckAt: number;
  /** Whether they were asked for since they were looked at last for removal. */
  used: boolean;
}

/** Milliseconds after which the store is asked whether tokens in memory were replaced or forgotten. */
const RECHECK_AFTER_MS = 30_000;

/** A share of the time until the refresh, so that replicas do not begin it all at once. */
const SPREAD = 0.02;

/** Milliseconds between two tries to refresh tokens that are still good, or a share of what is left of them. */
const [BETWEEN_TRIES_MS, BETWEEN_TRIES_SHARE] = [1_000, 0.25];

/** After a suspend of this long, or of this share of the tokens' lifetime, the tokens are read again. */
const [SUSPENDED_MS, SUSPENDED_SHARE] = [30_000, 0.05];

/** What has a name, by what comes after its kind. */
type Entries = Map<string, CachedTokens>;

/**
 * Tokens by the names that they were asked for; so many of each kind at most, and those that were not
 * asked for lately go first (second chance).
 */
export class TokenCache {
  // By what callers know: to put a name together and hash it takes longer than all else of a hit.
  readonly #customers: Entries = new Map();
  readonly #transactions: Entries = new Map();
  readonly #others: Entries = new Map();
  /** The other names under which the tokens of a transaction are cached. */
  readonly #names = new Map<string, Set<string>>();

  constructor(private readonly size: number) {}

  get(name: string): CachedTokens | undefined {
    const [entries, id] = this.#place(name);
    return reliable(entries.get(id));
  }

  /** The same by the owner, who is not checked: what was never asked for by a name is not found. */
  of(owner: TransactionRef): CachedTokens | undefined {
    const { transactionId, customerUid } = owner as Record<string, string>;
    if (customerUid === undefined) return reliable(this.#transactions.get(transactionId as string));
    return transactionId === undefined ? reliable(this.#customers.get(customerUid)) : undefined;
  }

  put(name: string, found: FoundTokens): CachedTokens {
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
    if (staleAt <= now) postponeRefresh(entry);
    else serve(entry);
    this.#remove(name);
    const [entries, id] = this.#place(name);
    if (entries.size >= this.size) this.#removeOne(entries);
    entries.set(id, entry);
    if (entries !== this.#transactions) this.#index(name, tokens);
    return entry;
  }

  /** Removes what has the name, and where that is a transaction's, its tokens under all names. */
  delete(name: string): void {
    this.#remove(name);
    const [entries, id] = this.#place(name);
    if (entries !== this.#transactions) return;
    for (const other of this.#names.get(id) ?? []) this.#remove(other);
  }

  #index(name: string, { transactionId }: BerbixTokens): void {
    if (transactionId === undefined) return;
    const names = this.#names.get(transactionId) ?? new Set();
    this.#names.set(transactionId, names.add(name));
  }

  #remove(name: string): void {
    const [entries, id] = this.#place(name);
    const { transactionId = '' } = entries.get(id)?.tokens ?? {};
    entries.delete(id);
    const names = this.#names.get(transactionId);
    if (names?.delete(name) && names.size === 0) this.#names.delete(transactionId);
  }

  /** Evicts the oldest entry that was not used since the last pass (second chance). */
  #removeOne(entries: Entries): void {
    for (const [id, entry] of entries) {
      if (!entry.used) return this.#remove(entry.name);
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

/** The refresh is not tried again at once; until their end, the tokens are handed out as they are. */
export function postponeRefresh(entry: CachedTokens): void {
  const now = performance.now();
  const share = Math.max(0, entry.expiresSoonAt - now) * BETWEEN_TRIES_SHARE;
  entry.staleAt = now + Math.min(BETWEEN_TRIES_MS, share);
  serve(entry);
}

/** The store could not be asked: what is in memory counts for some more milliseconds. */
export function postponeRecheck(entry: CachedTokens, ms: number): void {
  entry.recheckAt = performance.now() + ms;
  serve(entry);
}

/**
 * The times of an entry are those of a clock that stands still while the machine is suspended: after
 * that, and after the clock of the host was set forward, the store is asked.
 */
function reliable(entry: CachedTokens | undefined): CachedTokens | undefined {
  if (entry === undefined) return undefined;
  return Date.now() - performance.now() > entry.differenceUntil ? undefined : entry;
}

function serve(entry: CachedTokens): void {
  entry.serveUntil = Math.min(entry.staleAt, entry.expiresSoonAt, entry.recheckAt);
}
