import type { KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { outside, withTimeout } from '../../concurrency/index.js';
import { BerbixStoreError, logLine } from '../../errors/index.js';
import { isKeyId, readKey, shownKeyId } from './encryption-key.js';
import type { BerbixKeyProvider } from './encryption.options.js';
import type { KeyRing } from './key-ring.js';

/** Milliseconds for which the current key is cached. */
const CURRENT_FOR_MS = 60_000;
/** Milliseconds that the provider may take. */
const TIMEOUT_MS = 5_000;
/** Maximum number of cached keys; weekly key rotation takes two years to reach it. */
const MAX_KEYS = 100;

interface CurrentKey {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * Caches the keys of a provider. Concurrent callers for the same key share one call of the
 * provider, which runs in the async context of none of them. All of them get its failure, which is
 * not cached.
 */
export class ProvidedKeyRing implements KeyRing {
  readonly #logger = new Logger('BerbixEncryption');
  readonly #provider: BerbixKeyProvider;
  /** The most recently used are at the end. */
  readonly #keys = new Map<string, KeyObject>();
  readonly #asked = new Map<string, Promise<KeyObject | undefined>>();
  #current: CurrentKey | undefined;
  #currentUntil = 0;
  #askedCurrent: Promise<CurrentKey> | undefined;
  /** Whether the provider has failed since its last valid answer; the warning is logged once. */
  #failing = false;

  constructor(provider: BerbixKeyProvider) {
    this.#provider = provider;
  }

  async current(): Promise<CurrentKey> {
    if (this.#current !== undefined && performance.now() < this.#currentUntil) return this.#current;
    this.#askedCurrent ??= outside(() => this.#askCurrent()).finally(
      () => (this.#askedCurrent = undefined),
    );
    return this.#askedCurrent;
  }

  async byId(id: string): Promise<KeyObject | undefined> {
    const known = this.#keys.get(id);
    if (known !== undefined) {
      this.#keep(id, known);
      return known;
    }
    let asked = this.#asked.get(id);
    if (asked === undefined) {
      asked = outside(() => this.#askById(id)).finally(() => this.#asked.delete(id));
      this.#asked.set(id, asked);
    }
    return asked;
  }

  async #askCurrent(): Promise<CurrentKey> {
    try {
      const answer = await askProvider('current()', () => this.#provider.current());
      if (!isKeyId(answer?.id)) {
        throw new BerbixStoreError(
          'The key provider returned no key with an id. current() must return { id, key }; an id is 1 to 64 letters, digits, hyphens and underscores.',
        );
      }
      this.#current = { id: answer.id, key: accepted(answer.id, answer.key) };
      this.#keep(answer.id, this.#current.key);
      this.#failing = false;
    } catch (error) {
      // Sealing with the previous key is better than losing tokens while the provider is down.
      if (this.#current === undefined) throw error;
      this.#warn(this.#current.id, error as BerbixStoreError);
    }
    this.#currentUntil = performance.now() + CURRENT_FOR_MS;
    return this.#current;
  }

  #warn(id: string, error: BerbixStoreError): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#logger.warn(
      logLine(
        `The previous key, ${shownKeyId(id)}, stays in use until the provider answers again.`,
        error,
      ),
    );
  }

  async #askById(id: string): Promise<KeyObject | undefined> {
    const answer = await askProvider('byId()', () => this.#provider.byId(id));
    if (answer === undefined || answer === null) return undefined;
    const key = accepted(id, answer);
    this.#keep(id, key);
    return key;
  }

  #keep(id: string, key: KeyObject): void {
    this.#keys.delete(id);
    this.#keys.set(id, key);
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
  }
}

function accepted(id: string, answer: unknown): KeyObject {
  const key = readKey(answer);
  if (typeof key !== 'string') return key;
  throw new BerbixStoreError(
    `The key ${shownKeyId(id)} from the key provider ${key}. It must be 32 random bytes, as base64 text or as bytes.`,
  );
}

/**
 * Calls the provider with a time limit. Its own error is not passed on: it may quote a key (I10).
 */
function askProvider<T>(what: string, ask: () => T | Promise<T>): Promise<T> {
  const work = async (): Promise<T> => {
    try {
      return await ask();
    } catch {
      throw failed(`failed to answer ${what}`);
    }
  };
  return withTimeout(work, TIMEOUT_MS, () =>
    failed(`did not answer ${what} within ${TIMEOUT_MS} ms`, 'TIMEOUT'),
  );
}

function failed(what: string, reason?: string): BerbixStoreError {
  return new BerbixStoreError(`The key provider ${what}.`, { retryable: true }, reason);
}
