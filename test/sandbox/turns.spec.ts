import { describe, expect, it } from '@jest/globals';
import { Turns } from '../../lib/sandbox/transactions/turns.js';

/** Work that waits until it is told to end. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('Turns', () => {
  it('do the work on one thing one after the other', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const first = gate();
    const one = turns.take('a', async () => {
      await first.opened;
      order.push('one');
      return 1;
    });
    const two = turns.take('a', async () => order.push('two'));
    const other = turns.take('b', async () => order.push('other'));
    await other;
    first.open();
    await expect(one).resolves.toBe(1);
    await two;
    expect(order).toEqual(['other', 'one', 'two']);
  });

  it('go on after a failure', async () => {
    const turns = new Turns();
    const failing = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('a', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
    await expect(turns.take('a', async () => 'again')).resolves.toBe('again');
  });
});
