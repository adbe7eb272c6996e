import { beforeEach, describe, expect, it } from '@jest/globals';
import { BerbixConfigurationError, BerbixStoreError } from 'nestjs-berbix';
import {
  reencryptTokens,
  type ReencryptionCounts,
  type ReencryptionOptions,
} from 'nestjs-berbix/token-store';
import {
  PlaintextCipher,
  type BerbixEncryptionOptions,
} from '../../lib/token-store/encryption/index.js';
import { BerbixTokenStore, InMemoryTokenStore } from '../../lib/token-store/index.js';
import { errorOf } from '../support/errors.js';
import { usualOrLong } from '../support/long.js';
import { STORES, describeEachOn } from '../support/servers.js';
import { cipherWith, newKey } from './support/encryption.js';
import { forget } from './support/steps.js';

const keys = { new: newKey(), old: newKey() };
const encryption: BerbixEncryptionOptions = { keys, current: 'new' };
const old = cipherWith({ old: keys.old });
const current = cipherWith(keys);
const keyOf = (id: number): string => `default/transaction/${id}`;

/** Values in a store, each naming its record. */
async function fill(store: BerbixTokenStore, ids: number[], cipher = old): Promise<void> {
  for (const id of ids) {
    await store.commit(keyOf(id), 0, await cipher.seal(keyOf(id), `value ${id}`));
  }
}

