import type { Lease, RecordRevision } from 'nestjs-berbix/token-store';
import { RowStore, turn, type Row } from './row.store.js';

/** A store with one mistake. */
type Mistake = new () => RowStore;

/** Mistakes in what a step compares and changes, each with cases that must fail. */
export const WRONG_STEPS: Record<string, [Mistake, ...cases: string[]]> = {
  'a lease that ignores other leases': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        return this.leaseOf({ ...this.read(key), until: 0 }, key, expected, ttlMs, note);
      }
    },
    'a lease excludes other leases',
  ],
  'a lease that never ends': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        return this.read(key).until > 0 ? undefined : super.lease(key, expected, ttlMs, note);
      }
    },
    'a lease expires by the clock of the store',
  ],
  'an expired lease that counts down below zero': [
    class extends RowStore {
      override async load(key: string) {
        const record = await super.load(key);
        const { until } = this.read(key);
        return record && { ...record, leasedForMs: until === 0 ? 0 : until - record.now };
      }
    },
    'an expired lease does not count',
  ],
  'a lease of another duration': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, _ttlMs: number, note: string) {
        return super.lease(key, expected, 500, note);
      }
    },
    'a lease lasts as long as requested',
  ],
  'a lease that compares only the lease epoch': [
    class extends RowStore {
      override has(row: Row, expected: RecordRevision) {
        return row.leaseEpoch === expected.leaseEpoch;
      }
    },
    'a record that changed since it was read is not leased',
    'a release after a commit changes nothing',
  ],
  'a lease that compares only the version': [
    class extends RowStore {
      override has(row: Row, expected: RecordRevision) {
        return row.version === expected.version;
      }
    },
    'a record that changed since it was read is not leased',
    'the release of a lost lease changes nothing',
  ],
  'a lease that loses its note': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number) {
        return super.lease(key, expected, ttlMs, '');
      }
    },
    'a lease creates an empty record',
  ],
  'a refused lease that leaves its note': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        const lease = await super.lease(key, expected, ttlMs, note);
        if (!lease && this.rows.has(key)) this.write(key, { ...this.read(key), note });
        return lease;
      }
    },
    'a lease excludes other leases',
    'a record that changed since it was read is not leased',
  ],
  'a refused lease that creates a record': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        const lease = await super.lease(key, expected, ttlMs, note);
        if (!lease) this.write(key, this.read(key));
        return lease;
      }
    },
    'a removed record is not leased',
  ],
  'a lease by another clock': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        const lease = await super.lease(key, expected, ttlMs, note);
        return lease && { ...lease, now: lease.now - 600_000 };
      }
    },
    'the store has one clock, which advances',
  ],
  'a clock in seconds': [
    class extends RowStore {
      override async load(key: string) {
        const record = await super.load(key);
        return record && { ...record, now: record.now / 1_000 };
      }
    },
    'the store has one clock, which advances',
  ],
  'a commit that does not compare': [
    class extends RowStore {
      override async commit(key: string, _version: number, value: string) {
        return super.commit(key, this.read(key).version, value);
      }
    },
    'a commit with another version changes nothing',
  ],
  'a commit that needs no record': [
    class extends RowStore {
      override async commit(key: string, version: number, value: string) {
        return super.commit(key, this.rows.has(key) ? version : 0, value);
      }
    },
    'a new store has no record',
  ],
  'a commit that fails after the lease has expired': [
    class extends RowStore {
      override async commit(key: string, version: number, value: string) {
        const { until } = this.read(key);
        if (until > 0 && until <= this.now()) return undefined;
        return super.commit(key, version, value);
      }
    },
    'a commit succeeds after the lease has expired',
  ],
  'a commit that leaves the lease': [
    class extends RowStore {
      override commitOn(row: Row, key: string, version: number, value: string) {
        const committed = super.commitOn(row, key, version, value);
        if (committed) this.write(key, { ...this.read(key), until: row.until });
        return committed;
      }
    },
    'a commit ends the lease and removes the note',
  ],
  'a commit that sets the lease epoch back to 0': [
    class extends RowStore {
      override commitOn(row: Row, key: string, version: number, value: string) {
        return super.commitOn({ ...row, leaseEpoch: 0 }, key, version, value);
      }
    },
    'a commit ends the lease and removes the note',
  ],
  'a release that fails after the lease has expired': [
    class extends RowStore {
      override async release(key: string, expected: RecordRevision, note: string) {
        return this.read(key).until > this.now() && super.release(key, expected, note);
      }
    },
    'a release succeeds after the lease has expired',
  ],
  'a release that leaves the note of the lease': [
    class extends RowStore {
      override releaseOf(row: Row, key: string, expected: RecordRevision, note: string) {
        return super.releaseOf(row, key, expected, row.note ?? note);
      }
    },
    'a release ends the lease and sets the note',
  ],
  'a release that counts as a lease': [
    class extends RowStore {
      override releaseOf(row: Row, key: string, expected: RecordRevision, note: string) {
        const released = super.releaseOf(row, key, expected, note);
        if (released) this.write(key, { ...this.read(key), leaseEpoch: row.leaseEpoch + 1 });
        return released;
      }
    },
    'a release ends the lease and sets the note',
  ],
  'forgetting that forgets nothing': [
    class extends RowStore {
      override async forget() {
        return true;
      }
    },
    'forgetting removes the value and keeps an empty record',
  ],
  'forgetting that creates a record': [
    class extends RowStore {
      override async forget(key: string, expected: RecordRevision) {
        await super.commit(key, 0, '');
        return super.forget(key, expected);
      }
    },
    'forgetting needs a record',
  ],
  'forgetting that leaves no trace': [
    class extends RowStore {
      override async forget(key: string, expected: RecordRevision) {
        return this.has(this.read(key), expected) && this.rows.delete(key);
      }
    },
    'a first commit in flight fails after forgetting',
  ],
  'forgetting that keeps the lease epoch': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, expected: RecordRevision) {
        const forgotten = super.forgetFrom(row, key, expected);
        if (forgotten) this.write(key, { ...this.read(key), leaseEpoch: row.leaseEpoch });
        return forgotten;
      }
    },
    'forgetting removes the value and keeps an empty record',
  ],
  'forgetting without a version': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, expected: RecordRevision) {
        const forgotten = super.forgetFrom(row, key, expected);
        if (forgotten) this.write(key, { ...this.read(key), version: row.version });
        return forgotten;
      }
    },
    'a first commit in flight fails after forgetting',
  ],
  'forgetting that compares only the lease epoch': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, { leaseEpoch }: RecordRevision) {
        return super.forgetFrom(row, key, { version: row.version, leaseEpoch });
      }
    },
    'a record that changed since it was read is not forgotten',
    'a new value is not forgotten with an old revision',
  ],
  'forgetting that compares only the version': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, { version }: RecordRevision) {
        return super.forgetFrom(row, key, { version, leaseEpoch: row.leaseEpoch });
      }
    },
    'a record that changed since it was read is not forgotten',
  ],
  'forgetting, whatever revision is expected': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string) {
        return super.forgetFrom(row, key, row);
      }
    },
    'a record that changed since it was read is not forgotten',
    'a new value is not forgotten with an old revision',
  ],
  'forgetting that always reports success': [
    class extends RowStore {
      override async forget(key: string, expected: RecordRevision) {
        await super.forget(key, expected);
        return true;
      }
    },
    'forgetting needs a record',
    'a record that changed since it was read is not forgotten',
  ],
  'a compare-and-swap that does not compare': [
    class extends RowStore {
      override async compareAndSwap(key: string, _expected: string, value: string) {
        return super.compareAndSwap(key, this.read(key).value ?? '', value);
      }
    },
    'compare-and-swap replaces only the expected value',
  ],
  'a compare-and-swap that takes no value for an empty one': [
    class extends RowStore {
      override async compareAndSwap(key: string, expected: string, value: string) {
        const row = this.read(key);
        if (!this.rows.has(key) || (row.value ?? '') !== expected) return false;
        this.write(key, { ...row, value });
        return true;
      }
    },
    'compare-and-swap needs a value',
  ],
  'a compare-and-swap that counts as a commit': [
    class extends RowStore {
      override async compareAndSwap(key: string, expected: string, value: string) {
        const { version, value: now } = this.read(key);
        return now === expected && this.commitOn(this.read(key), key, version, value) !== undefined;
      }
    },
    'compare-and-swap replaces only the expected value',
  ],
};

