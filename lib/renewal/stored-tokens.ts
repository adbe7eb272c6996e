import { Limiter } from '../concurrency/index.js';
import type { EventBus } from '../events/index.js';
import {
  CustomerIndex,
  TokenIntake,
  TokenLoader,
  TokenRecords,
  TokenRemoval,
  hasPendingRotation,
} from '../records/index.js';
import {
  CheckedStore,
  InMemoryTokenStore,
  PlaintextCipher,
  SealedRecords,
} from '../token-store/index.js';
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
  readonly records: TokenRecords;
  readonly intake: TokenIntake;
  readonly removal: TokenRemoval;
  readonly cache: TokenCache;

  constructor(parts: StoredTokensParts) {
    const { sealed, settings, exchange, events, loadTokens, onRotation } = parts;
    const closing = new AbortController();
    const { signal } = closing;
    const policy = { ...settings, onRotation, notifies: onRotation !== undefined };
    const turns = new Limiter(settings.connections);
    const index = new CustomerIndex(sealed, settings, signal);
    const loader = new TokenLoader(loadTokens, settings.hookTimeoutMs);
    const intake = new TokenIntake(sealed, index, settings, signal);
    const records = new TokenRecords(sealed, loader, index, intake);
    const saver = new TokenSaver(sealed, records, policy, events, signal);
    const context = { sealed, records, saver, exchange, events, policy, turns, closing };
    this.records = records;
    this.intake = intake;
    this.removal = new TokenRemoval(sealed);
    this.cache = new TokenCache(context, settings.cacheSize);
  }

  /** Tokens in the memory of this process alone. */
  static inMemory(parts: Omit<StoredTokensParts, 'sealed' | 'loadTokens'>): StoredTokens {
    const { cacheSize, totalTimeoutMs } = parts.settings;
    // Until the application is notified of a new refresh token, it has only the previous one, so
    // the record must not be evicted.
    const store = new InMemoryTokenStore(cacheSize, hasPendingRotation);
    const checked = new CheckedStore(store, totalTimeoutMs);
    const sealed = new SealedRecords(checked, new PlaintextCipher(), 'given');
    return new StoredTokens({ ...parts, sealed });
  }
}
