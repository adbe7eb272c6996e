import { BerbixTokenStore, type Lease, type SeenRecord, type StoredRecord } from 'nestjs-berbix';

/** All that is kept of one record. */
export interface Row {
  version: number;
  fence: number;
  value?: string | undefined;
  note?: string | undefined;
  until: number;
}

/** A turn in which others work. */
export const turn = (): Promise<void> => new Promise(setImmediate);

/**
 * A store as somebody may write it, which keeps the contract. What is derived from it can make any
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

  /** The row as it is now; one with nothing in it where there is none. */
  read(key: string): Row {
    return { ...(this.rows.get(key) ?? { version: 0, fence: 0, until: 0 }) };
  }

  write(key: string, row: Row): void {
    this.rows.set(key, row);
  }

  has(row: Row, seen: SeenRecord): boolean {
    return row.version === seen.version && row.fence === seen.fence;
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    if (!this.rows.has(key)) return undefined;
    const { version, fence, value, note, until } = this.read(key);
    const now = this.now();
    return { version, fence, value, note, leasedForMs: Math.max(0, until - now), now };
  }

  async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
    return this.leaseOf(this.read(key), key, seen, ttlMs, note);
  }

  /** Gives the lease on a row as it was read, now or before. */
  leaseOf(row: Row, key: string, seen: SeenRecord, ttlMs: number, note: string): Lease | undefined {
    const now = this.now();
    if (!this.has(row, seen) || row.until > now) return undefined;
    this.write(key, { ...row, fence: row.fence + 1, until: now + ttlMs, note });
    return { fence: row.fence + 1, now };
  }

  async commit(key: string, version: number, value: string) {
    return this.commitOn(this.read(key), key, version, value);
  }

  commitOn(row: Row, key: string, version: number, value: string): number | undefined {
    if (row.version !== version) return undefined;
    this.write(key, { version: version + 1, fence: row.fence, value, until: 0 });
    return version + 1;
  }

  async release(key: string, seen: SeenRecord, note: string): Promise<boolean> {
    return this.releaseOf(this.read(key), key, seen, note);
  }

  releaseOf(row: Row, key: string, seen: SeenRecord, note: string): boolean {
    if (!this.rows.has(key) || !this.has(row, seen)) return false;
    this.write(key, { ...row, until: 0, note });
    return true;
  }

  async forget(key: string, seen: SeenRecord): Promise<boolean> {
    return this.forgetFrom(this.read(key), key, seen);
  }

  forgetFrom(row: Row, key: string, seen: SeenRecord): boolean {
    if (!this.rows.has(key) || !this.has(row, seen)) return false;
    this.write(key, { version: row.version + 1, fence: row.fence + 1, until: 0 });
    return true;
  }

  async swap(key: string, expected: string, value: string): Promise<boolean> {
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
