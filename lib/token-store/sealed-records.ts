import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Pauses } from '../concurrency/index.js';
import { isBerbixError, logLine, type BerbixStoreError } from '../errors/index.js';
import type { RecordRevision, StoredRecord } from './berbix-token-store.js';
import type { CheckedStore, Timed } from './checked-store.js';
import { unknownForm, type RecordCipher } from './encryption/index.js';
import { BAD_ANSWER } from './store-answer.js';

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
  /** Tells a lease whose answer was lost from that of another replica. */
  leaseId?: string | undefined;
}

/** A decrypted record. */
export interface OpenedRecord<T> extends RecordRevision {
  /** Under which it was loaded. */
  readonly key: string;
  readonly value: T | undefined;
  /** Why there is a value that {@link SealedRecords.loadToRemove} could not read. */
  readonly unread?: BerbixStoreError | undefined;
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
  readonly leaseEpoch: number;
  readonly moment: StoreMoment;
}

/** What a commit does if the store fails, or the record has changed; by default it gives up. */
export interface CommitOptions<T> {
  /** Called after each failure: whether to try again. */
  readonly keepTrying?: (() => boolean) | undefined;
  /** Called if the record has changed or is gone: the value to set instead, if any. */
  readonly merge?: ((current: OpenedRecord<T>) => T | undefined) | undefined;
}

/** Milliseconds of a lease for one step, or only for reading the store's clock. */
export const SHORT_LEASE_MS = 1_000;

/** Milliseconds between two attempts to commit: the first pause, and the longest. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [25, 1_000];

/**
 * The records of one account: sealed JSON under keys that begin with the account. Every failure is
 * a {@link BerbixStoreError}.
 */
export class SealedRecords {
  readonly #logger = new Logger('BerbixTokenService');
  readonly #store: CheckedStore;
  readonly #cipher: RecordCipher;
  readonly #account: string;

  constructor(store: CheckedStore, cipher: RecordCipher, account: string) {
    this.#store = store;
    this.#cipher = cipher;
    this.#account = encodeURIComponent(account);
  }

  /** Whether the records are lost when this process ends. */
  get endWithProcess(): boolean {
    return !this.#store.shared && !this.#store.durable;
  }

  /**
   * The current record; an empty one if there is none.
   *
   * @param leaseMs see {@link CheckedStore.load}
   */
  async load<T>(name: string, leaseMs?: number): Promise<OpenedRecord<T>> {
    return this.#opened(name, await this.#store.load(this.#key(name), leaseMs));
  }

