import type { BerbixTokenStore } from '../../../lib/token-store/index.js';

/** Secrets that no error of a store may show. */
export const CANARIES = { key: 'canary-key', value: 'canary-value', note: 'canary-note' };

/** Every step of a store, with canaries in all arguments. */
export const STEPS: Record<string, (store: BerbixTokenStore) => Promise<unknown>> = {
  load: (store) => store.load(CANARIES.key),
  'first lease': (store) =>
    store.lease(CANARIES.key, { version: 0, leaseEpoch: 0 }, 1_000, CANARIES.note),
  lease: (store) => store.lease(CANARIES.key, { version: 1, leaseEpoch: 1 }, 1_000, CANARIES.note),
  'first commit': (store) => store.commit(CANARIES.key, 0, CANARIES.value),
  commit: (store) => store.commit(CANARIES.key, 1, CANARIES.value),
  release: (store) => store.release(CANARIES.key, { version: 1, leaseEpoch: 1 }, CANARIES.note),
  forget: (store) => store.forget(CANARIES.key, { version: 1, leaseEpoch: 1 }),
  compareAndSwap: (store) => store.compareAndSwap(CANARIES.key, CANARIES.value, CANARIES.value),
  keys: (store) => store.keys(CANARIES.key),
};

/** Forgets the current record, or tries to if there is none: this also removes what is due for removal. */
export async function forget(store: BerbixTokenStore, key: string): Promise<boolean> {
  return store.forget(key, (await store.load(key)) ?? { version: 0, leaseEpoch: 0 });
}

/** The keys with a prefix, sorted and without duplicates. */
export async function allKeys(store: BerbixTokenStore, prefix = ''): Promise<string[]> {
  const found = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.keys(prefix, cursor);
    for (const key of page.keys) found.add(key);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return [...found].toSorted();
}
