import type { Lease, SeenRecord } from 'nestjs-berbix';
import { RowStore, turn, type Row } from './row.store.support.js';

/** A store with one mistake. */
type Mistake = new () => RowStore;

/** Mistakes in what a step compares and changes, each with cases that must fail. */
export const WRONG_STEPS: Record<string, [Mistake, ...cases: string[]]> = {
  'a lease that does not look who has it': [
    class extends RowStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        return this.leaseOf({ ...this.read(key), until: 0 }, key, seen, ttlMs, note);
      }
    },
    'nobody gets a lease that somebody has',
  ],
  'a lease that never ends': [
    class extends RowStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        return this.read(key).until > 0 ? undefined : super.lease(key, seen, ttlMs, note);
      }
    },
    'a lease ends by the clock of the store',
  ],
  'a lease that ends when it likes': [
    class extends RowStore {
      override async lease(key: string, seen: SeenRecord, _ttlMs: number, note: string) {
        return super.lease(key, seen, 500, note);
      }
    },
    'a lease says and keeps how long it lasts',
  ],
  'a lease that looks at the fence alone': [
    class extends RowStore {
      override has(row: Row, seen: SeenRecord) {
        return row.fence === seen.fence;
      }
    },
    'a record that changed since it was seen is not leased',
    'a release after a commit changes nothing',
  ],
  'a lease that looks at the version alone': [
    class extends RowStore {
      override has(row: Row, seen: SeenRecord) {
        return row.version === seen.version;
      }
    },
    'a record that changed since it was seen is not leased',
    'the release of a lease that was lost changes nothing',
  ],
  'a lease that loses its note': [
    class extends RowStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number) {
        return super.lease(key, seen, ttlMs, '');
      }
    },
    'a lease makes an empty record',
  ],
  'a lease by the clock of another': [
    class extends RowStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        const lease = await super.lease(key, seen, ttlMs, note);
        return lease && { ...lease, now: lease.now - 600_000 };
      }
    },
    'the store has one clock, which goes on',
  ],
  'a clock in seconds': [
    class extends RowStore {
      override async load(key: string) {
        const record = await super.load(key);
        return record && { ...record, now: record.now / 1_000 };
      }
    },
    'the store has one clock, which goes on',
  ],
  'a commit that does not compare': [
    class extends RowStore {
      override async commit(key: string, _version: number, value: string) {
        return super.commit(key, this.read(key).version, value);
      }
    },
    'a commit on another version changes nothing',
  ],
  'a commit that needs no record': [
    class extends RowStore {
      override async commit(key: string, version: number, value: string) {
        return super.commit(key, this.rows.has(key) ? version : 0, value);
      }
    },
    'there is nothing at first',
  ],
  'a commit only while the lease lasts': [
    class extends RowStore {
      override async commit(key: string, version: number, value: string) {
        const { until } = this.read(key);
        if (until > 0 && until <= this.now()) return undefined;
        return super.commit(key, version, value);
      }
    },
    'who was slow commits although the lease has ended',
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
  'a commit that begins with the fences anew': [
    class extends RowStore {
      override commitOn(row: Row, key: string, version: number, value: string) {
        return super.commitOn({ ...row, fence: 0 }, key, version, value);
      }
    },
    'a commit ends the lease and removes the note',
  ],
  'a release only while the lease lasts': [
    class extends RowStore {
      override async release(key: string, seen: SeenRecord, note: string) {
        return this.read(key).until > this.now() && super.release(key, seen, note);
      }
    },
    'who was slow releases although the lease has ended',
  ],
  'a release that counts as a lease': [
    class extends RowStore {
      override releaseOf(row: Row, key: string, seen: SeenRecord, note: string) {
        const released = super.releaseOf(row, key, seen, note);
        if (released) this.write(key, { ...this.read(key), fence: row.fence + 1 });
        return released;
      }
    },
    'a release ends the lease and leaves a note',
  ],
  'forgetting that forgets nothing': [
    class extends RowStore {
      override async forget() {
        return true;
      }
    },
    'what is forgotten is gone, except that it was there',
  ],
  'forgetting that makes a record': [
    class extends RowStore {
      override async forget(key: string, seen: SeenRecord) {
        await super.commit(key, 0, '');
        return super.forget(key, seen);
      }
    },
    'nothing is forgotten where there is nothing',
  ],
  'forgetting that leaves no trace': [
    class extends RowStore {
      override async forget(key: string, seen: SeenRecord) {
        return this.has(this.read(key), seen) && this.rows.delete(key);
      }
    },
    'a first exchange under way fails too',
  ],
  'forgetting without a fence': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, seen: SeenRecord) {
        const forgotten = super.forgetFrom(row, key, seen);
        if (forgotten) this.write(key, { ...this.read(key), fence: row.fence });
        return forgotten;
      }
    },
    'what is forgotten is gone, except that it was there',
  ],
  'forgetting without a version': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, seen: SeenRecord) {
        const forgotten = super.forgetFrom(row, key, seen);
        if (forgotten) this.write(key, { ...this.read(key), version: row.version });
        return forgotten;
      }
    },
    'a first exchange under way fails too',
  ],
  'forgetting that looks at the fence alone': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, { fence }: SeenRecord) {
        return super.forgetFrom(row, key, { version: row.version, fence });
      }
    },
    'a record that changed since it was seen is not forgotten',
    'what was kept anew is not forgotten by who saw it before',
  ],
  'forgetting that looks at the version alone': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string, { version }: SeenRecord) {
        return super.forgetFrom(row, key, { version, fence: row.fence });
      }
    },
    'a record that changed since it was seen is not forgotten',
  ],
  'forgetting, whatever was seen': [
    class extends RowStore {
      override forgetFrom(row: Row, key: string) {
        return super.forgetFrom(row, key, row);
      }
    },
    'a record that changed since it was seen is not forgotten',
    'what was kept anew is not forgotten by who saw it before',
  ],
  'forgetting that says it did': [
    class extends RowStore {
      override async forget(key: string, seen: SeenRecord) {
        await super.forget(key, seen);
        return true;
      }
    },
    'nothing is forgotten where there is nothing',
    'a record that changed since it was seen is not forgotten',
  ],
  'a swap that does not compare': [
    class extends RowStore {
      override async swap(key: string, _expected: string, value: string) {
        return super.swap(key, this.read(key).value ?? '', value);
      }
    },
    'a value is swapped if it is the expected one',
  ],
  'a swap that counts as a commit': [
    class extends RowStore {
      override async swap(key: string, expected: string, value: string) {
        const { version, value: now } = this.read(key);
        return now === expected && this.commitOn(this.read(key), key, version, value) !== undefined;
      }
    },
    'a value is swapped if it is the expected one',
  ],
};

