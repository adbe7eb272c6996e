import { describe, expect, it } from '@jest/globals';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, startSandbox } from '../support/services.js';
import { deletions, replica } from './support/verification.js';

const STRICT = { freshness: { rotation: 'strict' } } as const;

describe('a customer with only a bare refresh token, which the API replaces', () => {
  it.each([
    ['the current one', false],
    ['an earlier one', true],
  ])('is erased by another replica when the API can delete again: %s', async (_, isEarlier) => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const store = Object.assign(new InMemoryTokenStore(), { shared: true, durable: true });
    const one = await replica(sandbox, { store, ...STRICT });
    const { refreshToken } = await createTransaction(sandbox, one);
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    if (isEarlier) {
      const tokens = await createTransaction(sandbox, one);
      await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens }));
    }

    const count = isEarlier ? 2 : 1;
    for (let n = 0; n < count; n++) {
      sandbox.faults.add({ kind: 'status', status: 503, method: 'DELETE' });
    }
    expect((await errorOf(one.verifications.erase('ada'))).code).toBe('BERBIX_SERVER');
    const two = await replica(sandbox, { store, ...STRICT });
    await firstValueFrom(two.verifications.erase('ada'));
    expect(deletions(sandbox)).toBe(2 * count);
    expect((await store.keys('')).keys).toEqual([]);
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('gone');
  });
});
