import { Limiter, drained } from '../concurrency/index.js';
import type { EventBus } from '../events/index.js';
import {
  CustomerIndex,
  TokenIntake,
  TokenLoader,
  TokenNames,
  TokenRecords,
  TokenRemoval,
  leadsToPendingRotation,
  recordName,
  type Removal,
} from '../records/index.js';
import {
  CheckedStore,
  InMemoryTokenStore,
  PlaintextCipher,
  SealedRecords,
  type RecordRevision,
} from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import type { BerbixTokenOptions, FreshnessSettings } from './freshness.options.js';
import type { Exchange } from './renewal-context.js';
import { TokenCache } from './token-cache.js';
import { TokenSaver } from './token-saver.js';

/** The parts that {@link StoredTokens} are made of. */
export interface StoredTokensParts {
  readonly sealed: SealedRecords;
  readonly settings: FreshnessSettings;
  readonly exchange: Exchange;
  readonly events: EventBus;
  readonly loadTokens?: BerbixTokenOptions['loadTokens'];
  readonly onRotation: BerbixTokenOptions['onRotation'];
}

/** The tokens of one store: their records, and the cache that keeps them fresh. */
export class StoredTokens {
  readonly cache: TokenCache;
  readonly #records: TokenRecords;
  readonly #intake: TokenIntake;
  readonly #removal: TokenRemoval;
  readonly #saver: TokenSaver;
  readonly #closing = new AbortController();

  constructor(parts: StoredTokensParts) {
    const { sealed, settings, exchange, events, loadTokens, onRotation } = parts;
    const closing = this.#closing;
    const { signal } = closing;
    const policy = { ...settings, onRotation, notifies: onRotation !== undefined };
    const turns = new Limiter(settings.connections);
    const index = new CustomerIndex(sealed, settings, signal);
    const loader = new TokenLoader(loadTokens, settings.hookTimeoutMs);
    const intake = new TokenIntake(sealed, index, settings, signal);
    const records = new TokenRecords(sealed, loader, index);
    const saver = new TokenSaver(sealed, new TokenNames(sealed), policy, events, signal);
    const context = { sealed, records, saver, exchange, events, policy, turns, closing };
    this.#records = records;
    this.#intake = intake;
    this.#removal = new TokenRemoval(sealed);
    this.#saver = saver;
    this.cache = new TokenCache(context, settings.cacheSize);
  }

  /** Tokens in the memory of this process alone. */
  static inMemory(parts: Omit<StoredTokensParts, 'sealed' | 'loadTokens'>): StoredTokens {
    const { cacheSize, totalTimeoutMs } = parts.settings;
    // Until the application is notified of a new refresh token, it has only the previous one, so
    // the record, and what leads to it, must not be evicted.
    const account = 'given';
    const store = new InMemoryTokenStore(cacheSize, (value, valueOf) =>
      leadsToPendingRotation(value, (name) => valueOf(`${account}/${name}`)),
    );
    const checked = new CheckedStore(store, totalTimeoutMs);
    const sealed = new SealedRecords(checked, new PlaintextCipher(), account);
    return new StoredTokens({ ...parts, sealed });
  }

  /**
   * Waits up to five seconds for exchanges in flight, then ends all waits with stale tokens or a
   * `BerbixUnavailableError`, and waits up to five more.
   */
  async close(): Promise<void> {
    await this.cache.idle();
    this.cache.endWaits();
    // I4: the application can still keep a new refresh token that would be lost with this process.
    await Promise.all([this.cache.idle(), drained(this.#saver.notifyAgain())]);
    this.#saver.reportUnnotified();
  }

  /** Whether exchanges may no longer begin. */
  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** For health and metrics. */
  get memory(): TokenCache['contents'] {
    return this.cache.contents;
  }

  /** See {@link TokenRecords.knows}. */
  knows(name: string): Promise<boolean> {
    return this.#records.knows(name);
  }

  /** Fresh tokens of the record with this key. */
  get(key: string): Promise<BerbixTokens> {
    return this.cache.get({ name: key }, {});
  }

  /** See {@link TokenIntake.remember}. */
  async remember(tokens: BerbixTokens, customerUid: string | undefined): Promise<void> {
    this.cache.discard(await this.#intake.remember(tokens, customerUid));
  }

  /** See {@link TokenRemoval.forget}; resolves to whether there was anything to remove. */
  async forget(name: string): Promise<boolean> {
    const { names, wasStored } = await this.#removal.forget(name);
    this.cache.discard(names);
    return wasStored;
  }

  /** `forget`, if the record has not changed since it was read. */
  async forgetIfUnchanged(name: string, expected: RecordRevision): Promise<Removal> {
    const removal = await this.#removal.forgetIfUnchanged(name, expected);
    this.cache.discard(removal.names);
    return removal;
  }

  /** A customer has another transaction now: their tokens are read again. */
  discardCustomer(customerUid: string): void {
    this.cache.discard([recordName.customer(customerUid)]);
  }
}
