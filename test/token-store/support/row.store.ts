import { BerbixTokenStore } from 'nestjs-berbix';
import type { Lease, RecordRevision, StoredRecord } from 'nestjs-berbix/token-store';

/** One record as it is stored. */
export interface Row {
  version: number;
  leaseEpoch: number;
  value?: string | undefined;
  note?: string | undefined;
  until: number;
}

/** Lets others run. */
export const turn = (): Promise<void> => new Promise(setImmediate);

/**
 * A store like one that a user may write, which keeps the contract. Subclasses can make any
 * mistake with its rows.
 */
export class RowStore extends BerbixTokenStore {
  readonly description: string = 'rows';
  readonly shared = true;
  readonly durable = false;
  readonly rows = new Map<string, Row>();

  now(): number {
    return performance.timeOrigin + performance.now();
  }

  /** The current row, or an empty one if there is none. */
  read(key: string): Row {
    return { ...(this.rows.get(key) ?? { version: 0, leaseEpoch: 0, until: 0 }) };
  }

  write(key: string, row: Row): void {
    this.rows.set(key, row);
  }

  has(row: Row, expected: RecordRevision): boolean {
    return row.version === expected.version && row.leaseEpoch === expected.leaseEpoch;
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    if (!this.rows.has(key)) return undefined;
    const { version, leaseEpoch, value, note, until } = this.read(key);
    const now = this.now();
    return { version, leaseEpoch, value, note, leasedForMs: Math.max(0, until - now), now };
  }

  async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
    return this.leaseOf(this.read(key), key, expected, ttlMs, note);
  }

  /** Grants the lease on a row that was read now or earlier. */
  leaseOf(
    row: Row,
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Lease | undefined {
    const now = this.now();
    if (!this.has(row, expected) || row.until > now) return undefined;
    this.write(key, { ...row, leaseEpoch: row.leaseEpoch + 1, until: now + ttlMs, note });
    return { leaseEpoch: row.leaseEpoch + 1, now };
  }

  async commit(key: string, version: number, value: string) {
    return this.commitOn(this.read(key), key, version, value);
  }

  commitOn(row: Row, key: string, version: number, value: string): number | undefined {
    if (row.version !== version) return undefined;
    this.write(key, { version: version + 1, leaseEpoch: row.leaseEpoch, value, until: 0 });
    return version + 1;
  }

  async release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    return this.releaseOf(this.read(key), key, expected, note);
  }

  releaseOf(row: Row, key: string, expected: RecordRevision, note: string): boolean {
    if (!this.rows.has(key) || !this.has(row, expected)) return false;
    this.write(key, { ...row, until: 0, note });
    return true;
  }

  async forget(key: string, expected: RecordRevision): Promise<boolean> {
    return this.forgetFrom(this.read(key), key, expected);
  }

  forgetFrom(row: Row, key: string, expected: RecordRevision): boolean {
    if (!this.rows.has(key) || !this.has(row, expected)) return false;
    this.write(key, { version: row.version + 1, leaseEpoch: row.leaseEpoch + 1, until: 0 });
    return true;
  }

  async compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    const row = this.read(key);
    if (row.value !== expected) return false;
    this.write(key, { ...row, value });
    return true;
  }

  async keys(
    prefix: string,
    _cursor?: string,
  ): Promise<{ keys: string[]; cursor: string | undefined }> {
    const found = [...this.rows].filter(
      ([key, { value }]) => value !== undefined && key.startsWith(prefix),
    );
    return { keys: found.map(([key]) => key), cursor: undefined };
  }
}
