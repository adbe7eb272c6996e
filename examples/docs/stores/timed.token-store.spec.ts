import { describe, expect, it } from '@jest/globals';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { TimedTokenStore } from './timed.token-store.js';

describe('TimedTokenStore', () => {
  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const data = new InMemoryTokenStore();
    // Two stores on the same data, like those of two replicas; each with its own connections.
    const [one, another] = [
      new TimedTokenStore(data, () => {}),
      new TimedTokenStore(data, () => {}),
    ];
    await expect(run(one, another)).resolves.toBeUndefined();
  });
});
