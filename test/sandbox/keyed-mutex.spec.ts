import { describe, expect, it } from '@jest/globals';
import { KeyedMutex } from '../../lib/sandbox/transactions/transactions.js';

/** Work that waits until it is told to end. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('KeyedMutex', () => {
  it('runs the functions of one key one after the other', async () => {
    const mutex = new KeyedMutex();
    const order: string[] = [];
    const first = gate();
    const one = mutex.run('a', async () => {
      await first.opened;
      order.push('one');
      return 1;
    });
    const second = gate();
    const two = mutex.run('a', async () => {
      await second.opened;
      order.push('two');
    });
    const other = mutex.run('b', async () => order.push('other'));
    await other;
    first.open();
    await expect(one).resolves.toBe(1);
    const three = mutex.run('a', async () => order.push('three'));
    second.open();
    await Promise.all([two, three]);
    expect(order).toEqual(['other', 'one', 'two', 'three']);
  });

  it('continues after a failure', async () => {
    const mutex = new KeyedMutex();
    const failing = mutex.run('a', () => Promise.reject(new Error('no')));
    const next = mutex.run('a', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
    await expect(mutex.run('a', async () => 'again')).resolves.toBe('again');
  });
});
