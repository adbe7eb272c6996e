import { describe, expect, it } from '@jest/globals';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { InMemoryTokenStore, type SeenRecord } from '../../lib/token-store/index.js';

/** The names of the cases that a store fails. */
async function failures(store: InMemoryTokenStore): Promise<string[]> {
  const failed = await Promise.all(
    tokenStoreContract.map(({ name, run }) =>
      run(store).then(
        () => [],
        () => [name],
      ),
    ),
  );
  return failed.flat();
}

/** Stores with one mistake each. */
const MISTAKEN: Record<string, () => InMemoryTokenStore> = {
  'a lease that does not look who has it': () =>
    new (class extends InMemoryTokenStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        await super.release(key, seen, '');
        return super.lease(key, seen, ttlMs, note);
      }
    })(),
  'a lease that looks first and takes it later': () =>
    new (class extends InMemoryTokenStore {
      override async lease(key: string, seen: SeenRecord, ttlMs: number, note: string) {
        const record = await super.load(key);
        if (record && record.leasedForMs > 0) return undefined;
        await new Promise(setImmediate);
        const now = await super.load(key);
        return super.lease(key, now ?? seen, 0, note).then(async () => {
          const { version, fence } = (await super.load(key)) as SeenRecord;
          return super.lease(key, { version, fence }, ttlMs, note);
        });
      }
    })(),
  'a lease without an end': () =>
    new (class extends InMemoryTokenStore {
      override async lease(key: string, seen: SeenRecord, _ttlMs: number, note: string) {
        return super.lease(key, seen, 500, note);
      }
    })(),
  'a commit that does not compare': () =>
    new (class extends InMemoryTokenStore {
      override async commit(key: string, _version: number, value: string) {
        return super.commit(key, (await super.load(key))?.version ?? 0, value);
      }
    })(),
  'a commit that needs no record': () =>
    new (class extends InMemoryTokenStore {
      override async commit(key: string, version: number, value: string) {
        const record = await super.load(key);
        return super.commit(key, record === undefined ? 0 : version, value);
      }
    })(),
  'a release that does not look at the version': () =>
    new (class extends InMemoryTokenStore {
      override async release(key: string, { fence }: SeenRecord, note: string) {
        const { version = 0 } = (await super.load(key)) ?? {};
        return super.release(key, { version, fence }, note);
      }
    })(),
  'a release that does not look at the fence': () =>
    new (class extends InMemoryTokenStore {
      override async release(key: string, { version }: SeenRecord, note: string) {
        const { fence = 0 } = (await super.load(key)) ?? {};
        return super.release(key, { version, fence }, note);
      }
    })(),
  'forgetting that forgets nothing': () =>
    new (class extends InMemoryTokenStore {
      override async forget() {}
    })(),
  'forgetting that makes a record': () =>
    new (class extends InMemoryTokenStore {
      override async forget(key: string) {
        await super.commit(key, 0, '');
        await super.forget(key);
      }
    })(),
  'a swap that does not compare': () =>
    new (class extends InMemoryTokenStore {
      override async swap(key: string, _expected: string, value: string) {
        return super.swap(key, (await super.load(key))?.value ?? '', value);
      }
    })(),
  'a swap that counts as a commit': () =>
    new (class extends InMemoryTokenStore {
      override async swap(key: string, expected: string, value: string) {
        const record = await super.load(key);
        if (record?.value !== expected) return false;
        return (await super.commit(key, record.version, value)) !== undefined;
      }
    })(),
  'keys that are cut': () =>
    new (class extends InMemoryTokenStore {
      override async keys(prefix: string) {
        const { keys } = await super.keys(prefix);
        return { keys: keys.slice(0, 1_000), cursor: undefined };
      }
    })(),
  'keys of any case': () =>
    new (class extends InMemoryTokenStore {
      override async keys(prefix: string) {
        const { keys } = await super.keys('');
        const found = keys.filter((key) => key.toLowerCase().startsWith(prefix.toLowerCase()));
        return { keys: found, cursor: undefined };
      }
    })(),
  'a clock in seconds': () =>
    new (class extends InMemoryTokenStore {
      override async load(key: string) {
        const record = await super.load(key);
        return record && { ...record, now: record.now / 1_000 };
      }
    })(),
};

describe('the contract of token stores', () => {
  it('is kept by the store in memory, used by all cases at once', async () => {
    await expect(failures(new InMemoryTokenStore())).resolves.toEqual([]);
  });

  it.each(Object.entries(MISTAKEN))('is broken by %s', async (_, makeStore) => {
    await expect(failures(makeStore())).resolves.not.toEqual([]);
  });

  it('names each case once', () => {
    const names = tokenStoreContract.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
