import { deepEqual } from 'node:assert/strict';
import type { BerbixTokenStore } from '../../token-store/index.js';
import { contractCase, forget, LONG_MS, NOTHING } from './contract-case.js';

/** Listings of keys. */
export const KEYS_CASES = [
  contractCase('keys are listed by prefix', async (store, base, another) => {
    const keys = ['/a/1', '/a/2', '/ab', '/b/a/1', '/A/1'].map((key) => base + key);
    for (const key of keys) await store.commit(key, 0, 'value');
    deepEqual(await allKeys(another, `${base}/a/`), keys.slice(0, 2).toSorted());
    deepEqual(await allKeys(another, `${base}/a`), keys.slice(0, 3).toSorted());
    deepEqual(await allKeys(another, keys[0] as string), [keys[0]]);
    deepEqual(await allKeys(another, base), keys.toSorted());
    deepEqual(await allKeys(another, `${base}/c`), []);
  }),

  contractCase('only keys with a value are listed', async (store, base) => {
    await store.commit(`${base}/kept`, 0, '');
    await store.lease(`${base}/leased`, NOTHING, LONG_MS, 'note');
    await store.commit(`${base}/forgotten`, 0, 'value');
    await forget(store, `${base}/forgotten`);
    deepEqual(await allKeys(store, base), [`${base}/kept`]);
  }),

  contractCase('keys are listed page by page', async (store, base) => {
    const keys = Array.from({ length: 2_500 }, (_, i) => `${base}/${i}`);
    for (let from = 0; from < keys.length; from += 100) {
      await Promise.all(keys.slice(from, from + 100).map((key) => store.commit(key, 0, 'value')));
    }
    deepEqual(await allKeys(store, `${base}/`), keys.toSorted());
  }),

  contractCase('forgetting during a listing hides no other key', async (store, base) => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `${base}/${i}`);
    await Promise.all(keys.map((key) => store.commit(key, 0, 'value')));
    const found = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await store.keys(`${base}/`, cursor);
      for (const key of page.keys) found.add(key);
      await Promise.all(page.keys.map((key) => forget(store, key)));
      cursor = page.cursor;
    } while (cursor !== undefined);
    deepEqual([...found].toSorted(), keys.toSorted());
  }),

  contractCase('a prefix is not a pattern', async (store, base) => {
    const names = ['a%', 'a_', 'a*', 'a?', 'a[b]', 'a\\', "a'", 'ab', 'aé', 'a日本', 'a🔑', 'a b'];
    for (const name of names) await store.commit(base + name, 0, 'value');
    for (const name of names) deepEqual(await allKeys(store, base + name), [base + name]);
    deepEqual(await allKeys(store, `${base}a`), names.map((name) => base + name).toSorted());
  }),
];

/** All keys, sorted and without repetitions. */
async function allKeys(store: BerbixTokenStore, prefix: string): Promise<string[]> {
  const keys = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.keys(prefix, cursor);
    for (const key of page.keys) keys.add(key);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return [...keys].toSorted();
}
