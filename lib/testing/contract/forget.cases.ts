import { deepEqual, equal, ok } from 'node:assert/strict';
import { contractCase, LONG_MS, NOTHING, stateOf } from './contract-case.js';

/** What is left of a record that was forgotten. */
export const FORGET_CASES = [
  contractCase('nothing is forgotten where there is nothing', async (store, key) => {
    await store.forget(key);
    equal(await store.load(key), undefined);
  }),

  contractCase(
    'what is forgotten is gone, except that it was there',
    async (store, key, another) => {
      await store.commit(key, 0, 'value');
      await store.lease(key, { version: 1, fence: 0 }, LONG_MS, 'note');
      await store.forget(key);
      deepEqual(await stateOf(another, key), {
        version: 2,
        fence: 2,
        value: undefined,
        note: undefined,
        leased: false,
      });
    },
  ),

  contractCase('what was under way when it was forgotten fails', async (store, key, another) => {
    await store.commit(key, 0, 'value');
    await store.lease(key, { version: 1, fence: 0 }, LONG_MS, 'note');
    await another.forget(key);
    const before = await stateOf(store, key);
    equal(await store.commit(key, 1, 'late'), undefined);
    equal(await store.release(key, { version: 1, fence: 1 }, 'late'), false);
    equal(await store.lease(key, { version: 1, fence: 1 }, LONG_MS, 'late'), undefined);
    equal(await store.swap(key, 'value', 'late'), false);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a first exchange under way fails too', async (store, key, another) => {
    await store.lease(key, NOTHING, LONG_MS, 'note');
    await another.forget(key);
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
    await store.forget(key);
    await store.forget(key);
    const state = await stateOf(store, key);
    ok(state !== undefined && state.version >= 2 && state.fence >= 1);
    deepEqual({ value: state.value, leased: state.leased }, { value: undefined, leased: false });
    equal(await store.commit(key, 1, 'late'), undefined);
  }),

  contractCase('what was forgotten may be kept anew', async (store, key, another) => {
    await store.commit(key, 0, 'old');
    await store.forget(key);
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
    await store.forget(key);
    equal((await store.lease(key, { version: 2, fence: 1 }, LONG_MS, 'note'))?.fence, 2);
    equal(await store.commit(key, 2, 'new'), 3);
    equal((await store.load(key))?.value, 'new');
  }),
];
