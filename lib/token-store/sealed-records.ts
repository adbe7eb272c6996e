import { isBerbixError, type BerbixStoreError } from '../errors/index.js';
import type { SeenRecord, StoredRecord } from './berbix-token-store.js';
import type { CheckedStore, Timed } from './checked-store.js';
import { unknownForm } from './encryption/index.js';
import { BAD_ANSWER } from './store-answer.js';

/** Encrypts and decrypts texts, each bound to the key of its record (I13). */
export interface RecordCipher {
  seal(key: string, text: string): Promise<string>;
  open(key: string, sealed: string): Promise<string>;
}

/** The note of a lease holder; times are on the store's clock, in milliseconds. */
export interface ExchangeAttempt {
  /** When the first attempt without a known outcome started. */
  startedAt?: number | undefined;
  /** Whether the lease holder has not reported the outcome of its attempt yet. */
  isUnreported?: true | undefined;
  /** How many refresh tokens of the record the API does not know, counted from the first. */
  unknownCount?: number | undefined;
  /** The number of consecutive failures. */
  failures?: number | undefined;
  /** The earliest time of the next attempt. */
  notBefore?: number | undefined;
  /** The code of a permanent error. */
  deadCode?: string | undefined;
}

/** A decrypted record. */
export interface OpenedRecord<T> extends SeenRecord {
  readonly value: T | undefined;
  readonly attempt: ExchangeAttempt;
  readonly leasedForMs: number;
  readonly moment: StoreMoment;
}

/** A time on the store's clock with a local time that is never later. */
export interface StoreMoment {
  /** Milliseconds since 1970, by the store. */
  readonly store: number;
  /** `performance.now()` */
  readonly local: number;
}

export interface RecordLease {
  readonly fence: number;
  readonly moment: StoreMoment;
}

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [25, 1_000];

/**
 * The records of one account: sealed JSON under keys that begin with the account. Every failure is
 * a {@link BerbixStoreError}.
 */
export class SealedRecords {
  readonly #store: CheckedStore;
  readonly #cipher: RecordCipher;
  readonly #account: string;

  constructor(store: CheckedStore, cipher: RecordCipher, account: string) {
    this.#store = store;
    this.#cipher = cipher;
    this.#account = encodeURIComponent(account);
  }

  /** The current record; an empty one if there is none. */
  async load<T>(name: string): Promise<OpenedRecord<T>> {
    const key = this.#key(name);
    return this.#opened(key, await this.#store.load(key));
  }

  /** Takes the lease of the record; undefined if it has changed since it was seen, or is leased. */
  async lease(
    name: string,
    seen: SeenRecord,
    ttlMs: number,
    note: ExchangeAttempt,
  ): Promise<RecordLease | undefined> {
    const lease = await this.#store.lease(this.#key(name), seen, ttlMs, JSON.stringify(note));
    return lease && { fence: lease.fence, moment: { store: lease.now, local: lease.askedAt } };
  }

  /**
   * Sets the value if the record still has this version, and makes sure of the outcome: it retries
   * a call whose answer was lost. Resolves to whether the value was set.
   *
   * @param keepTrying called after each failure
   * @param merge called if the record has changed or is gone; returns the value to set instead, or
   * undefined to leave the record
   * @throws {BerbixStoreError} (as a rejection) if the outcome is unknown
   */
  async commit<T extends object>(
    name: string,
    version: number,
    value: T,
    keepTrying: () => boolean = () => false,
    merge: (current: OpenedRecord<T>) => T | undefined = () => undefined,
  ): Promise<boolean> {
    const key = this.#key(name);
    let [expected, next]: [number, T | undefined] = [version, value];
    let sealed: string | undefined;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        while (next !== undefined) {
          const text = (sealed ??= await this.#cipher.seal(key, JSON.stringify(next)));
          if ((await this.#store.commit(key, expected, text)) !== undefined) return true;
          const record = await this.#store.loadAfterCommit(key);
          // This commit itself changed the version: its answer was lost, here or in the driver.
          if (record?.value === sealed) return true;
          const current = await this.#opened<T>(key, record);
          next = merge(current);
          [expected, sealed] = [current.version, undefined];
        }
        return false;
      } catch (error) {
        // Retrying does not help against malformed answers.
        if (isBadAnswer(error) || !keepTrying()) throw error;
        await sleep(wait * (0.5 + Math.random() / 2));
      }
    }
  }

  /**
   * Ends a lease and sets the note; resolves to false if the record has changed since the lease.
   */
  async release(name: string, seen: SeenRecord, note: ExchangeAttempt): Promise<boolean> {
    return this.#store.release(this.#key(name), seen, JSON.stringify(note));
  }

  /**
   * Removes the value permanently if the record has not changed since it was seen; commits in
   * flight fail (I8). Resolves to false if it has changed.
   */
  async forget(name: string, seen: SeenRecord): Promise<boolean> {
    return this.#store.forget(this.#key(name), seen);
  }

  /**
   * Removes the value permanently, even under another replica's lease.
   *
   * @param mayGo decides by the current record; called again if it changes meanwhile
   */
  async remove<T>(
    name: string,
    mayGo: (seen: OpenedRecord<T>) => boolean | Promise<boolean> = () => true,
  ): Promise<void> {
    for (;;) {
      const seen = await this.load<T>(name);
      // There is no record.
      if (seen.version === 0 && seen.fence === 0) return;
      if (!(await mayGo(seen)) || (await this.forget(name, seen))) return;
    }
  }

  #key(name: string): string {
    return `${this.#account}/${name}`;
  }

  async #opened<T>(key: string, record: Timed<StoredRecord> | undefined): Promise<OpenedRecord<T>> {
    if (record === undefined) {
      const moment = { store: 0, local: performance.now() };
      return { version: 0, fence: 0, value: undefined, attempt: {}, leasedForMs: 0, moment };
    }
    const { version, fence, value, note, leasedForMs, now, askedAt } = record;
    return {
      version,
      fence,
      value: value === undefined ? undefined : parsed<T>(await this.#cipher.open(key, value)),
      attempt: note === undefined ? {} : parsed<ExchangeAttempt>(note),
      leasedForMs,
      moment: { store: now, local: askedAt },
    };
  }
}

function isBadAnswer(error: unknown): boolean {
  return isBerbixError(error) && (error as BerbixStoreError).reason === BAD_ANSWER;
}

/** Parses JSON. The message of JSON.parse would quote the text, so it is not passed on (I10). */
function parsed<T>(text: string): T {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Thrown below.
  }
  throw unknownForm();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
