import { deepEqual, equal, ok } from 'node:assert/strict';
import { contractCase, forget, LONG_MS, newKey, NOTHING, stateOf } from './contract-case.js';

/** Values, versions and keys. */
export const COMMIT_CASES = [
  contractCase('a new store has no record', async (store, key) => {
    equal(await store.load(key), undefined);
    equal(await store.commit(key, 1, 'value'), undefined);
    equal(await store.release(key, NOTHING, 'note'), false);
    equal(await store.release(key, { version: 1, leaseEpoch: 1 }, 'note'), false);
    equal(await store.compareAndSwap(key, '', 'value'), false);
    equal(await store.load(key), undefined);
  }),

  contractCase('the first commit creates the record', async (store, key, another) => {
    equal(await store.commit(key, 0, 'first'), 1);
    deepEqual(await stateOf(another, key), {
      version: 1,
      leaseEpoch: 0,
      value: 'first',
      note: undefined,
      leased: false,
    });
  }),

  contractCase('a commit increments the version', async (store, key, another) => {
    equal(await store.commit(key, 0, 'first'), 1);
    equal(await another.commit(key, 1, 'second'), 2);
    equal(await store.commit(key, 2, 'third'), 3);
    equal((await another.load(key))?.value, 'third');
  }),

  contractCase('a commit with another version changes nothing', async (store, key) => {
    await store.commit(key, 0, 'first');
    await store.commit(key, 1, 'second');
    const before = await stateOf(store, key);
    for (const version of [0, 1, 3]) equal(await store.commit(key, version, 'late'), undefined);
    deepEqual(await stateOf(store, key), before);
  }),

  contractCase('a repeated commit is harmless', async (store, key) => {
    equal(await store.commit(key, 0, 'first'), 1);
    equal(await store.commit(key, 0, 'first'), undefined);
    equal(await store.commit(key, 1, 'second'), 2);
    equal(await store.commit(key, 1, 'second'), undefined);
    const { version, value } = (await store.load(key)) ?? {};
    deepEqual({ version, value }, { version: 2, value: 'second' });
  }),

  contractCase('one of several concurrent commits succeeds', async (store, key, another) => {
    for (const version of [0, 1]) {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? store : another).commit(key, version, `value ${version} of ${i}`),
        ),
      );
      const winner = results.findIndex((result) => result !== undefined);
      deepEqual(
        results.filter((result) => result !== undefined),
        [version + 1],
      );
      equal((await store.load(key))?.value, `value ${version} of ${winner}`);
    }
  }),

  contractCase('a commit ends the lease and removes the note', async (store, key, another) => {
    await store.lease(key, NOTHING, LONG_MS, 'mine');
    equal(await another.commit(key, 0, 'first'), 1);
    deepEqual(await stateOf(store, key), {
      version: 1,
      leaseEpoch: 1,
      value: 'first',
      note: undefined,
      leased: false,
    });
    await store.lease(key, { version: 1, leaseEpoch: 1 }, LONG_MS, 'mine again');
    equal(await another.commit(key, 1, 'second'), 2);
    deepEqual(await stateOf(store, key), {
      version: 2,
      leaseEpoch: 2,
      value: 'second',
      note: undefined,
      leased: false,
    });
    ok(await another.lease(key, { version: 2, leaseEpoch: 2 }, LONG_MS, 'free'));
  }),

  contractCase('compare-and-swap replaces only the expected value', async (store, key, another) => {
    await store.commit(key, 0, 'old key');
    await store.lease(key, { version: 1, leaseEpoch: 0 }, LONG_MS, 'note');
    equal(await store.compareAndSwap(key, 'another', 'new key'), false);
    equal(await store.compareAndSwap(key, '', 'new key'), false);
    equal((await store.load(key))?.value, 'old key');
    equal(await another.compareAndSwap(key, 'old key', 'new key'), true);
    equal(await another.compareAndSwap(key, 'old key', 'newer key'), false);
    deepEqual(await stateOf(store, key), {
      version: 1,
      leaseEpoch: 1,
      value: 'new key',
      note: 'note',
      leased: true,
    });
    equal(await store.commit(key, 1, 'next'), 2);
  }),

  contractCase('compare-and-swap needs a value', async (store, key) => {
    await store.lease(key, NOTHING, LONG_MS, 'note');
    equal(await store.compareAndSwap(key, '', 'value'), false);
    equal(await store.compareAndSwap(key, 'note', 'value'), false);
    equal((await store.load(key))?.value, undefined);
  }),

  contractCase('values and notes are stored unchanged', async (store, key) => {
    let version = 0;
    for (const text of TEXTS) {
      equal(await store.commit(key, version, text), ++version);
      equal((await store.load(key))?.value, text);
      const lease = await store.lease(key, { version, leaseEpoch: version - 1 }, LONG_MS, text);
      equal((await store.load(key))?.note, text);
      equal(
        await store.release(key, { version, leaseEpoch: lease?.leaseEpoch ?? 0 }, `${text}2`),
        true,
      );
      equal((await store.load(key))?.note, `${text}2`);
      equal(await store.compareAndSwap(key, text, `${text}3`), true);
      equal((await store.load(key))?.value, `${text}3`);
    }
  }),

  contractCase('keys are compared exactly', async (store, base) => {
    const keys = KEYS.map((key) => base + key);
    await Promise.all(keys.map((key, i) => store.commit(key, 0, `value ${i}`)));
    await forget(store, keys[0] as string);
    const values = await Promise.all(keys.map(async (key) => (await store.load(key))?.value));
    deepEqual(
      values,
      keys.map((_, i) => (i === 0 ? undefined : `value ${i}`)),
    );
  }),

  contractCase('records are independent', async (store, _key, another) => {
    const keys = Array.from({ length: 100 }, newKey);
    await Promise.all(
      keys.map(async (key, i) => {
        ok(await store.lease(key, NOTHING, LONG_MS, `note ${i}`));
        if (i % 3 === 0) equal(await another.commit(key, 0, `value ${i}`), 1);
        if (i % 3 === 1) ok(await another.forget(key, { version: 0, leaseEpoch: 1 }));
      }),
    );
    const states = await Promise.all(keys.map((key) => stateOf(store, key)));
    deepEqual(
      states,
      keys.map((_, i) => ({
        version: i % 3 === 2 ? 0 : 1,
        leaseEpoch: i % 3 === 1 ? 2 : 1,
        value: i % 3 === 0 ? `value ${i}` : undefined,
        note: i % 3 === 2 ? `note ${i}` : undefined,
        leased: i % 3 === 2,
      })),
    );
  }),
];

const TEXTS = [
  '',
  ' ',
  '0',
  'null',
  `it's "quoted" \\ $1 %s {"json":[true]}`,
  'line\r\n\tbreaks',
  'žluťoučký 日本語 🔑',
  'x'.repeat(100_000),
];

const KEYS = [
  '',
  '%',
  '_',
  '*',
  '?',
  '[a-z]',
  '\\',
  '\\\\',
  'a',
  'A',
  ' ',
  'a b',
  "'",
  '"',
  '$1',
  '{tag}',
  ':',
  '/',
  'é',
  'e\u0301',
  '日本語',
  '🔑',
  'x'.repeat(1_000),
  `${'x'.repeat(999)}y`,
];
