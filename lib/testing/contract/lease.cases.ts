import { deepEqual, equal, fail, notEqual, ok } from 'node:assert/strict';
import type { BerbixTokenStore, RecordRevision } from '../../token-store/index.js';
import { contractCase, LONG_MS, NOTHING, pause, SHORT_MS, stateOf } from './contract-case.js';

/** Leases and releases. */
export const LEASE_CASES = [
  contractCase('a lease creates an empty record', async (store, key, another) => {
    const lease = await store.lease(key, NOTHING, LONG_MS, 'note');
    equal(lease?.leaseEpoch, 1);
    deepEqual(await stateOf(another, key), {
      version: 0,
      leaseEpoch: 1,
      value: undefined,
      note: 'note',
      leased: true,
    });
  }),

  contractCase('a lease begins the next lease epoch and keeps the value', async (store, key) => {
    await store.commit(key, 0, 'value');
    for (const leaseEpoch of [0, 1, 2]) {
      const lease = await store.lease(
        key,
        { version: 1, leaseEpoch },
        LONG_MS,
        `note ${leaseEpoch}`,
      );
      equal(lease?.leaseEpoch, leaseEpoch + 1);
      deepEqual(await stateOf(store, key), {
        version: 1,
        leaseEpoch: leaseEpoch + 1,
        value: 'value',
        note: `note ${leaseEpoch}`,
        leased: true,
      });
      ok(await store.release(key, { version: 1, leaseEpoch: leaseEpoch + 1 }, ''));
    }
  }),

  contractCase('a lease excludes other leases', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, leaseEpoch: 0 }, LONG_MS, 'mine');
    const before = await stateOf(store, key);
    for (const leaseEpoch of [0, 1]) {
      equal(await another.lease(key, { version: 1, leaseEpoch }, LONG_MS, 'yours'), undefined);
    }
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a lease lasts as long as requested', async (store, key) => {
    const askedAt = performance.now();
    const lease = await store.lease(key, NOTHING, LONG_MS, '');
    const record = await store.load(key);
    // On a busy machine, a store may read its clock twice with a pause between, in either call.
    const tookMs = performance.now() - askedAt;
    ok(lease !== undefined && record !== undefined);
    const until = record.now + record.leasedForMs;
    ok(
      Math.abs(until - (lease.now + LONG_MS)) < 5 + tookMs,
      `it ends at ${until}, and began at ${lease.now}`,
    );
  }),

  contractCase('a lease expires by the clock of the store', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    const first = await store.lease(key, { version: 1, leaseEpoch: 0 }, SHORT_MS, 'first');
    const second = await leaseWhenFree(another, key, { version: 1, leaseEpoch: 1 });
    ok(first !== undefined);
    equal(second.leaseEpoch, 2);
    ok(second.now >= first.now + SHORT_MS - 2, `after ${second.now - first.now} ms`);
    equal((await store.load(key))?.note, 'taken over');
  }),

  contractCase('an expired lease does not count', async (store, key) => {
    await store.lease(key, NOTHING, 1, 'note');
    await ended(store, key);
    // Also some time after its end.
    await pause(5);
    deepEqual(await stateOf(store, key), {
      version: 0,
      leaseEpoch: 1,
      value: undefined,
      note: 'note',
      leased: false,
    });
    equal((await store.load(key))?.leasedForMs, 0);
  }),

  contractCase('a commit succeeds after the lease has expired', async (store, key, another) => {
    await store.lease(key, NOTHING, 1, 'note');
    await ended(another, key);
    equal(await store.commit(key, 0, 'late'), 1);
    equal((await another.load(key))?.value, 'late');
  }),

  contractCase('a release succeeds after the lease has expired', async (store, key, another) => {
    await store.lease(key, NOTHING, 1, 'note');
    await ended(another, key);
    equal(await store.release(key, { version: 0, leaseEpoch: 1 }, 'late'), true);
    equal((await another.load(key))?.note, 'late');
  }),

  contractCase('a record that changed since it was read is not leased', async (store, key) => {
    await store.commit(key, 0, 'value');
    const before = await stateOf(store, key);
    for (const expected of [
      NOTHING,
      { version: 1, leaseEpoch: 1 },
      { version: 2, leaseEpoch: 0 },
    ]) {
      equal(await store.lease(key, expected, LONG_MS, 'note'), undefined);
    }
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a removed record is not leased', async (store, key) => {
    equal(await store.lease(key, { version: 3, leaseEpoch: 5 }, LONG_MS, 'note'), undefined);
    equal(await store.lease(key, { version: 0, leaseEpoch: 1 }, LONG_MS, 'note'), undefined);
    equal(await store.load(key), undefined);
  }),

  contractCase('one of several concurrent leases succeeds', async (store, key, another) => {
    const expected = { ...NOTHING };
    for (const leaseEpoch of [1, 2]) {
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? store : another).lease(key, expected, LONG_MS, `note ${i}`),
        ),
      );
      deepEqual(
        leases.flatMap((lease) => lease?.leaseEpoch ?? []),
        [leaseEpoch],
      );
      equal(
        (await store.load(key))?.note,
        `note ${leases.findIndex((lease) => lease !== undefined)}`,
      );
      await store.commit(key, expected.version, 'value');
      Object.assign(expected, { version: leaseEpoch, leaseEpoch });
    }
  }),

  contractCase('a release ends the lease and sets the note', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, leaseEpoch: 0 }, LONG_MS, 'note');
    equal(await another.release(key, { version: 1, leaseEpoch: 1 }, 'what went wrong'), true);
    deepEqual(await stateOf(store, key), {
      version: 1,
      leaseEpoch: 1,
      value: 'value',
      note: 'what went wrong',
      leased: false,
    });
    ok(await another.lease(key, { version: 1, leaseEpoch: 1 }, LONG_MS, 'next'));
  }),

  contractCase('the release of a lost lease changes nothing', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, leaseEpoch: 0 }, SHORT_MS, 'first');
    await leaseWhenFree(another, key, { version: 1, leaseEpoch: 1 });
    const before = await stateOf(store, key);
    equal(await store.release(key, { version: 1, leaseEpoch: 1 }, 'late'), false);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a release after a commit changes nothing', async (store, key, another) => {
    await store.lease(key, NOTHING, LONG_MS, 'first');
    await another.commit(key, 0, 'value');
    const before = await stateOf(store, key);
    equal(await store.release(key, { version: 0, leaseEpoch: 1 }, 'late'), false);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('the store has one clock, which advances', async (store, key, another) => {
    const lease = await store.lease(key, NOTHING, LONG_MS, '');
    const first = await another.load(key);
    ok(lease !== undefined && first !== undefined);
    ok(Math.abs(first.now - lease.now) < 30_000, `${lease.now} and ${first.now}`);
    ok(first.now >= lease.now - 2, `${lease.now}, then ${first.now}`);
    let later = first;
    while (later.now < first.now + 2) {
      await pause(1);
      const record = await store.load(key);
      ok(record !== undefined);
      later = record;
    }
    notEqual(later.leasedForMs, first.leasedForMs);
    // Milliseconds since 1970. The clock need not be right: after 2020, and not in microseconds.
    ok(later.now > 1_577_836_800_000 && later.now < 1e14, String(later.now));
  }),
];

/** Waits until there is no lease. */
async function ended(store: BerbixTokenStore, key: string): Promise<void> {
  while (((await store.load(key))?.leasedForMs ?? 0) > 0) await pause(1);
}

/** Tries until the short lease of another replica has expired. */
async function leaseWhenFree(store: BerbixTokenStore, key: string, expected: RecordRevision) {
  const began = performance.now();
  while (performance.now() - began < 10_000) {
    const lease = await store.lease(key, expected, LONG_MS, 'taken over');
    if (lease !== undefined) return lease;
    await pause(5);
  }
  return fail(`a lease of ${SHORT_MS} ms has not expired`);
}
