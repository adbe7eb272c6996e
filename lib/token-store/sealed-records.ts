import { isBerbixError, type BerbixStoreError } from '../errors/index.js';
import type { SeenRecord, StoredRecord } from './berbix-token-store.js';
import type { CheckedStore, Timed } from './checked-store.js';
import { unknownForm } from './encryption/index.js';
import { BAD_ANSWER } from './store-answer.js';

/** Makes texts unreadable and readable again; bound to the key of the record that they belong to. */
export interface RecordCipher {
  seal(key: string, text: string): Promise<string>;
  open(key: string, sealed: string): Promise<string>;
}

/** What a lease holder keeps beside the value; times are those of the store, in milliseconds. */
export interface ExchangeAttempt {
  /** When something was begun whose end nobody has noted. */
  startedAt?: number | undefined;
  /** Whether the holder of a lease has not noted yet how its attempt ended. */
  isUnreported?: true | undefined;
  /** How many of the refresh tokens of the record, from the first, the API does not know. */
  unknown?: number | undefined;
  /** How often it failed in a row. */
  failures?: number | undefined;
  /** Not to be tried again before. */
  notBefore?: number | undefined;
  /** The code of the error that no repetition mends. */
  dead?: string | undefined;
}

/** A record, opened. */
export interface OpenedRecord<T> extends SeenRecord {
  readonly value: T | undefined;
  readonly note: ExchangeAttempt;
  readonly leasedForMs: number;
  readonly moment: StoreMoment;
}

/** A moment on the store's clock beside one of this process; the latter is never the later of the two. */
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
 * The records of one account: a store whose values are JSON, sealed, under keys that begin with the
 * account. Every failure is a {@link BerbixStoreError}.
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

  /** The record as it is now; an empty one where there is none. */
  async load<T>(name: string): Promise<OpenedRecord<T>> {
    const key = this.#key(name);
    return this.#opened(key, await this.#store.load(key));
  }

  /** Takes the lease of the record as it was seen; undefined when it has changed or is leased. */
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
   * Sets the value if the record still has the version, and makes sure of the outcome: a call whose
   * answer was lost is made again. Resolves to whether the value is there.
   *
   * @param keepTrying asked after each failure
   * @param merge asked where somebody else has changed the record, or where it is not there any more:
   * what to set in place of that, or undefined to leave it
   * @throws {BerbixStoreError} (as a rejection) when the outcome stayed unknown
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
          // It was this commit that changed the version: its answer was lost, here or in the driver.
          if (record?.value === sealed) return true;
          const current = await this.#opened<T>(key, record);
          next = merge(current);
          [expected, sealed] = [current.version, undefined];
        }
        return false;
      } catch (error) {
        // A malformed answer does not get better by asking again.
        if (isBadAnswer(error) || !keepTrying()) throw error;
        await sleep(wait * (0.5 + Math.random() / 2));
      }
    }
  }

  /** Ends a lease and leaves a note; resolves to whether the record was still as the lease left it. */
  async release(name: string, seen: SeenRecord, note: ExchangeAttempt): Promise<boolean> {
    return this.#store.release(this.#key(name), seen, JSON.stringify(note));
  }

  /**
   * Removes the value for good if the record is still as it was seen: what is under way fails to
   * commit. Resolves to whether it was.
   */
  async forget(name: string, seen: SeenRecord): Promise<boolean> {
    return this.#store.forget(this.#key(name), seen);
  }

  /**
   * Removes the value for good, even under another replica's lease.
   *
   * @param mayGo asked of the record as it is at that moment
   */
  async remove<T>(
    name: string,
    mayGo: (seen: OpenedRecord<T>) => boolean | Promise<boolean> = () => true,
  ): Promise<void> {
    for (;;) {
      const seen = await this.load<T>(name);
      // It has neither where there is no record.
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
      return { version: 0, fence: 0, value: undefined, note: {}, leasedForMs: 0, moment };
    }
    const { version, fence, value, note, leasedForMs, now, askedAt } = record;
    return {
      version,
      fence,
      value: value === undefined ? undefined : parsed<T>(await this.#cipher.open(key, value)),
      note: note === undefined ? {} : parsed<ExchangeAttempt>(note),
      leasedForMs,
      moment: { store: now, local: askedAt },
    };
  }
}

function isBadAnswer(error: unknown): boolean {
  return isBerbixError(error) && (error as BerbixStoreError).reason === BAD_ANSWER;
}

/** Without the words of JSON.parse, which quote what they are about. */
function parsed<T>(text: string): T {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  throw unknownForm();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