/** The opened values in the store, each with the id of its key. */
async function stored(store: BerbixTokenStore, key: string): Promise<[string, string | undefined]> {
  const value = (await store.load(key))?.value ?? '';
  return [await current.open(key, value), value.split('.')[1]];
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

describeEachOn(STORES)('reencryptTokens() on $name', ({ open }) => {
  let store: BerbixTokenStore;
  let another: BerbixTokenStore;
  beforeEach(async () => {
    ({ store, another } = await open());
  });

  it('re-encrypts values with an old key, over several pages, and changes nothing else', async () => {
    await fill(store, range(510));
    await fill(store, [510, 511], current);
    const lease = await store.lease(keyOf(1), { version: 1, leaseEpoch: 0 }, 60_000, 'a note');
    const untouched = await Promise.all([510, 511].map((id) => store.load(keyOf(id))));
    await store.commit(keyOf(700), 0, await old.seal(keyOf(700), 'x'));
    await forget(store, keyOf(700));
    const progress: ReencryptionCounts[] = [];
    const counts = await reencryptTokens({
      store,
      encryption,
      onProgress: (now) => progress.push(now),
    });
    expect(counts).toEqual({ total: 512, changed: 510, unchanged: 2, failed: 0 });
    expect(progress).toHaveLength(512);
    expect(progress[0]?.total).toBe(1);
    expect(progress.at(-1)).toEqual(counts);
    for (const id of range(510)) {
      expect(await stored(store, keyOf(id))).toEqual([`value ${id}`, 'new']);
    }
    const leased = await store.load(keyOf(1));
    expect(leased).toMatchObject({ version: 1, leaseEpoch: lease?.leaseEpoch, note: 'a note' });
    expect(leased?.leasedForMs).toBeGreaterThan(0);
    for (const [index, id] of [510, 511].entries()) {
      expect((await store.load(keyOf(id)))?.value).toBe(untouched[index]?.value);
    }
    await expect(reencryptTokens({ store, encryption })).resolves.toEqual({
      total: 512,
      changed: 0,
      unchanged: 512,
      failed: 0,
    });
  });

  it('loses no concurrent commit', async () => {
    const ids = range(40);
    await fill(store, ids);
    const stop = new AbortController();
    // Another replica without the current key: its commits must be re-encrypted.
    const committed = new Map<string, string>();
    const committing = (async () => {
      for (let round = 1; !stop.signal.aborted; round++) {
        for (const id of ids) {
          const key = keyOf(id);
          const version = (await another.load(key))?.version ?? 0;
          const value = `round ${round}`;
          const done = await another.commit(key, version, await old.seal(key, value));
          if (done === undefined) throw new Error(`${key} had another version`);
          committed.set(key, value);
        }
      }
    })();
    const encrypting = (async () => {
      for (let run = 0; run < usualOrLong(4, 8); run++) {
        // A value that is replaced twice meanwhile makes it fail.
        await reencryptTokens({ store, encryption }).catch(() => {});
      }
    })();
    await encrypting.finally(() => stop.abort());
    await committing;
    expect(await reencryptTokens({ store, encryption })).toMatchObject({ failed: 0 });
    for (const id of ids) {
      expect(await stored(store, keyOf(id))).toEqual([
        committed.get(keyOf(id)) ?? `value ${id}`,
        'new',
      ]);
    }
  });

  it('skips what it cannot open, does the rest, and reports how many', async () => {
    await fill(store, range(5));
    const lost = cipherWith({ lost: newKey() });
    await fill(store, [5, 6], lost);
    await store.commit(keyOf(7), 0, await old.seal(keyOf(8), 'moved'));
    await fill(store, [9], new PlaintextCipher() as unknown as typeof old);
    const failures: [string, string][] = [];
    let last: ReencryptionCounts | undefined;
    const error = await errorOf(
      reencryptTokens({
        store,
        encryption,
        onProgress: (counts) => (last = counts),
        onFailure: (key, { message }) => failures.push([key, message]),
      }),
    );
    expect(error).toBeInstanceOf(BerbixStoreError);
    expect(error.retryable).toBe(false);
    expect(error.message).toMatch(/^4 of 9 values could not be re-encrypted/);
    expect(error.message).toMatch(/2 times: A stored value is sealed with the key "lost"/);
    expect(error.message).toMatch(/Once: A stored value cannot be decrypted with the key "old"/);
    expect(error.message).toMatch(/Once: A stored value is not encrypted/);
    expect(last).toEqual({ total: 9, changed: 5, unchanged: 0, failed: 4 });
    expect(failures.map(([key]) => key).toSorted()).toEqual([5, 6, 7, 9].map(keyOf));
    expect(new Map(failures).get(keyOf(5))).toMatch(/"lost"/);
    for (const id of range(5)) {
      expect(await stored(store, keyOf(id))).toEqual([`value ${id}`, 'new']);
    }
    expect(await lost.open(keyOf(5), (await store.load(keyOf(5)))?.value ?? '')).toBe('value 5');
  });

  it('moves a store from plaintext to encryption', async () => {
    await fill(store, range(3), new PlaintextCipher() as unknown as typeof old);
    const counts = await reencryptTokens({
      store,
      encryption: { ...encryption, acceptPlaintext: true },
    });
    expect(counts).toEqual({ total: 3, changed: 3, unchanged: 0, failed: 0 });
    expect(await stored(store, keyOf(2))).toEqual(['value 2', 'new']);
  });

  it('skips only the records of webhooks', async () => {
    await store.commit('webhook:default/finished/1', 0, '{"hash":"x"}');
    await store.commit('default/other/1', 0, '{"hash":"x"}');
    const failures: string[] = [];
    const run = reencryptTokens({ store, encryption, onFailure: (key) => failures.push(key) });
    expect((await errorOf(run)).message).toMatch(/^1 of 1 value .*is not in a format/);
    expect(failures).toEqual(['default/other/1']);
  });

  it('works on one account', async () => {
    const [key, other] = ['my%20shop/transaction/1', 'my%20shop2/transaction/1'];
    const cipher = (account: string) => cipherWith({ old: keys.old }, account);
    await store.commit(key, 0, await cipher('my shop').seal(key, 'mine'));
    await store.commit(other, 0, await cipher('my shop2').seal(other, 'yours'));
    await fill(store, [1]);
    const counts = await reencryptTokens({ store, encryption, account: 'my shop' });
    expect(counts).toEqual({ total: 1, changed: 1, unchanged: 0, failed: 0 });
    const value = (await store.load(key))?.value ?? '';
    await expect(cipherWith(keys, 'my shop').open(key, value)).resolves.toBe('mine');
    expect((await store.load(keyOf(1)))?.value).toMatch(/^b1\.old\./);
    expect((await store.load(other))?.value).toMatch(/^b1\.old\./);
  });
});

/** A store in memory that runs a function just before a value is swapped. */
class Interrupted extends InMemoryTokenStore {
  before: (key: string) => Promise<unknown> = async () => {};
  swaps = 0;

  override async compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    this.swaps++;
    await this.before(key);
    return super.compareAndSwap(key, expected, value);
  }
}

