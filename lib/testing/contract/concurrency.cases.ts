import { deepEqual, equal } from 'node:assert/strict';
import { contractCase, LONG_MS, newKey, stateOf } from './contract-case.js';

/** Enough rounds to catch a step that reads first and writes later. */
const ROUNDS = 10;

/** Concurrent steps on the same record: they take effect one after the other, in any order. */
export const CONCURRENCY_CASES = [
  contractCase('a concurrent compare-and-swap undoes no commit', async (store, key, another) => {
    await store.commit(key, 0, 'value 0');
    for (let version = 1; version <= ROUNDS; version++) {
      const [, committed] = await concurrently(
        version,
        () => store.compareAndSwap(key, `value ${version - 1}`, 'swapped'),
        () => another.commit(key, version, `value ${version}`),
      );
      equal(committed, version + 1);
      deepEqual(await stateOf(store, key), {
        version: version + 1,
        leaseEpoch: 0,
        value: `value ${version}`,
        note: undefined,
        leased: false,
      });
    }
  }),

  contractCase('a concurrent lease undoes no commit', async (store, key, another) => {
    await store.commit(key, 0, 'value 0');
    let leaseEpoch = 0;
    for (let version = 1; version <= ROUNDS; version++) {
      const [lease, committed] = await concurrently(
        version,
        () => store.lease(key, { version, leaseEpoch }, LONG_MS, 'note'),
        () => another.commit(key, version, `value ${version}`),
      );
      equal(committed, version + 1);
      leaseEpoch = lease?.leaseEpoch ?? leaseEpoch;
      deepEqual(await stateOf(store, key), {
        version: version + 1,
        leaseEpoch,
        value: `value ${version}`,
        note: undefined,
        leased: false,
      });
    }
  }),

  contractCase('a concurrent release undoes no commit', async (store, key, another) => {
    await store.commit(key, 0, 'value 0');
    for (let version = 1; version <= ROUNDS; version++) {
      await store.lease(key, { version, leaseEpoch: version - 1 }, LONG_MS, 'note');
      const [, committed] = await concurrently(
        version,
        () => store.release(key, { version, leaseEpoch: version }, 'released'),
        () => another.commit(key, version, `value ${version}`),
      );
      equal(committed, version + 1);
      deepEqual(await stateOf(store, key), {
        version: version + 1,
        leaseEpoch: version,
        value: `value ${version}`,
        note: undefined,
        leased: false,
      });
    }
  }),

  contractCase(
    'either forgetting or a concurrent commit succeeds',
    async (store, _key, another) => {
      for (let round = 0; round < ROUNDS; round++) {
        const key = newKey();
        await store.commit(key, 0, 'first');
        const [forgotten, committed] = await concurrently(
          round,
          () => store.forget(key, { version: 1, leaseEpoch: 0 }),
          () => another.commit(key, 1, 'second'),
        );
        equal(committed, forgotten ? undefined : 2);
        deepEqual(await stateOf(store, key), {
          version: 2,
          leaseEpoch: forgotten ? 1 : 0,
          value: forgotten ? undefined : 'second',
          note: undefined,
          leased: false,
        });
      }
    },
  ),

  contractCase('either forgetting or a concurrent lease succeeds', async (store, _key, another) => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = newKey();
      const expected = { version: 1, leaseEpoch: 0 };
      await store.commit(key, 0, 'value');
      const [forgotten, lease] = await concurrently(
        round,
        () => store.forget(key, expected),
        () => another.lease(key, expected, LONG_MS, 'note'),
      );
      equal(lease?.leaseEpoch, forgotten ? undefined : 1);
      deepEqual(await stateOf(store, key), {
        version: forgotten ? 2 : 1,
        leaseEpoch: 1,
        value: forgotten ? undefined : 'value',
        note: forgotten ? undefined : 'note',
        leased: !forgotten,
      });
    }
  }),
];

/**
 * In every other round, the second step starts later, when the first may have read but not written.
 */
async function concurrently<A, B>(
  round: number,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  return Promise.all([
    first(),
    round % 2 === 0 ? second() : new Promise(setImmediate).then(second),
  ]);
}
