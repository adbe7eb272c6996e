import { expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BerbixStoreError } from 'nestjs-berbix';
import {
  CheckedStore,
  InMemoryTokenStore,
  PlaintextCipher,
  SealedRecords,
} from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import { installClock } from '../support/services.js';

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

it('a lease whose answer was lost counts from the call', async () => {
  const clock = installClock();
  class Lossy extends InMemoryTokenStore {
    override async lease(...args: Parameters<InMemoryTokenStore['lease']>): Promise<never> {
      await super.lease(...args);
      clock.advance(5_000);
      throw new Error('connection reset');
    }
  }
  const store = new CheckedStore(new Lossy(), 60_000);
  const sealed = new SealedRecords(store, new PlaintextCipher(), 'default');
  const lease = await sealed.lease('name', { version: 0, leaseEpoch: 0 }, 60_000, {});
  expect(lease?.leaseEpoch).toBe(1);
  expect(performance.now() - (lease?.moment.local ?? 0)).toBeGreaterThanOrEqual(5_000);
  // One that has ended by now is of no use.
  await expect(
    sealed.lease('other', { version: 0, leaseEpoch: 0 }, 4_000, {}),
  ).rejects.toMatchObject({ code: 'BERBIX_STORE' });
});

it.each(['forget', 'remove'] as const)('%s() knows that only its answer was lost', async (how) => {
  const memory = new InMemoryTokenStore();
  const store = changed(memory, {
    forget: async (key, expected) => {
      await memory.forget(key, expected);
      throw new Error('lost');
    },
  });
  const sealed = new SealedRecords(
    new CheckedStore(store, 60_000),
    new PlaintextCipher(),
    'default',
  );
  await sealed.commit('name', 0, { count: 1 });
  const seen = await sealed.load('name');
  if (how === 'forget') expect(await sealed.forget('name', seen)).toBe(true);
  else await sealed.remove('name');
  expect(await sealed.load('name')).toMatchObject({ version: 2, value: undefined });
  // Another version is another record.
  await sealed.commit('name', 2, { count: 2 });
  await expect(sealed.forget('name', seen)).rejects.toMatchObject({ code: 'BERBIX_STORE' });
});

it('a record that could not be read is logged if it is removed, and not if it has changed', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const store = new CheckedStore(new InMemoryTokenStore(), 60_000);
  const sealed = new SealedRecords(store, new PlaintextCipher(), 'default');
  await sealed.commit('name', 0, { count: 1 });
  const unread = new BerbixStoreError('It was altered.');
  try {
    expect(await sealed.forget('name', { version: 2, leaseEpoch: 0, unread })).toBe(false);
    expect(warn).not.toHaveBeenCalled();
    expect(await sealed.forget('name', { version: 1, leaseEpoch: 0, unread })).toBe(true);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('It was altered. (BERBIX_STORE'));
  } finally {
    warn.mockRestore();
  }
});
