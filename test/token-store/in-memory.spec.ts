import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import { forget } from './support/steps.js';

const DAY_MS = 86_400_000;
const NOTHING = { version: 0, leaseEpoch: 0 };

describe('an InMemoryTokenStore', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is not shared, and says so', () => {
    const store = new InMemoryTokenStore();
    expect(store).toMatchObject({ shared: false, durable: false });
  });

  it('removes the least recently used records above its limit, if nobody can be using them', async () => {
    const store = new InMemoryTokenStore(2);
    const present = async (): Promise<string[]> => (await store.keys('')).keys.toSorted();
    const minutes = (count: number) => jest.advanceTimersByTime(count * 60_000);
    for (const key of ['a', 'b', 'c']) await store.commit(key, 0, 'value');
    expect(await present()).toEqual(['a', 'b', 'c']);
    minutes(2);
    await store.commit('a', 1, 'value');
    expect(await present()).toEqual(['a', 'c']);
    minutes(2);
    await store.lease('c', { version: 1, leaseEpoch: 0 }, 3 * 60_000, '');
    minutes(2);
    // c is still leased; a has been unused for four minutes.
    await store.commit('d', 0, 'value');
    expect(await present()).toEqual(['c', 'd']);
    await store.commit('e', 0, 'value');
    expect(await present()).toEqual(['c', 'd', 'e']);
  });

  it.each([
    ['was used a minute ago', 60_000, 0],
    ['was leased until now', 90_000, 90_000],
  ])('removes a record that %s, and not a millisecond earlier', async (_, ms, ttlMs) => {
    const store = new InMemoryTokenStore(1);
    await store.commit('seen', 0, 'value');
    await store.lease('seen', { version: 1, leaseEpoch: 0 }, ttlMs, '');
    jest.advanceTimersByTime(ms - 1);
    await store.commit('early', 0, 'value');
    expect((await store.keys('')).keys).toEqual(['seen', 'early']);
    jest.advanceTimersByTime(1);
    await store.commit('late', 0, 'value');
    expect((await store.keys('')).keys).toEqual(['early', 'late']);
  });

  it('leases a record again as soon as its lease has ended', async () => {
    const store = new InMemoryTokenStore();
    await store.lease('key', NOTHING, 1_000, '');
    const again = () => store.lease('key', { version: 0, leaseEpoch: 1 }, 1_000, '');
    jest.advanceTimersByTime(999);
    expect([(await store.load('key'))?.leasedForMs, await again()]).toEqual([1, undefined]);
    jest.advanceTimersByTime(1);
    expect((await store.load('key'))?.leasedForMs).toBe(0);
    expect(await again()).toMatchObject({ leaseEpoch: 2 });
  });

  it('tells the time that has passed, also while the machine was suspended', async () => {
    const store = new InMemoryTokenStore();
    await store.commit('key', 0, 'value');
    const aheadMs = async (): Promise<number> => {
      const { now = 0 } = (await store.load('key')) ?? {};
      return Math.round(now - performance.timeOrigin - performance.now());
    };
    const seen: number[][] = [];
    // How far the host's clock is set forward: corrections of up to a second change nothing.
    for (const stepMs of [0, 1_000, 600, 600, -5_000, 1_001, 0, -3_600_000, 60_000, 0]) {
      jest.setSystemTime(Date.now() + stepMs);
      seen.push([stepMs, await aheadMs()]);
      jest.advanceTimersByTime(10_000);
    }
    expect(seen).toEqual([
      [0, 0],
      [1_000, 0],
      [600, 0],
      [600, 0],
      [-5_000, 0],
      [1_001, 1_001],
      [0, 1_001],
      [-3_600_000, 1_001],
      [60_000, 61_001],
      [0, 61_001],
    ]);
  });

  it('looks at records that must stay once a minute, however many are written', async () => {
    let looks = 0;
    let mustStay = true;
    const store = new InMemoryTokenStore(2, () => {
      looks++;
      return mustStay;
    });
    const write = async (name: string): Promise<void> => {
      for (let n = 0; n < 100; n++) await store.commit(`${name} ${n}`, 0, 'value');
    };
    await write('early');
    jest.advanceTimersByTime(2 * 60_000);
    await write('late');
    expect(looks).toBe(100);
    expect((await store.keys('')).keys).toHaveLength(200);
    mustStay = false;
    jest.advanceTimersByTime(2 * 60_000);
    await write('last');
    expect((await store.keys('')).keys).toHaveLength(100);
  });

  it('keeps a record with a value long after its lease was released', async () => {
    const store = new InMemoryTokenStore();
    await store.commit('kept', 0, 'value');
    const lease = await store.lease('kept', { version: 1, leaseEpoch: 0 }, 1_000, '');
    await store.release('kept', { version: 1, leaseEpoch: lease!.leaseEpoch }, '');
    jest.advanceTimersByTime(2 * DAY_MS);
    // Removes what is due for removal.
    await store.commit('other', 0, 'value');
    await forget(store, 'other');
    expect(await store.load('kept')).toMatchObject({ value: 'value' });
  });

  it.each([
    ['a record is forgotten', (store: InMemoryTokenStore) => forget(store, 'other')],
    [
      'an empty one is leased',
      (store: InMemoryTokenStore) => store.lease('new', NOTHING, 1_000, ''),
    ],
  ])('removes records without a value after a day, when %s', async (_, step) => {
    const store = new InMemoryTokenStore();
    const keys = ['leased', 'forgotten', 'taken up', 'forgotten late', 'kept', 'leased again'];
    const present = async (): Promise<boolean[]> =>
      Promise.all(keys.map(async (key) => (await store.load(key)) !== undefined));
    await store.lease('leased', NOTHING, 1_000, '');
    await store.lease('leased again', NOTHING, 1_000, '');
    for (const key of ['forgotten', 'taken up']) {
      await store.commit(key, 0, 'value');
      await forget(store, key);
    }
    for (const key of ['forgotten late', 'kept', 'other']) await store.commit(key, 0, 'value');
    await store.commit('taken up', 2, 'value');

    jest.advanceTimersByTime(DAY_MS - 1);
    await store.lease('leased again', { version: 0, leaseEpoch: 1 }, 1_000, '');
    await forget(store, 'forgotten late');
    await expect(present()).resolves.toEqual([true, true, true, true, true, true]);
    jest.advanceTimersByTime(1);
    await step(store);
    await expect(present()).resolves.toEqual([false, false, true, true, true, true]);
  });
});
