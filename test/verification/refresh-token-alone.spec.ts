import { describe, expect, it } from '@jest/globals';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, startSandbox } from '../support/services.js';
import { deletions, replica } from './support/verification.js';

const durableStore = (): InMemoryTokenStore =>
  Object.assign(new InMemoryTokenStore(), { shared: true, durable: true });

const STRICT = { freshness: { rotation: 'strict' } } as const;

describe('a customer whose newer refresh token the application hands over alone', () => {
  it('has one transaction, by every name, until it is forgotten', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const store = durableStore();
    const one = await replica(sandbox, { store, ...STRICT });
    const begin = { templateKey: sandbox.templateKeys.hosted, kind: 'hosted' as const };
    const { transactionId = '', hostedUrl } = await firstValueFrom(
      one.verifications.begin('ada', begin),
    );
    const { refreshToken } = await firstValueFrom(one.tokens.fresh({ transactionId }));
    const elsewhere = await replica(sandbox, { store: durableStore(), ...STRICT });
    const newer = await firstValueFrom(elsewhere.tokens.refresh(refreshToken));
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens: newer.refreshToken }));
    await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));

    const two = await replica(sandbox, { store, ...STRICT });
    const of = { transactionId };
    expect((await firstValueFrom(two.transactions.fetch(of))).customerUid).toBe('ada');
    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('in_progress');
    expect(await firstValueFrom(two.verifications.history('ada'))).toEqual([transactionId]);
    const resumed = await firstValueFrom(two.verifications.begin('ada', begin));
    expect(resumed).toMatchObject({ isResumed: true, hostedUrl, transactionId });

    await firstValueFrom(two.tokens.forget(of));
    expect((await store.keys('')).keys).toEqual(['default/customer/ada']);
    expect((await errorOf(two.tokens.fresh({ customerUid: 'ada' }))).code).toBe('BERBIX_GONE');
  });
});

describe('a customer with only a bare refresh token, which the API replaces', () => {
  it.each([
    ['the current one', false],
    ['an earlier one', true],
  ])('is erased by another replica when the API can delete again: %s', async (_, isEarlier) => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const store = durableStore();
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