  /**
   * The same for a removal: a value that no repetition makes readable counts as none. Otherwise, it
   * would stay for ever.
   */
  async loadToRemove<T>(name: string): Promise<OpenedRecord<T>> {
    const record = await this.#store.load(this.#key(name));
    return this.#opened<T>(name, record).catch(async (unread: BerbixStoreError) => {
      if (record === undefined || unread.retryable) throw unread;
      const rest = await this.#opened<T>(name, { ...record, value: undefined, note: undefined });
      return { ...rest, unread };
    });
  }

  /**
   * Takes the lease of the record; undefined if it has changed since it was read, or is leased. If
   * the store fails, the lease may have been taken: otherwise it would keep everyone waiting.
   */
  async lease(
    name: string,
    expected: RecordRevision,
    ttlMs: number,
    note: ExchangeAttempt,
  ): Promise<RecordLease | undefined> {
    const key = this.#key(name);
    const text = JSON.stringify({ ...note, leaseId: randomUUID() });
    const calledAt = performance.now();
    try {
      const lease = await this.#store.lease(key, expected, ttlMs, text);
      if (lease === undefined) return undefined;
      return { leaseEpoch: lease.leaseEpoch, moment: { store: lease.now, local: lease.askedAt } };
    } catch (error) {
      if (isBadAnswer(error)) throw error;
      const record = await this.#store.load(key).catch(() => undefined);
      // Only the answer was lost if this very note is there.
      if (record?.note !== text || record.leasedForMs === 0) throw error;
      // The lease is older than this load, and no older than the call.
      return { leaseEpoch: record.leaseEpoch, moment: { store: record.now, local: calledAt } };
    }
  }

  /**
   * Sets the value if the record still has this version, and makes sure of the outcome: it retries
   * a call whose answer was lost. Resolves to whether the value was set.
   *
   * @param how what to do if the store fails, or the record has changed
   * @throws {BerbixStoreError} (as a rejection) if the outcome is unknown
   */
  async commit<T extends object>(
    name: string,
    version: number,
    value: T,
    { keepTrying, merge }: CommitOptions<T> = {},
  ): Promise<boolean> {
    const key = this.#key(name);
    let [expected, next]: [number, T | undefined] = [version, value];
    let sealed: string | undefined;
    const pauses = new Pauses(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    for (;;) {
      try {
        while (next !== undefined) {
          const text = (sealed ??= await this.#cipher.seal(key, JSON.stringify(next)));
          if ((await this.#store.commit(key, expected, text)) !== undefined) return true;
          const record = await this.#store.loadAfterCommit(key);
          // This commit itself changed the version: its answer was lost, here or in the driver.
          if (record?.value === sealed) return true;
          const current = await this.#opened<T>(name, record);
          next = merge?.(current);
          [expected, sealed] = [current.version, undefined];
        }
        return false;
      } catch (error) {
        // Retrying does not help against malformed answers, nor if `merge` throws.
        if (!isBerbixError(error) || isBadAnswer(error) || !keepTrying?.()) throw error;
        await pauses.next();
      }
    }
  }

  /**
   * Ends a lease and sets the note; resolves to false if the record has changed since the lease.
   */
  async release(name: string, expected: RecordRevision, note: ExchangeAttempt): Promise<boolean> {
    return this.#store.release(this.#key(name), expected, JSON.stringify(note));
  }

  /**
   * Removes the value permanently if the record has not changed since it was read; commits in
   * flight fail (I8). Resolves to false if it has changed. A removal whose answer
   * was lost counts: a repetition would find nothing to tell of.
   */
  async forget(
    name: string,
    expected: RecordRevision & Pick<OpenedRecord<unknown>, 'unread'>,
  ): Promise<boolean> {
    const key = this.#key(name);
    const isRemoved = await this.#store.forget(key, expected).catch(async (error: unknown) => {
      if (isBadAnswer(error)) throw error;
      const record = await this.#store.load(key).catch(() => undefined);
      // Only the answer was lost if this very version follows.
      if (record?.version === expected.version + 1 && record.value === undefined) return true;
      throw error;
    });
    if (isRemoved && expected.unread !== undefined) {
      const meaning = 'A record is removed unread; what it refers to stays in the store.';
      this.#logger.warn(logLine(meaning, expected.unread));
    }
    return isRemoved;
  }

  /**
   * Forgets a record without a value, even if it was forgotten before: a commit in flight that would
   * give it one fails (I8). A record with a value stays as it is.
   */
  async preclude(name: string): Promise<void> {
    for (;;) {
      const seen = await this.loadToRemove(name);
      if (seen.value !== undefined || seen.unread !== undefined) return;
      // Only a record that exists can be forgotten.
      if (seen.version === 0 && seen.leaseEpoch === 0) {
        await this.lease(name, seen, SHORT_LEASE_MS, {});
      } else if (await this.forget(name, seen)) return;
    }
  }

  /**
   * Removes the value permanently, even under another replica's lease.
   *
   * @param mayGo decides by the current record; called again if it changes meanwhile
   */
  async remove<T>(
    name: string,
    mayGo: (record: OpenedRecord<T>) => boolean | Promise<boolean> = () => true,
  ): Promise<void> {
    for (;;) {
      const record = await this.loadToRemove<T>(name);
      // There is no record.
      if (record.version === 0 && record.leaseEpoch === 0) return;
      if (!(await mayGo(record)) || (await this.forget(name, record))) return;
    }
  }

  #key(name: string): string {
    return `${this.#account}/${name}`;
  }

  async #opened<T>(key: string, record: Timed<StoredRecord> | undefined): Promise<OpenedRecord<T>> {
    if (record === undefined) return emptyRecord(key);
    const { version, leaseEpoch, value, note, leasedForMs, now, askedAt } = record;
    const text = value === undefined ? undefined : await this.#cipher.open(this.#key(key), value);
    return {
      key,
      version,
      leaseEpoch,
      value: text === undefined ? undefined : parsed<T>(text),
      attempt: note === undefined ? {} : parsed<ExchangeAttempt>(note),
      leasedForMs,
      moment: { store: now, local: askedAt },
    };
  }
}

function emptyRecord<T>(key: string): OpenedRecord<T> {
  const moment = { store: 0, local: performance.now() };
  return { key, version: 0, leaseEpoch: 0, value: undefined, attempt: {}, leasedForMs: 0, moment };
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
