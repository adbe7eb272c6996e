import { deepEqual, equal, fail, notEqual, ok } from 'node:assert/strict';
import type { BerbixTokenStore, SeenRecord } from '../../token-store/index.js';
import { contractCase, LONG_MS, NOTHING, pause, SHORT_MS, stateOf } from './contract-case.js';

/** Who may work on a record, and until when. */
export const LEASE_CASES = [
  contractCase('a lease makes an empty record', async (store, key, another) => {
    const lease = await store.lease(key, NOTHING, LONG_MS, 'note');
    equal(lease?.fence, 1);
    deepEqual(await stateOf(another, key), {
      version: 0,
      fence: 1,
      value: undefined,
      note: 'note',
      leased: true,
    });
  }),

  contractCase('a lease counts one fence more and keeps the value', async (store, key) => {
    await store.commit(key, 0, 'value');
    for (const fence of [0, 1, 2]) {
      const lease = await store.lease(key, { version: 1, fence }, LONG_MS, `note ${fence}`);
      equal(lease?.fence, fence + 1);
      deepEqual(await stateOf(store, key), {
        version: 1,
        fence: fence + 1,
        value: 'value',
        note: `note ${fence}`,
        leased: true,
      });
      ok(await store.release(key, { version: 1, fence: fence + 1 }, ''));
    }
  }),

  contractCase('nobody gets a lease that somebody has', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, fence: 0 }, LONG_MS, 'mine');
    const before = await stateOf(store, key);
    for (const fence of [0, 1]) {
      equal(await another.lease(key, { version: 1, fence }, LONG_MS, 'yours'), undefined);
    }
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a lease says and keeps how long it lasts', async (store, key) => {
    const lease = await store.lease(key, NOTHING, LONG_MS, '');
    const record = await store.load(key);
    ok(lease !== undefined && record !== undefined);
    const until = record.now + record.leasedForMs;
    ok(
      Math.abs(until - (lease.now + LONG_MS)) < 5,
      `it ends at ${until}, and began at ${lease.now}`,
    );
  }),

  contractCase('a lease ends by the clock of the store', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    const first = await store.lease(key, { version: 1, fence: 0 }, SHORT_MS, 'first');
    const second = await leaseWhenFree(another, key, { version: 1, fence: 1 });
    ok(first !== undefined);
    equal(second.fence, 2);
    ok(second.now >= first.now + SHORT_MS - 2, `after ${second.now - first.now} ms`);
    equal((await store.load(key))?.note, 'taken over');
  }),

  contractCase('a lease that has ended is none', async (store, key) => {
    await store.lease(key, NOTHING, 1, 'note');
    await ended(store, key);
    // Also later than at its very end.
    await pause(5);
    deepEqual(await stateOf(store, key), {
      version: 0,
      fence: 1,
      value: undefined,
      note: 'note',
      leased: false,
    });
    equal((await store.load(key))?.leasedForMs, 0);
  }),

  contractCase('who was slow commits although the lease has ended', async (store, key, another) => {
    await store.lease(key, NOTHING, 1, 'note');
    await ended(another, key);
    equal(await store.commit(key, 0, 'late'), 1);
    equal((await another.load(key))?.value, 'late');
  }),

  contractCase(
    'who was slow releases although the lease has ended',
    async (store, key, another) => {
      await store.lease(key, NOTHING, 1, 'note');
      await ended(another, key);
      equal(await store.release(key, { version: 0, fence: 1 }, 'late'), true);
      equal((await another.load(key))?.note, 'late');
    },
  ),

  contractCase('a record that changed since it was seen is not leased', async (store, key) => {
    await store.commit(key, 0, 'value');
    const before = await stateOf(store, key);
    for (const seen of [NOTHING, { version: 1, fence: 1 }, { version: 2, fence: 0 }]) {
      equal(await store.lease(key, seen, LONG_MS, 'note'), undefined);
    }
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a record that is gone is not leased', async (store, key) => {
    equal(await store.lease(key, { version: 3, fence: 5 }, LONG_MS, 'note'), undefined);
    equal(await store.lease(key, { version: 0, fence: 1 }, LONG_MS, 'note'), undefined);
    equal(await store.load(key), undefined);
  }),

  contractCase('of leases at once, one is given', async (store, key, another) => {
    const seen = { ...NOTHING };
    for (const fence of [1, 2]) {
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? store : another).lease(key, seen, LONG_MS, `note ${i}`),
        ),
      );
      deepEqual(
        leases.flatMap((lease) => lease?.fence ?? []),
        [fence],
      );
      equal(
        (await store.load(key))?.note,
        `note ${leases.findIndex((lease) => lease !== undefined)}`,
      );
      await store.commit(key, seen.version, 'value');
      Object.assign(seen, { version: fence, fence });
    }
  }),

  contractCase('a release ends the lease and leaves a note', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, fence: 0 }, LONG_MS, 'note');
    equal(await another.release(key, { version: 1, fence: 1 }, 'what went wrong'), true);
    deepEqual(await stateOf(store, key), {
      version: 1,
      fence: 1,
      value: 'value',
      note: 'what went wrong',
      leased: false,
    });
    ok(await another.lease(key, { version: 1, fence: 1 }, LONG_MS, 'next'));
  }),

  contractCase(
    'the release of a lease that was lost changes nothing',
    async (store, key, another) => {
      await store.commit(key, 0, 'value');
      await store.lease(key, { version: 1, fence: 0 }, SHORT_MS, 'first');
      await leaseWhenFree(another, key, { version: 1, fence: 1 });
      const before = await stateOf(store, key);
      equal(await store.release(key, { version: 1, fence: 1 }, 'late'), false);
      deepEqual(await stateOf(store, key), before);
    },
  ),

  contractCase('a release after a commit changes nothing', async (store, key, another) => {
    await store.lease(key, NOTHING, LONG_MS, 'first');
    await another.commit(key, 0, 'value');
    const before = await stateOf(store, key);
    equal(await store.release(key, { version: 0, fence: 1 }, 'late'), false);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('the store has one clock, which goes on', async (store, key, another) => {
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
    // In milliseconds since 1970, though nobody's clock need be right: since 2020, and not in microseconds.
    ok(later.now > 1_577_836_800_000 && later.now < 1e14, String(later.now));
  }),
];

/** Waits until nobody has a lease. */
async function ended(store: BerbixTokenStore, key: string): Promise<void> {
  while (((await store.load(key))?.leasedForMs ?? 0) > 0) await pause(1);
}

/** Tries until the lease of another one has ended; it is a short one. */
async function leaseWhenFree(store: BerbixTokenStore, key: string, seen: SeenRecord) {
  const began = performance.now();
  while (performance.now() - began < 10_000) {
    const lease = await store.lease(key, seen, LONG_MS, 'taken over');
    if (lease !== undefined) return lease;
    await pause(5);
  }
  return fail(`a lease of ${SHORT_MS} ms has not ended`);
}
