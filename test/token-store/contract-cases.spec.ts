import { describe, expect, it } from '@jest/globals';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { InMemoryTokenStore, type BerbixTokenStore } from '../../lib/token-store/index.js';
import { STEPS_IN_PARTS, WRONG_STEPS } from './support/mistaken-stores.js';
import { WRONG_TEXTS } from './support/mistaken-texts.js';
import { RowStore } from './support/row.store.js';

/** The names of the cases that a store fails. */
async function failures(store: BerbixTokenStore, another?: BerbixTokenStore): Promise<string[]> {
  const failed = await Promise.all(
    tokenStoreContract.map(({ name, run }) =>
      run(store, another).then(
        () => [],
        () => [name],
      ),
    ),
  );
  return failed.flat();
}

describe('the contract of token stores', () => {
  it.each([
    ['the store in memory', new InMemoryTokenStore()],
    ['the store that the broken ones are made from', new RowStore()],
  ])('is kept by %s, with all cases running concurrently', async (_, store) => {
    await expect(failures(store)).resolves.toEqual([]);
  });

  it.each(Object.entries({ ...WRONG_STEPS, ...STEPS_IN_PARTS, ...WRONG_TEXTS }))(
    'is broken by %s',
    async (_, [Mistaken, ...cases]) => {
      await expect(failures(new Mistaken())).resolves.toEqual(expect.arrayContaining(cases));
    },
  );

  it('is broken by two stores that do not share their records', async () => {
    const failed = await failures(new InMemoryTokenStore(), new InMemoryTokenStore());
    expect(failed).toContain('a commit increments the version');
  });

  it('names each case once', () => {
    const names = tokenStoreContract.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