/** Steps that are not atomic: they read, wait, and then write, over what was written meanwhile. */
export const STEPS_IN_PARTS: Record<string, [Mistake, ...cases: string[]]> = {
  'a lease that reads first and is taken later': [
    class extends RowStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        const row = this.read(key);
        await turn();
        return this.leaseOf(row, key, seen, ttlMs, note);
      }
    },
    'of leases at once, one is given',
    'a lease at the same time undoes no commit',
  ],
  'a lease that excludes other leases and no commit': [
    class extends RowStore {
      readonly #before = new Map<string, Promise<unknown>>();

      override lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        const before = Promise.resolve(this.#before.get(key));
        const lease = before.then(async (): Promise<Lease | undefined> => {
          const row = this.read(key);
          await turn();
          return this.leaseOf(row, key, seen, ttlMs, note);
        });
        this.#before.set(key, lease);
        return lease;
      }
    },
    'a lease at the same time undoes no commit',
  ],
  'a commit that reads first and writes later': [
    class extends RowStore {
      override async commit(key: string, version: number, value: string) {
        const row = this.read(key);
        await turn();
        return this.commitOn(row, key, version, value);
      }
    },
    'of commits at once on one version, one is done',
  ],
  'a release that writes back what it read': [
    class extends RowStore {
      override async release(key: string, seen: SeenRecord, note: string) {
        const row = this.read(key);
        await turn();
        return this.releaseOf(row, key, seen, note);
      }
    },
    'a release at the same time undoes no commit',
  ],
  'forgetting what it read': [
    class extends RowStore {
      override async forget(key: string, seen: SeenRecord) {
        const row = this.read(key);
        await turn();
        return this.forgetFrom(row, key, seen);
      }
    },
    'of forgetting and a commit at the same time, one is done',
    'of forgetting and a lease at the same time, one is done',
  ],
  'a swap that writes back what it read': [
    class extends RowStore {
      override async swap(key: string, expected: string, value: string) {
        const row = this.read(key);
        await turn();
        if (row.value !== expected) return false;
        this.write(key, { ...row, value });
        return true;
      }
    },
    'a swap at the same time undoes no commit',
  ],
  'a swap that compares first and writes later': [
    class extends RowStore {
      override async swap(key: string, expected: string, value: string) {
        if (this.read(key).value !== expected) return false;
        await turn();
        this.write(key, { ...this.read(key), value });
        return true;
      }
    },
    'a swap at the same time undoes no commit',
  ],
};
