/** A record as the store has it, read at one moment. */
export interface StoredRecord {
  /** Grows by one with each commit and when the record is forgotten; 0 for one that was never committed. */
  readonly version: number;
  /** Grows by one with each lease and when the record is forgotten. */
  readonly fence: number;
  /** What was committed last, as it was given; undefined when nothing was, or when it was forgotten. */
  readonly value: string | undefined;
  /** What the holder of a lease noted since the last commit. */
  readonly note: string | undefined;
  /** Milliseconds until the lease ends; 0 when there is none. */
  readonly leasedForMs: number;
  /** The store's clock when this was read, in milliseconds since 1970. */
  readonly now: number;
}

/** The right to work on a record for a while. */
export interface Lease {
  readonly fence: number;
  /** The store's clock when the lease began, in milliseconds since 1970. */
  readonly now: number;
}

/** Which state of a record a change expects to find; version and fence 0 where there is none yet. */
export type SeenRecord = Pick<StoredRecord, 'version' | 'fence'>;

/**
 * Where tokens are kept: records with a version to compare and set, a lease, and a fence. Also the
 * injection token of the store in use.
 *
 * A store keeps values and notes as they are given and understands nothing of them; each method is
 * one atomic step; every time is taken from the store's own clock, never from the caller's. A failure is a
 * rejection: whether the step was done may be unknown then. `tokenStoreContract` of
 * `nestjs-berbix/testing` tests all of this on a store of yours.
 */
export abstract class BerbixTokenStore {
  /** What this is, for people: "PostgreSQL", say. */
  abstract readonly description: string;

  /** Whether all replicas of an application see the same records; one process alone does if not. */
  abstract readonly shared: boolean;

  /** Whether a commit that was confirmed outlives a crash of the store. */
  abstract readonly durable: boolean;

  /** The record; undefined when there is none. */
  abstract load(key: string): Promise<StoredRecord | undefined>;

  /**
   * Takes the lease, with one fence more, unless the record changed since it was seen or somebody
   * else's lease has not ended; undefined then. Makes an empty record where there is none.
   *
   * @param ttlMs how long the lease lasts, in milliseconds
   * @param note kept from now on, in place of the one before
   */
  abstract lease(
    key: string,
    seen: SeenRecord,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined>;

  /**
   * Sets the value if the record still has this version, whoever has the lease and whether or not it
   * has ended; ends the lease and removes the note. Resolves to the new version, or to undefined when
   * the record has another one.
   *
   * @param version as it was seen; 0 makes the record if there is none
   */
  abstract commit(key: string, version: number, value: string): Promise<number | undefined>;

  /**
   * Ends the lease and leaves a note, if the record still has this version and this fence, also
   * after the lease has ended by itself. Resolves to whether it had.
   */
  abstract release(key: string, seen: SeenRecord, note: string): Promise<boolean>;

  /**
   * Removes value and note for good and ends the lease, if the record still has this version and this
   * fence. What is under way fails to commit: version and fence grow by one and are kept for a day
   * at least. Resolves to whether it had; nothing is made where there is no record.
   */
  abstract forget(key: string, seen: SeenRecord): Promise<boolean>;

  /**
   * Puts another text in place of the value, and changes nothing else, if the value is still the one
   * that is expected. Resolves to whether it was. For values that mean the same, encrypted anew.
   */
  abstract swap(key: string, expected: string, value: string): Promise<boolean>;

  /**
   * Some keys that have a value and begin with the prefix, and where to go on; a key may come twice,
   * none that was there all the time is left out.
   *
   * @param cursor from the call before; undefined to begin
   */
  abstract keys(
    prefix: string,
    cursor?: string,
  ): Promise<{ keys: string[]; cursor: string | undefined }>;

  /**
   * Called when the application starts, for those that can tell: whether the server can be reached,
   * all is set up, and its client gives answers of the right kind. Changes nothing.
   *
   * @throws (as a rejection) a `BerbixStoreError` with a sentence that says what to do, which stops the
   * boot; one that is `retryable`, or the error of a driver that says the server is down, is a
   * warning
   */
  check?(): Promise<void>;
}
