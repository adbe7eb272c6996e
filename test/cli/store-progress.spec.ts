import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { listStore } from '../../lib/cli/store/store-actions.js';
import { InMemoryTokenStore, PlaintextCipher } from '../../lib/token-store/index.js';

/** What a terminal gets, from both streams. */
let written: string;

beforeEach(() => {
  jest.useFakeTimers();
  written = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
  }
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
});
afterEach(() => {
  jest.restoreAllMocks();
  Reflect.deleteProperty(process.stderr, 'isTTY');
  jest.useRealTimers();
});

it('clears the line of the progress on a terminal before it lists a record', async () => {
  const store = new InMemoryTokenStore();
  for (const id of ['1', '2']) {
    await store.commit(`default/transaction/${id}`, 0, 'clear.{"refreshToken":"rt_1"}');
  }
  const { load } = store;
  store.load = (key) => {
    jest.advanceTimersByTime(100);
    return load.call(store, key);
  };
  const context = { store, cipher: new PlaintextCipher(), account: 'default', json: false };
  expect(await listStore(context)).toBe(0);
  // To clear a line removes what is before it.
  const screen = written.split('\n').map((line) => line.split('\r\u001b[K').at(-1));
  expect(screen.toSorted()).toEqual([
    '',
    'transaction/1  refresh token only',
    'transaction/2  refresh token only',
  ]);
});
