import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, installClock, startSandbox } from '../support/services.js';
import { creations, deletions, replica } from './support/verification.js';

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

  it('continues if the transaction cannot be given their record', async () => {
    const clock = installClock();
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const memory = durableStore();
    let isFailing = false;
    const store = changed(memory, {
      commit: async (key, ...step) => {
        if (isFailing && key.includes('/transaction/')) throw new Error('down');
        return memory.commit(key, ...step);
      },
    });
    const one = await replica(sandbox, { store, ...STRICT });
    const begin = { templateKey: sandbox.templateKeys.sdk };
    const { transactionId = '' } = await firstValueFrom(one.verifications.begin('ada', begin));
    const { refreshToken } = await firstValueFrom(one.tokens.fresh({ transactionId }));
    const elsewhere = await replica(sandbox, { store: durableStore(), ...STRICT });
    const newer = await firstValueFrom(elsewhere.tokens.refresh(refreshToken));
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens: newer.refreshToken }));
    isFailing = true;
    await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    isFailing = false;
    expect(warn.mock.calls.join()).toContain('could not be stored under another of their names');
    jest.restoreAllMocks();

    clock.advance(7_200_000);
    for (const { verifications } of [one, await replica(sandbox, { store, ...STRICT })]) {
      expect((await firstValueFrom(verifications.result('ada'))).status).toBe('in_progress');
      const resumed = await firstValueFrom(verifications.begin('ada', begin));
      expect(resumed).toMatchObject({ isResumed: true, transactionId });
    }
    expect(creations(sandbox)).toBe(1);
    // The next exchange has made up for it.
    expect((await firstValueFrom(one.tokens.fresh({ transactionId }))).needsRefresh()).toBe(false);
  });

  it('has the new transaction, also on a replica that has read the previous one', async () => {
    const sandbox = await startSandbox();
    const store = durableStore();
    const one = await replica(sandbox, { store });
    const two = await replica(sandbox, { store });
    const begin = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', begin));
    const previous = await firstValueFrom(two.tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(one.transactions.override(previous, { responsePayload: 'us-dl' }));
    const { refreshToken, transactionId } = await createTransaction(sandbox, one);
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));

    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('in_progress');
    const resumed = await firstValueFrom(two.verifications.begin('ada', begin));
    expect(resumed).toMatchObject({ isResumed: true, transactionId });
  });
});

describe('a customer whose refresh token is handed over alone for another one too', () => {
  it('still resumes the hosted verification', async () => {
    const sandbox = await startSandbox();
    const one = await replica(sandbox, { store: durableStore() });
    const begin = { templateKey: sandbox.templateKeys.hosted, kind: 'hosted' as const };
    const first = await firstValueFrom(one.verifications.begin('ada', begin));
    const { refreshToken } = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    const other = { customerUid: 'ada@example.com' };
    await firstValueFrom(one.tokens.remember({ ...other, tokens: refreshToken }));
    await firstValueFrom(one.tokens.fresh(other));
    const again = await firstValueFrom(one.verifications.begin('ada', begin));
    expect(again).toEqual({ ...first, isResumed: true });
  });
});

describe('a customer with only a bare refresh token, whose transaction is gone at Berbix', () => {
  it('is erased', async () => {
    const sandbox = await startSandbox();
    const store = durableStore();
    const one = await replica(sandbox, { store });
    const tokens = await createTransaction(sandbox, one);
    await firstValueFrom(one.transactions.delete(tokens));
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens: tokens.refreshToken }));
    await firstValueFrom(one.verifications.erase('ada'));
    expect((await store.keys('')).keys).toEqual([]);
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
