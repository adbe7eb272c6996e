import { expect, it } from '@jest/globals';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { STORES, describeEachOn } from '../support/servers.js';

describeEachOn(STORES)('$name', ({ open }) => {
  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const { store, another } = await open();
    await expect(run(store, another)).resolves.toBeUndefined();
  });
});
