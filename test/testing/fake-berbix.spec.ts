import { describe, expect, it, jest } from '@jest/globals';
import { BerbixServerError, BerbixTokens, type BerbixTransactionService } from 'nestjs-berbix';
import { FakeBerbix } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { installClock, servicesFor, startSandbox } from '../support/services.js';

describe('FakeBerbix', () => {
  it('accepts no access token after an hour, even if the client considers it valid', async () => {
    const clock = installClock();
    const fake = new FakeBerbix();
    const created = await firstValueFrom(
      fake.transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }),
    );
    const { accessToken, refreshToken } = created;
    clock.advance(3_601_000);
    const expiresAt = new Date(Date.now() + 3_000_000);
    const believed = new BerbixTokens({ accessToken, refreshToken, expiresAt });
    await firstValueFrom(fake.transactions.fetch(believed));
    expect(fake.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v0/transactions',
      'GET /v0/transactions',
      'POST /v0/tokens',
      'GET /v0/transactions',
    ]);
  });

  it('refuses an access token that it does not know, and the client gets another', async () => {
    const fake = new FakeBerbix();
    const create = { customerUid: 'ada', templateKey: 'tpk_x' };
    const { refreshToken, expiresAt } = await firstValueFrom(fake.transactions.create(create));
    const believed = new BerbixTokens({ accessToken: 'at_unknown', refreshToken, expiresAt });
    expect(await firstValueFrom(fake.transactions.fetch(believed))).toMatchObject({
      customerUid: 'ada',
      action: undefined,
    });
    expect(fake.calls.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST', 'GET']);
  });

  it('ends the hour of an access token at the exact millisecond', async () => {
    const now = Date.now();
    const time = jest.spyOn(Date, 'now').mockReturnValue(now);
    try {
      const fake = new FakeBerbix();
      const { accessToken, refreshToken } = await firstValueFrom(
        fake.transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }),
      );
      const expiresAt = new Date(now + 7_200_000);
      const believed = new BerbixTokens({ accessToken, refreshToken, expiresAt });
      for (const [ms, methods] of [
        [3_599_999, ['GET']],
        [3_600_000, ['GET', 'POST', 'GET']],
      ] as const) {
        time.mockReturnValue(now + ms);
        fake.calls.length = 0;
        await firstValueFrom(fake.transactions.fetch(believed));
        expect(fake.calls.map(({ method }) => method)).toEqual(methods);
      }
    } finally {
      time.mockRestore();
    }
  });

  it('exchanges no refresh token of a deleted transaction', async () => {
    const fake = new FakeBerbix();
    const created = await firstValueFrom(
      fake.transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }),
    );
    await firstValueFrom(fake.transactions.delete(created));
    const error = await errorOf(fake.tokens.refresh(created.refreshToken));
    expect(error).toMatchObject({
      code: 'BERBIX_GONE',
      status: 410,
      retryable: false,
      message: 'The fake Berbix has deleted this transaction.',
    });
  });

  it('supports a whole verification', async () => {
    const fake = new FakeBerbix();
    const options = { templateKey: 'tpk_x' };
    const result = async (): Promise<string> =>
      (await firstValueFrom(fake.verifications.result('ada'))).status;
    expect(await result()).toBe('not_started');
    await firstValueFrom(fake.verifications.begin('ada', options));
    expect(await result()).toBe('in_progress');
    const before = new Date();
    fake.finish('ada', 'reject', ['id_expired']);
    expect(await result()).toBe('rejected');
    const finished = await firstValueFrom(fake.transactions.fetch({ customerUid: 'ada' }));
    expect(finished).toMatchObject({ action: 'reject', flags: ['id_expired'] });
    expect(finished.createdAt?.getTime()).toBeLessThanOrEqual(before.getTime());
    expect(finished.completedAt?.getTime()).toBeGreaterThanOrEqual(before.getTime());
    const accept = { action: 'accept' };
    await firstValueFrom(fake.transactions.update({ customerUid: 'ada' }, accept));
    expect(await result()).toBe('accepted');
    await firstValueFrom(fake.verifications.reverify('ada', options));
    const override = { responsePayload: 'us-dl' as const, overrideFields: { given_name: 'ADA' } };
    await firstValueFrom(fake.transactions.override({ customerUid: 'ada' }, override));
    const { transaction } = await firstValueFrom(fake.verifications.result('ada'));
    expect(transaction?.fields['given_name']?.value).toBe('ADA');
    await firstValueFrom(fake.verifications.erase('ada'));
    expect(await result()).toBe('gone');
  });

  it('updates only a completed transaction, and overrides only an open one', async () => {
    const fake = new FakeBerbix();
    const ada = { customerUid: 'ada' };
    await firstValueFrom(fake.verifications.begin('ada', { templateKey: 'tpk_x' }));
    const update = () => fake.transactions.update(ada, { action: 'reject' });
    const override = () => fake.transactions.override(ada, { responsePayload: 'us-dl' });
    const conflict = { code: 'BERBIX_CONFLICT', status: 409, retryable: false };
    expect(await errorOf(update())).toMatchObject({
      ...conflict,
      message: 'This transaction is not completed.',
    });
    await firstValueFrom(override());
    expect(await errorOf(override())).toMatchObject({
      ...conflict,
      message: 'This transaction is already completed.',
    });
    expect((await firstValueFrom(update())).action).toBe('reject');
  });

  it('decides by the flags of an override as the sandbox does', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const actionOf = async (transactions: BerbixTransactionService, flags: string[]) => {
      const templateKey = sandbox.templateKeys.sdk;
      const created = await firstValueFrom(
        transactions.create({ customerUid: 'ada', templateKey }),
      );
      const override = { responsePayload: 'us-dl' as const, flags };
      await firstValueFrom(transactions.override(created, override));
      return (await firstValueFrom(transactions.fetch(created))).action;
    };
    const fake = new FakeBerbix();
    const results = [
      [],
      ['id_expired'],
      ['id_under_18'],
      ['id_expired', 'id_blocked'],
      ['made_up'],
    ];
    for (const flags of results) {
      const action = await actionOf(services.transactions, flags);
      expect(await actionOf(fake.transactions, flags)).toBe(action);
    }
  });

  it("finishes the customer's latest transaction, and no other", async () => {
    const fake = new FakeBerbix();
    const create = (customerUid: string) =>
      firstValueFrom(fake.transactions.create({ customerUid, templateKey: 'tpk_x' }));
    const created = [await create('ada'), await create('ada'), await create('bob')];
    fake.finish('ada', 'reject');
    const completed = created.map(async (tokens) => {
      const { completedAt } = await firstValueFrom(fake.transactions.fetch(tokens));
      return completedAt !== undefined;
    });
    expect(await Promise.all(completed)).toEqual([false, true, false]);
  });

  it('fails once for each error, in their order', async () => {
    const berbix = new FakeBerbix();
    for (const problem of ['down', 'still down']) {
      berbix.failNext(new BerbixServerError(problem, { retryable: true }));
    }
    const create = { customerUid: 'ada', templateKey: 'tpk_x' };
    for (const problem of ['down', 'still down']) {
      expect((await errorOf(berbix.transactions.create(create))).message).toContain(problem);
    }
    expect(await firstValueFrom(berbix.transactions.create(create))).toBeDefined();
    expect(berbix.calls).toHaveLength(3);
    expect(() => berbix.finish('bob', 'accept')).toThrow('There is no transaction of bob.');
  });

  it('expires tokens by the clock of the test runner', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const berbix = new FakeBerbix();
      await firstValueFrom(berbix.verifications.begin('ada', { templateKey: 'tpk_x' }));
      jest.advanceTimersByTime(3_600_000);
      await firstValueFrom(berbix.transactions.fetch({ customerUid: 'ada' }));
      expect(berbix.calls.map(({ path }) => path)).toContain('/v0/tokens');
    } finally {
      jest.useRealTimers();
    }
  });

  it('knows only its own tokens', async () => {
    const berbix = new FakeBerbix();
    expect(await errorOf(berbix.tokens.refresh('rt_unknown'))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
      status: 401,
      retryable: false,
      message: 'The fake Berbix does not know this refresh token.',
    });
    const create = { customerUid: 'ada', templateKey: 'tpk_x' };
    const hosted = await firstValueFrom(berbix.transactions.createHosted(create));
    expect(hosted.hostedUrl).toMatch(/^https:/);
    const apiOnly = await firstValueFrom(berbix.transactions.createApiOnly(create));
    expect(apiOnly.firstStep).toBe('upload_document_front');
    const upload = () => berbix.transactions.uploadIdScan(apiOnly.tokens, 'AAAA');
    expect((await firstValueFrom(upload())).nextStep).toBe('done');
    await firstValueFrom(berbix.transactions.delete(apiOnly.tokens));
    expect((await errorOf(upload())).code).toBe('BERBIX_GONE');
  });
});
