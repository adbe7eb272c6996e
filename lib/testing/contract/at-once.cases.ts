import { deepEqual, equal } from 'node:assert/strict';
import { contractCase, LONG_MS, newKey, stateOf } from './contract-case.js';

/** Often enough for a step that reads, waits and then writes to be caught in between. */
const ROUNDS = 10;

/** A commit and another step on the same record: one comes after the other, whichever. */
export const AT_ONCE_CASES = [
  contractCase('a swap at the same time undoes no commit', async (store, key, another) => {
    await store.commit(key, 0, 'value 0');
    for (let version = 1; version <= ROUNDS; version++) {
      const [, committed] = await atOnce(
        version,
        () => store.swap(key, `value ${version - 1}`, 'swapped'),
        () => another.commit(key, version, `value ${version}`),
      );
      equal(committed, version + 1);
      deepEqual(await stateOf(store, key), {
        version: version + 1,
        fence: 0,
        value: `value ${version}`,
        note: undefined,
        leased: false,
      });
    }
  }),

  contractCase('a lease at the same time undoes no commit', async (store, key, another) => {
    await store.commit(key, 0, 'value 0');
    let fence = 0;
    for (let version = 1; version <= ROUNDS; version++) {
      const [lease, committed] = await atOnce(
        version,
        () => store.lease(key, { version, fence }, LONG_MS, 'note'),
        () => another.commit(key, version, `value ${version}`),
      );
      equal(committed, version + 1);
      fence = lease?.fence ?? fence;
      deepEqual(await stateOf(store, key), {
        version: version + 1,
        fence,
        value: `value ${version}`,
        note: undefined,
        leased: false,
      });
    }
  }),

  contractCase('a release at the same time undoes no commit', async (store, key, another) => {
    await store.commit(key, 0, 'value 0');
    for (let version = 1; version <= ROUNDS; version++) {
      await store.lease(key, { version, fence: version - 1 }, LONG_MS, 'note');
      const [, committed] = await atOnce(
        version,
        () => store.release(key, { version, fence: version }, 'released'),
        () => another.commit(key, version, `value ${version}`),
      );
      equal(committed, version + 1);
      deepEqual(await stateOf(store, key), {
        version: version + 1,
        fence: version,
        value: `value ${version}`,
        note: undefined,
        leased: false,
      });
    }
  }),

  contractCase(
    'of forgetting and a commit at the same time, one is done',
    async (store, _key, another) => {
      for (let round = 0; round < ROUNDS; round++) {
        const key = newKey();
        await store.commit(key, 0, 'first');
        const [forgotten, committed] = await atOnce(
          round,
          () => store.forget(key, { version: 1, fence: 0 }),
          () => another.commit(key, 1, 'second'),
        );
        equal(committed, forgotten ? undefined : 2);
        deepEqual(await stateOf(store, key), {
          version: 2,
          fence: forgotten ? 1 : 0,
          value: forgotten ? undefined : 'second',
          note: undefined,
          leased: false,
        });
      }
    },
  ),

  contractCase(
    'of forgetting and a lease at the same time, one is done',
    async (store, _key, another) => {
      for (let round = 0; round < ROUNDS; round++) {
        const key = newKey();
        const seen = { version: 1, fence: 0 };
        await store.commit(key, 0, 'value');
        const [forgotten, lease] = await atOnce(
          round,
          () => store.forget(key, seen),
          () => another.lease(key, seen, LONG_MS, 'note'),
        );
        equal(lease?.fence, forgotten ? undefined : 1);
        deepEqual(await stateOf(store, key), {
          version: forgotten ? 2 : 1,
          fence: 1,
          value: forgotten ? undefined : 'value',
          note: forgotten ? undefined : 'note',
          leased: !forgotten,
        });
      }
    },
  ),
];

/** Every other time the second step comes a turn later, when the first may have read and not written yet. */
async function atOnce<A, B>(
  round: number,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  return Promise.all([
    first(),
    round % 2 === 0 ? second() : new Promise(setImmediate).then(second),
  ]);
}
