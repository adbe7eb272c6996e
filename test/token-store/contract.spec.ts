import { expect, it } from '@jest/globals';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { closeAfterTest } from '../support/services.js';
import { STORES, describeEachOn } from '../support/servers.js';

describeEachOn(STORES)('$name', ({ open }) => {
  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const { store, another, close } = await open();
    closeAfterTest(close);
    await expect(run(store, another)).resolves.toBeUndefined();
  });
});