describe('reencryptTokens(), when a value changes between reading and writing', () => {
  const run = (store: BerbixTokenStore, more: Partial<ReencryptionOptions> = {}) =>
    reencryptTokens({ store, encryption, ...more });

  it('accepts a commit with the current key', async () => {
    const store = new Interrupted();
    await fill(store, [1]);
    store.before = async (key) => store.commit(key, 1, await current.seal(key, 'later'));
    await expect(run(store)).resolves.toEqual({ total: 1, changed: 0, unchanged: 1, failed: 0 });
    expect(await stored(store, keyOf(1))).toEqual(['later', 'new']);
  });

  it('reads again after a commit with an old key', async () => {
    const store = new Interrupted();
    await fill(store, [1]);
    store.before = async (key) => {
      if (store.swaps === 1) await store.commit(key, 1, await old.seal(key, 'later'));
    };
    await expect(run(store)).resolves.toEqual({ total: 1, changed: 1, unchanged: 0, failed: 0 });
    expect(await stored(store, keyOf(1))).toEqual(['later', 'new']);
  });

  it('gives up a value that is replaced again, and says why', async () => {
    const store = new Interrupted();
    await fill(store, [1]);
    store.before = async (key) =>
      store.commit(key, store.swaps, await old.seal(key, `later ${store.swaps}`));
    const error = await errorOf(run(store));
    expect(error.message).toMatch(/^1 of 1 value could not .*another current key/);
    expect(store.swaps).toBe(2);
    expect(await stored(store, keyOf(1))).toEqual(['later 2', 'old']);
  });

  it('does not restore a forgotten value', async () => {
    const store = new Interrupted();
    await fill(store, [1]);
    store.before = (key) => forget(store, key);
    await expect(run(store)).resolves.toEqual({ total: 0, changed: 0, unchanged: 0, failed: 0 });
    expect((await store.load(keyOf(1)))?.value).toBeUndefined();
  });
});

describe('reencryptTokens() if the store or the key provider fails', () => {
  it('ends immediately if the store fails, and no worker continues', async () => {
    const store = new Interrupted();
    await fill(store, range(100));
    store.before = async () => {
      if (store.swaps > 1) return;
      throw Object.assign(new Error('SECRET'), { code: 'ECONNRESET' });
    };
    const error = await errorOf(reencryptTokens({ store, encryption }));
    expect(error).toBeInstanceOf(BerbixStoreError);
    expect(error).toMatchObject({ retryable: true, reason: 'ECONNRESET' });
    expect(error.message).not.toContain('SECRET');
    const { swaps } = store;
    expect(swaps).toBeLessThanOrEqual(16);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.swaps).toBe(swaps);
  });

  it('ends immediately if the key provider fails, since that is not a problem of the values', async () => {
    const store = new InMemoryTokenStore();
    await fill(store, range(100));
    let asked = 0;
    const failures: string[] = [];
    const error = await errorOf(
      reencryptTokens({
        store,
        encryption: {
          keyProvider: {
            current: () => ({ id: 'new', key: keys.new }),
            byId: () => {
              asked++;
              throw new Error('SECRET');
            },
          },
        },
        onFailure: (key) => failures.push(key),
      }),
    );
    expect(error.message).toBe('The key provider failed to answer byId().');
    expect(error.retryable).toBe(true);
    expect(failures).toEqual([]);
    expect(asked).toBeLessThanOrEqual(8);
  });

  it('refuses invalid options', async () => {
    const store = new InMemoryTokenStore();
    const error = await errorOf(
      reencryptTokens({ store, encryption: { keys: {}, current: 'new' } }),
    );
    expect(error).toBeInstanceOf(BerbixConfigurationError);
  });
});
