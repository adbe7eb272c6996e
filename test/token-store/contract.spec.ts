import { describe, expect, it } from '@jest/globals';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { closeAfterTest } from '../support/services.js';
import { STORES } from '../support/servers.js';

describe.each(STORES)('$name', ({ open }) => {
  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const { store, another, close } = await open();
    closeAfterTest(close);
    await expect(run(store, another)).resolves.toBeUndefined();
  });
});