/** Steps that are not atomic: they read, wait, and then overwrite what was written meanwhile. */
export const STEPS_IN_PARTS: Record<string, [Mistake, ...cases: string[]]> = {
  'a lease that reads first and is taken later': [
    class extends RowStore {
      override async lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        const row = this.read(key);
        await turn();
        return this.leaseOf(row, key, expected, ttlMs, note);
      }
    },
    'one of several concurrent leases succeeds',
    'a concurrent lease undoes no commit',
  ],
  'a lease that excludes other leases but no commit': [
    class extends RowStore {
      readonly #before = new Map<string, Promise<unknown>>();

      override lease(key: string, expected: RecordRevision, ttlMs: number, note: string) {
        const before = Promise.resolve(this.#before.get(key));
        const lease = before.then(async (): Promise<Lease | undefined> => {
          const row = this.read(key);
          await turn();
          return this.leaseOf(row, key, expected, ttlMs, note);
        });
        this.#before.set(key, lease);
        return lease;
      }
    },
    'a concurrent lease undoes no commit',
  ],
  'a commit that reads first and writes later': [
    class extends RowStore {
      override async commit(key: string, version: number, value: string) {
        const row = this.read(key);
        await turn();
        return this.commitOn(row, key, version, value);
      }
    },
    'one of several concurrent commits succeeds',
  ],
  'a release that writes back what it read': [
    class extends RowStore {
      override async release(key: string, expected: RecordRevision, note: string) {
        const row = this.read(key);
        await turn();
        return this.releaseOf(row, key, expected, note);
      }
    },
    'a concurrent release undoes no commit',
  ],
  'forgetting what it read': [
    class extends RowStore {
      override async forget(key: string, expected: RecordRevision) {
        const row = this.read(key);
        await turn();
        return this.forgetFrom(row, key, expected);
      }
    },
    'either forgetting or a concurrent commit succeeds',
    'either forgetting or a concurrent lease succeeds',
  ],
  'a compare-and-swap that writes back what it read': [
    class extends RowStore {
      override async compareAndSwap(key: string, expected: string, value: string) {
        const row = this.read(key);
        await turn();
        if (row.value !== expected) return false;
        this.write(key, { ...row, value });
        return true;
      }
    },
    'a concurrent compare-and-swap undoes no commit',
  ],
  'a compare-and-swap that compares first and writes later': [
    class extends RowStore {
      override async compareAndSwap(key: string, expected: string, value: string) {
        if (this.read(key).value !== expected) return false;
        await turn();
        this.write(key, { ...this.read(key), value });
        return true;
      }
    },
    'a concurrent compare-and-swap undoes no commit',
  ],
};
