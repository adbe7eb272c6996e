import { BerbixStoreError } from '../../errors/index.js';
import type { BerbixTokenStore } from '../berbix-token-store.js';
import { storeFailure } from '../store-failure.js';
import type { BerbixEncryptionOptions } from './encryption.options.js';
import { TokenCipher } from './token-cipher.js';

/** How many values have been looked at, and what became of them. */
export interface ReencryptionCounts {
  /** Those that were found; the sum of the others. One that a store lists twice counts twice. */
  readonly total: number;
  /** Sealed anew with the current key. */
  readonly changed: number;
  /** Sealed with the current key already. */
  readonly unchanged: number;
  /** Left as they are, since they cannot be opened. */
  readonly failed: number;
}

/** What {@link reencryptTokens} takes. */
export interface ReencryptionOptions {
  store: BerbixTokenStore;
  /**
   * As the application has it, all keys that values are sealed with among them. Values in clear text
   * are sealed only with `acceptPlaintext`; without it they count as failed: somebody who can write to
   * the database may have planted them.
   */
  encryption: BerbixEncryptionOptions;
  /**
   * The name of the account, as it is given to the module.
   * @default 'default'
   */
  account?: string | undefined;
  /** Called after each value. */
  onProgress?: ((counts: ReencryptionCounts) => void) | undefined;
  /** Called with the record's key for each value that could not be sealed anew, and why. */
  onFailure?: ((key: string, error: BerbixStoreError) => void) | undefined;
}

/** Values that are worked on at the same time. */
const WORKERS = 8;

/** A value that was replaced meanwhile is read once more; most often it has the current key then. */
const ATTEMPTS = 2;

/**
 * Seals with the current key all that an account has stored and that is sealed with an older one, or
 * not at all. Once a run changes nothing that began when all applications sealed with the current
 * key, and that for each account, the older keys can go.
 *
 * It is safe beside running applications, which need to have the current key: a value is
 * replaced only if it is still the one that was opened, and versions and leases stay as they are.
 * What it has done stays done; after a failure just run it again.
 *
 * @returns the counts, if nothing failed
 * @throws {BerbixStoreError} (as a rejection) at the end, if some values could not be sealed anew;
 * at once, and `retryable`, if the store or the key provider fails
 * @throws {BerbixConfigurationError} (as a rejection) for encryption options that cannot be used
 *
 * @example
 * ```ts
 * // `old` is still there, for what is sealed with it.
 * await reencryptTokens({ store, encryption: { keys: { new: NEW_KEY, old: OLD_KEY }, current: 'new' } });
 * ```
 */
export async function reencryptTokens(options: ReencryptionOptions): Promise<ReencryptionCounts> {
  return new Reencryption(options).run();
}

/** One run. */
class Reencryption {
  readonly #options: ReencryptionOptions;
  readonly #cipher: TokenCipher;
  readonly #prefix: string;
  readonly #counts = { total: 0, changed: 0, unchanged: 0, failed: 0 };
  /** How often each reason was met. */
  readonly #reasons = new Map<string, number>();

  constructor(options: ReencryptionOptions) {
    const { encryption, account = 'default' } = options;
    this.#options = options;
    this.#cipher = new TokenCipher(encryption, account);
    this.#prefix = `${encodeURIComponent(account)}/`;
  }

  async run(): Promise<ReencryptionCounts> {
    let cursor: string | undefined;
    do {
      const page = await this.#ask((store) => store.keys(this.#prefix, cursor));
      await this.#workThrough(page.keys);
      cursor = page.cursor;
    } while (cursor !== undefined);
    const { total, failed } = this.#counts;
    if (failed > 0) {
      const reasons = [...this.#reasons].map(([reason, times]) => `${times} times: ${reason}`);
      throw new BerbixStoreError(
        `${failed} of ${total} values could not be re-encrypted and are left as they were. ${reasons.join(' ')}`,
      );
    }
    return { ...this.#counts };
  }

  /** Ends when no worker is at work any more, also where one failed. */
  async #workThrough(keys: string[]): Promise<void> {
    const queue = [...keys];
    const workers = Array.from({ length: WORKERS }, async () => {
      try {
        for (let key = queue.shift(); key !== undefined; key = queue.shift()) await this.#work(key);
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    });
    const failure = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
  }

  async #work(key: string): Promise<void> {
    const outcome = await this.#reseal(key);
    if (outcome === 'gone') return;
    this.#counts.total++;
    if (outcome instanceof BerbixStoreError) {
      this.#counts.failed++;
      this.#reasons.set(outcome.message, (this.#reasons.get(outcome.message) ?? 0) + 1);
      this.#options.onFailure?.(key, outcome);
    } else {
      this.#counts[outcome]++;
    }
    this.#options.onProgress?.({ ...this.#counts });
  }

  /** What became of a value, or why it stays as it is. */
  async #reseal(key: string): Promise<'changed' | 'unchanged' | 'gone' | BerbixStoreError> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const value = (await this.#ask((store) => store.load(key)))?.value;
      if (value === undefined) return 'gone';
      const text = await this.#open(key, value);
      if (text instanceof BerbixStoreError) return text;
      if (await this.#cipher.isCurrent(value)) return 'unchanged';
      const sealed = await this.#cipher.seal(key, text);
      if (await this.#ask((store) => store.swap(key, value, sealed))) return 'changed';
    }
    return new BerbixStoreError(
      'A value was replaced again and again by an application that has another current key. Give the current key to all applications first.',
    );
  }

  /** What may succeed later ends the run; it is no matter of this value. */
  async #open(key: string, value: string): Promise<string | BerbixStoreError> {
    try {
      return await this.#cipher.open(key, value);
    } catch (error) {
      if (error instanceof BerbixStoreError && !error.retryable) return error;
      throw error;
    }
  }

  async #ask<T>(call: (store: BerbixTokenStore) => Promise<T>): Promise<T> {
    const { store } = this.#options;
    try {
      return await call(store);
    } catch (error) {
      throw storeFailure(store.description, error);
    }
  }
}
