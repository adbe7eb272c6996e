/** A snapshot of a record. */
export interface StoredRecord {
  /**
   * Grows by one with each commit and when the record is forgotten; 0 if it was never committed.
   */
  readonly version: number;
  /**
   * Grows by one with each lease and when the record is forgotten: it tells a lease from the next
   * one of the same version.
   */
  readonly leaseEpoch: number;
  /**
   * The value of the last commit, unchanged; undefined if there was none, or if it was forgotten.
   */
  readonly value: string | undefined;
  /** The note of the last lease or release since the last commit. */
  readonly note: string | undefined;
  /** Milliseconds until the lease expires; 0 if there is none. */
  readonly leasedForMs: number;
  /** The time of the read on the store's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** The exclusive right to work on a record for a while. */
export interface Lease {
  /** The lease epoch of the record from now on. */
  readonly leaseEpoch: number;
  /** The start of the lease on the store's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** The revision of a record that a change expects; both numbers are 0 if there is no record yet. */
export type RecordRevision = Pick<StoredRecord, 'version' | 'leaseEpoch'>;

/**
 * Where tokens are stored: records with a version for compare-and-swap, and a lease. This class is
 * also the injection token of the store in use.
 *
 * A commit names only the version: each commit ends the lease and changes the version, so a replica
 * that has lost its lease to one that committed cannot overwrite the result. Leases, releases and
 * `forget` also name the lease epoch. It tells the leases of one version apart: a replica whose
 * lease has expired cannot end the lease that another has taken meanwhile, nor replace its note.
 *
 * A store does not interpret or change values and notes. Each method is one atomic step. All times
 * come from the store's own clock, never from the caller's. A failure is a rejection, after which
 * the outcome of the step may be unknown. `tokenStoreContract` of `nestjs-berbix/testing` tests all
 * of this on your own store.
 */
export abstract class BerbixTokenStore {
  /** The name of the store for messages, such as "PostgreSQL". */
  abstract readonly description: string;

  /**
   * Whether all replicas of an application see the same records; if not, each process has its own.
   */
  abstract readonly shared: boolean;

  /** Whether a confirmed commit survives a crash of the store. */
  abstract readonly durable: boolean;

  /** The record; undefined if there is none. */
  abstract load(key: string): Promise<StoredRecord | undefined>;

  /**
   * Takes the lease and increments the lease epoch. Undefined if the record has changed since it
   * was read, or if another lease has not expired. Creates an empty record if there is none.
   *
   * @param ttlMs the duration of the lease in milliseconds
   * @param note replaces the previous note
   */
  abstract lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined>;

  /**
   * Sets the value if the record still has this version, regardless of any lease; ends the lease
   * and removes the note. Resolves to the new version, or to undefined if the record has another
   * one.
   *
   * @param version as it was read; 0 creates the record if there is none
   */
  abstract commit(key: string, version: number, value: string): Promise<number | undefined>;

  /**
   * Ends the lease and sets the note if the record still has this version and lease epoch, even if
   * the lease has expired. Resolves to whether it did.
   */
  abstract release(key: string, expected: RecordRevision, note: string): Promise<boolean>;

  /**
   * Removes value and note permanently and ends the lease, if the record still has this version and
   * lease epoch. Both grow by one and are kept for at least a day, so commits in flight fail.
   * Resolves to whether it did. Creates nothing if there is no record.
   */
  abstract forget(key: string, expected: RecordRevision): Promise<boolean>;

  /**
   * Replaces the value, and nothing else, if it is still the expected one. Resolves to whether it
   * did. Used to re-encrypt a value without changing its meaning.
   */
  abstract compareAndSwap(key: string, expected: string, value: string): Promise<boolean>;

  /**
   * A page of the keys that have a value and begin with the prefix, and the cursor of the next
   * page. A key may occur twice; a key that exists throughout is never left out.
   *
   * @param cursor from the previous call; undefined for the first page
   */
  abstract keys(
    prefix: string,
    cursor?: string,
  ): Promise<{ keys: string[]; cursor: string | undefined }>;

  /**
   * Optional; called when the application starts. Checks that the server is reachable and set up,
   * and that the client returns answers of the right types. Changes nothing.
   *
   * @throws (as a rejection) a `BerbixStoreError` that says what to do, which stops the boot. One
   * that is `retryable`, or a driver's error for a server that is down, is only a warning
   */
  check?(): Promise<void>;
}
