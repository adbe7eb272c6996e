import { expect, it } from '@jest/globals';
import {
  CheckedStore,
  InMemoryTokenStore,
  PlaintextCipher,
  SealedRecords,
} from '../../lib/token-store/index.js';

it('a commit is tried again if the store fails, but not if the merge does', async () => {
  const store = new CheckedStore(new InMemoryTokenStore(), 60_000);
  const sealed = new SealedRecords(store, new PlaintextCipher(), 'default');
  await sealed.commit('name', 0, { count: 1 });
  let merges = 0;
  const merge = (): never => {
    throw new TypeError(`merge ${++merges}`);
  };
  const keepTrying = (): boolean => merges < 3;
  const commit = sealed.commit('name', 0, { count: 2 }, { keepTrying, merge });
  await expect(commit).rejects.toThrow(new TypeError('merge 1'));
});

it('the end of an overlong lease keeps its note, for the next replica too', async () => {
  const store = new InMemoryTokenStore();
  const revision = { version: 0, leaseEpoch: 1 };
  await store.lease('key', { ...revision, leaseEpoch: 0 }, 3_600_000, '{"startedAt":1}');
  const ended = { ...revision, note: '{"startedAt":1}', leasedForMs: 0 };
  expect(await new CheckedStore(store, 60_000).load('key', 1_000)).toMatchObject(ended);
  expect(await store.load('key')).toMatchObject(ended);
});
