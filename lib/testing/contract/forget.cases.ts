import { deepEqual, equal, ok } from 'node:assert/strict';
import { contractCase, forget, LONG_MS, NOTHING, stateOf } from './contract-case.js';

/** What is left of a record that was forgotten. */
export const FORGET_CASES = [
  contractCase('nothing is forgotten where there is nothing', async (store, key) => {
    equal(await store.forget(key, NOTHING), false);
    equal(await store.forget(key, { version: 1, fence: 1 }), false);
    equal(await store.load(key), undefined);
  }),

  contractCase(
    'what is forgotten is gone, except that it was there',
    async (store, key, another) => {
      await store.commit(key, 0, 'value');
      await store.lease(key, { version: 1, fence: 0 }, LONG_MS, 'note');
      equal(await store.forget(key, { version: 1, fence: 1 }), true);
      deepEqual(await stateOf(another, key), {
        version: 2,
        fence: 2,
        value: undefined,
        note: undefined,
        leased: false,
      });
    },
  ),

  contractCase('a record that changed since it was seen is not forgotten', async (store, key) => {
    await store.commit(key, 0, 'first');
    await store.commit(key, 1, 'second');
    await store.lease(key, { version: 2, fence: 0 }, LONG_MS, 'note');
    const before = await stateOf(store, key);
    for (const [version, fence] of [
      [1, 1],
      [3, 1],
      [2, 0],
      [2, 2],
      [0, 0],
    ] as const) {
      equal(await store.forget(key, { version, fence }), false, `${version}, ${fence}`);
    }
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('what was kept anew is not forgotten by who saw it before', async (store, key) => {
    await store.commit(key, 0, 'old');
    equal(await store.forget(key, { version: 1, fence: 0 }), true);
    equal(await store.commit(key, 2, 'new'), 3);
    equal(await store.forget(key, { version: 1, fence: 0 }), false);
    equal(await store.forget(key, { version: 2, fence: 1 }), false);
    equal((await store.load(key))?.value, 'new');
  }),

  contractCase('what was under way when it was forgotten fails', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, fence: 0 }, LONG_MS, 'note');
    await forget(another, key);
    const before = await stateOf(store, key);
    equal(await store.commit(key, 1, 'late'), undefined);
    equal(await store.release(key, { version: 1, fence: 1 }, 'late'), false);
    equal(await store.lease(key, { version: 1, fence: 1 }, LONG_MS, 'late'), undefined);
    equal(await store.swap(key, 'value', 'late'), false);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a first exchange under way fails too', async (store, key, another) => {
    await store.lease(key, NOTHING, LONG_MS, 'note');
    equal(await another.forget(key, { version: 0, fence: 1 }), true);
    equal(await store.commit(key, 0, 'late'), undefined);
    equal(await store.lease(key, NOTHING, LONG_MS, 'late'), undefined);
    deepEqual(await stateOf(store, key), {
      version: 1,
      fence: 2,
      value: undefined,
      note: undefined,
      leased: false,
    });
  }),

  contractCase('forgetting may be repeated', async (store, key) => {
    await store.commit(key, 0, 'value');
    await forget(store, key);
    await forget(store, key);
    const state = await stateOf(store, key);
    ok(state !== undefined && state.version >= 2 && state.fence >= 1);
    deepEqual({ value: state.value, leased: state.leased }, { value: undefined, leased: false });
    equal(await store.commit(key, 1, 'late'), undefined);
  }),

  contractCase('what was forgotten may be kept anew', async (store, key, another) => {
    await store.commit(key, 0, 'old');
    await forget(store, key);
    const { version = -1, fence = -1 } = (await another.load(key)) ?? {};
    equal(await another.commit(key, version, 'new'), version + 1);
    deepEqual(await stateOf(store, key), {
      version: version + 1,
      fence,
      value: 'new',
      note: undefined,
      leased: false,
    });
  }),

  contractCase('what was forgotten may be leased and kept anew', async (store, key) => {
    await store.commit(key, 0, 'old');
    await forget(store, key);
    equal((await store.lease(key, { version: 2, fence: 1 }, LONG_MS, 'note'))?.fence, 2);
    equal(await store.commit(key, 2, 'new'), 3);
    equal((await store.load(key))?.value, 'new');
  }),
];
