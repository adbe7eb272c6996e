import { BerbixStoreError, counted } from '../../errors/index.js';
import { DEFAULT_ACCOUNT } from '../../options/index.js';
import type { BerbixTokenStore } from '../berbix-token-store.js';
import { storeFailure } from '../store-failure.js';
import type { BerbixEncryptionOptions } from './encryption.options.js';
import { TokenCipher } from './token-cipher.js';

/** How many values were processed, by outcome. */
export interface ReencryptionCounts {
  /** The sum of the others. A value that the store lists twice counts twice. */
  readonly total: number;
  /** Re-encrypted with the current key. */
  readonly changed: number;
  /** Already sealed with the current key. */
  readonly unchanged: number;
  /** Left unchanged, since they cannot be decrypted or keep changing. */
  readonly failed: number;
}

/** What {@link reencryptTokens} takes. */
export interface ReencryptionOptions {
  store: BerbixTokenStore;
  /**
   * The options of the application, with every key with which values are sealed. Plaintext values
   * are sealed only with `acceptPlaintext`. Without it they count as failed, since someone who can
   * write to the database may have planted them.
   */
  encryption: BerbixEncryptionOptions;
  /**
   * The name of the account, as passed to the module.
   * @default 'default'
   */
  account?: string | undefined;
  /** Called after each value. */
  onProgress?: ((counts: ReencryptionCounts) => void) | undefined;
  /**
   * Called for each value that could not be re-encrypted, with the key of its record and the
   * reason.
   */
  onFailure?: ((key: string, error: BerbixStoreError) => void) | undefined;
}

/** Number of values that are processed concurrently. */
const WORKERS = 8;

/**
 * Attempts per value: one that was replaced meanwhile is read again, and then usually has the
 * current key.
 */
const ATTEMPTS = 2;

/**
 * Re-encrypts all stored values of an account that are not sealed with the current key. First let
 * all applications seal with the current key. Then run it for each account until a run changes
 * nothing, and remove the older keys.
 *
 * It is safe while applications run, if they have the current key: a value is replaced only if it
 * has not changed since it was read, and versions and leases stay the same. Finished work is kept;
 * after a failure, run it again.
 *
 * @returns the counts, if nothing failed
 * @throws {BerbixStoreError} (as a rejection) at the end, if some values could not be re-encrypted;
 * immediately, and `retryable`, if the store or the key provider fails
 * @throws {BerbixConfigurationError} (as a rejection) for invalid encryption options
 *
 * @example
 * ```ts
 * // `old` is still needed for values that are sealed with it.
 * await reencryptTokens({ store, encryption: { keys: { new: NEW_KEY, old: OLD_KEY }, current: 'new' } });
 * ```
 */
export async function reencryptTokens(options: ReencryptionOptions): Promise<ReencryptionCounts> {
  const { encryption, account = DEFAULT_ACCOUNT } = options;
  return reencryptWith(new TokenCipher(encryption, account), account, options);
}

/** The same with a cipher of the account. */
export async function reencryptWith(
  cipher: TokenCipher,
  account: string,
  options: RunOptions,
): Promise<ReencryptionCounts> {
  return new Reencryption(cipher, account, options).run();
}

type RunOptions = Omit<ReencryptionOptions, 'encryption' | 'account'>;

/** One run. */
class Reencryption {
  readonly #prefix: string;
  readonly #counts = { total: 0, changed: 0, unchanged: 0, failed: 0 };
  /** How often each reason occurred. */
  readonly #reasons = new Map<string, number>();

  constructor(
    private readonly cipher: TokenCipher,
    account: string,
    private readonly options: RunOptions,
  ) {
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
      const reasons = [...this.#reasons].map(
        ([reason, times]) => `${times === 1 ? 'Once' : `${times} times`}: ${reason}`,
      );
      throw new BerbixStoreError(
        `${failed} of ${counted(total, 'value')} could not be re-encrypted and stayed unchanged. ${reasons.join(' ')}`,
      );
    }
    return { ...this.#counts };
  }

  /** Resolves when all workers have stopped, even if one failed. */
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
      this.options.onFailure?.(key, outcome);
    } else {
      this.#counts[outcome]++;
    }
    this.options.onProgress?.({ ...this.#counts });
  }

  /** Re-encrypts a value; resolves to the outcome, or to the reason why it stays unchanged. */
  async #reseal(key: string): Promise<'changed' | 'unchanged' | 'gone' | BerbixStoreError> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const value = (await this.#ask((store) => store.load(key)))?.value;
      if (value === undefined) return 'gone';
      const text = await this.#open(key, value);
      if (text instanceof BerbixStoreError) return text;
      if (await this.cipher.isCurrent(value)) return 'unchanged';
      const sealed = await this.cipher.seal(key, text);
      if (await this.#ask((store) => store.compareAndSwap(key, value, sealed))) return 'changed';
    }
    return new BerbixStoreError(
      'A value was replaced repeatedly by an application with another current key. Set the current key in all applications first.',
    );
  }

  /**
   * Decrypts a value. A retryable error ends the run, since it does not concern this value alone.
   */
  async #open(key: string, value: string): Promise<string | BerbixStoreError> {
    try {
      return await this.cipher.open(key, value);
    } catch (error) {
      if (error instanceof BerbixStoreError && !error.retryable) return error;
      throw error;
    }
  }

  async #ask<T>(call: (store: BerbixTokenStore) => Promise<T>): Promise<T> {
    const { store } = this.options;
    try {
      return await call(store);
    } catch (error) {
      throw storeFailure(store.description, error);
    }
  }
}
