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
