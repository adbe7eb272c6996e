import { deepEqual, equal, ok } from 'node:assert/strict';
import { contractCase, forget, LONG_MS, NOTHING, stateOf } from './contract-case.js';

/** What is left of a record that was forgotten. */
export const FORGET_CASES = [
  contractCase('forgetting needs a record', async (store, key) => {
    equal(await store.forget(key, NOTHING), false);
    equal(await store.forget(key, { version: 1, leaseEpoch: 1 }), false);
    equal(await store.load(key), undefined);
  }),

  contractCase(
    'forgetting removes the value and keeps an empty record',
    async (store, key, another) => {
      await store.commit(key, 0, 'value');
      await store.lease(key, { version: 1, leaseEpoch: 0 }, LONG_MS, 'note');
      equal(await store.forget(key, { version: 1, leaseEpoch: 1 }), true);
      deepEqual(await stateOf(another, key), {
        version: 2,
        leaseEpoch: 2,
        value: undefined,
        note: undefined,
        leased: false,
      });
    },
  ),

  contractCase('a record that changed since it was read is not forgotten', async (store, key) => {
    await store.commit(key, 0, 'first');
    await store.commit(key, 1, 'second');
    await store.lease(key, { version: 2, leaseEpoch: 0 }, LONG_MS, 'note');
    const before = await stateOf(store, key);
    for (const [version, leaseEpoch] of [
      [1, 1],
      [3, 1],
      [2, 0],
      [2, 2],
      [0, 0],
    ] as const) {
      equal(await store.forget(key, { version, leaseEpoch }), false, `${version}, ${leaseEpoch}`);
    }
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a new value is not forgotten with an old revision', async (store, key) => {
    await store.commit(key, 0, 'old');
    equal(await store.forget(key, { version: 1, leaseEpoch: 0 }), true);
    equal(await store.commit(key, 2, 'new'), 3);
    equal(await store.forget(key, { version: 1, leaseEpoch: 0 }), false);
    equal(await store.forget(key, { version: 2, leaseEpoch: 1 }), false);
    equal((await store.load(key))?.value, 'new');
  }),

  contractCase('changes in flight fail after forgetting', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, leaseEpoch: 0 }, LONG_MS, 'note');
    await forget(another, key);
    const before = await stateOf(store, key);
    equal(await store.commit(key, 1, 'late'), undefined);
    equal(await store.release(key, { version: 1, leaseEpoch: 1 }, 'late'), false);
    equal(await store.lease(key, { version: 1, leaseEpoch: 1 }, LONG_MS, 'late'), undefined);
    equal(await store.compareAndSwap(key, 'value', 'late'), false);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a first commit in flight fails after forgetting', async (store, key, another) => {
    await store.lease(key, NOTHING, LONG_MS, 'note');
    equal(await another.forget(key, { version: 0, leaseEpoch: 1 }), true);
    equal(await store.commit(key, 0, 'late'), undefined);
    equal(await store.lease(key, NOTHING, LONG_MS, 'late'), undefined);
    deepEqual(await stateOf(store, key), {
      version: 1,
      leaseEpoch: 2,
      value: undefined,
      note: undefined,
      leased: false,
    });
  }),

  contractCase('forgetting can be repeated', async (store, key) => {
    await store.commit(key, 0, 'value');
    await forget(store, key);
    await forget(store, key);
    const state = await stateOf(store, key);
    ok(state !== undefined && state.version >= 2 && state.leaseEpoch >= 1);
    deepEqual({ value: state.value, leased: state.leased }, { value: undefined, leased: false });
    equal(await store.commit(key, 1, 'late'), undefined);
  }),

  contractCase('a forgotten record can be committed again', async (store, key, another) => {
    await store.commit(key, 0, 'old');
    await forget(store, key);
    const { version = -1, leaseEpoch = -1 } = (await another.load(key)) ?? {};
    equal(await another.commit(key, version, 'new'), version + 1);
    deepEqual(await stateOf(store, key), {
      version: version + 1,
      leaseEpoch,
      value: 'new',
      note: undefined,
      leased: false,
    });
  }),

  contractCase('a forgotten record can be leased and committed again', async (store, key) => {
    await store.commit(key, 0, 'old');
    await forget(store, key);
    equal((await store.lease(key, { version: 2, leaseEpoch: 1 }, LONG_MS, 'note'))?.leaseEpoch, 2);
    equal(await store.commit(key, 2, 'new'), 3);
    equal((await store.load(key))?.value, 'new');
  }),
];
