import { SuspendAwareClock } from './suspend-aware-clock.js';
import {
  BerbixTokenStore,
  type Lease,
  type RecordRevision,
  type StoredRecord,
} from './berbix-token-store.js';

interface MemoryRecord {
  version: number;
  leaseEpoch: number;
  value: string | undefined;
  note: string | undefined;
  leaseUntil: number;
  /** When it was read, leased or committed last. */
  usedAt: number;
}

const DAY_MS = 86_400_000;

/**
 * Milliseconds after its last use during which a record may still be in use, and is not evicted.
 */
const IN_USE_MS = 60_000;

/**
 * Keeps tokens in the memory of this process: for development, tests and single processes. Nothing
 * is shared with other replicas, and nothing survives a restart.
 */
export class InMemoryTokenStore extends BerbixTokenStore {
  readonly description = 'the memory of this process';
  readonly shared = false;
  readonly durable = false;
  readonly #clock = new SuspendAwareClock();
  /** The most recently used are at the end. */
  readonly #records = new Map<string, MemoryRecord>();
  /** When records without a value were leased or forgotten; the oldest first. */
  readonly #emptied = new Map<string, number>();

  /**
   * @param maxRecords above this number, records that were not used for a minute are evicted, the
   * least recently used first; only for records that can be recreated
   * @param mustStay whether a record with this value must not be evicted; `valueOf` has the value of
   * another one
   */
  constructor(
    private readonly maxRecords = Infinity,
    private readonly mustStay: (
      value: string,
      valueOf: (key: string) => string | undefined,
    ) => boolean = () => false,
  ) {
    super();
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const record = this.#records.get(key);
    if (record === undefined) return undefined;
    this.#touch(key, record, performance.now());
    const { version, leaseEpoch, value, note, leaseUntil } = record;
    const leasedForMs = Math.max(0, leaseUntil - performance.now());
    return { version, leaseEpoch, value, note, leasedForMs, now: this.#clock.now() };
  }

  async lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    const now = performance.now();
    const record = this.#records.get(key) ?? empty();
    if (!hasRevision(record, expected) || record.leaseUntil > now) return undefined;
    record.leaseEpoch++;
    record.leaseUntil = now + ttlMs;
    record.note = note;
    this.#use(key, record, now);
    if (record.value === undefined) this.#removeInADay(key, now);
    return { leaseEpoch: record.leaseEpoch, now: this.#clock.now() };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const record = this.#records.get(key) ?? empty();
    if (record.version !== version) return undefined;
    record.version++;
    record.value = value;
    record.note = undefined;
    record.leaseUntil = 0;
    this.#use(key, record, performance.now());
    this.#emptied.delete(key);
    return record.version;
  }

  async release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    const record = this.#records.get(key);
    if (record === undefined || !hasRevision(record, expected)) return false;
    record.leaseUntil = 0;
    record.note = note;
    return true;
  }

  async forget(key: string, expected: RecordRevision): Promise<boolean> {
    const record = this.#records.get(key);
    if (record === undefined || !hasRevision(record, expected)) return false;
    const { version, leaseEpoch } = record;
    this.#records.set(key, { ...empty(), version: version + 1, leaseEpoch: leaseEpoch + 1 });
    this.#removeInADay(key, performance.now());
    return true;
  }

  async compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    const record = this.#records.get(key);
    if (record === undefined || record.value !== expected) return false;
    record.value = value;
    return true;
  }

  async keys(prefix: string): Promise<{ keys: string[]; cursor: undefined }> {
    const found = [...this.#records].filter(
      ([key, { value }]) => value !== undefined && key.startsWith(prefix),
    );
    return { keys: found.map(([key]) => key), cursor: undefined };
  }

  #touch(key: string, record: MemoryRecord, now: number): void {
    record.usedAt = now;
    this.#records.delete(key);
    this.#records.set(key, record);
  }

  #use(key: string, record: MemoryRecord, now: number): void {
    this.#touch(key, record, now);
    const valueOf = (other: string) => this.#records.get(other)?.value;
    for (const [other, seen] of this.#records) {
      const { usedAt, leaseUntil, value } = seen;
      if (this.#records.size <= this.maxRecords) return;
      if (usedAt > now - IN_USE_MS || leaseUntil > now) return;
      // Those that stay go to the end, or every write would look at them.
      if (value !== undefined && this.mustStay(value, valueOf)) this.#touch(other, seen, now);
      else this.#records.delete(other);
    }
  }

  /** Records that this record has no value, and removes those that have had none for a day. */
  #removeInADay(key: string, now: number): void {
    this.#emptied.delete(key);
    this.#emptied.set(key, now);
    for (const [old, since] of this.#emptied) {
      if (since > now - DAY_MS) break;
      this.#emptied.delete(old);
      this.#records.delete(old);
    }
  }
}

function empty(): MemoryRecord {
  return {
    version: 0,
    leaseEpoch: 0,
    value: undefined,
    note: undefined,
    leaseUntil: 0,
    usedAt: 0,
  };
}

function hasRevision(record: MemoryRecord, expected: RecordRevision): boolean {
  return record.version === expected.version && record.leaseEpoch === expected.leaseEpoch;
}
