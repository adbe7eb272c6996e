import { inspect } from 'node:util';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  InMemoryTokenStore,
  type BerbixTokenStore,
  type VerificationStartDto,
} from 'nestjs-berbix';
import { BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { STORES, describeEachOn } from '../support/servers.js';
import { createTransaction, installClock, startSandbox } from '../support/services.js';
import { everyViewOf } from '../support/sinks.js';
import { creations, replica, type Replica } from './support/verification.js';

let shared: Promise<BerbixSandbox> | undefined;

/** One for all tests: each has a store of its own, with transactions that no other test knows. */
function sharedSandbox(): Promise<BerbixSandbox> {
  shared ??= BerbixSandbox.start();
  return shared;
}

afterAll(async () => (await shared)?.close());

describeEachOn(STORES)('verification on $name', ({ open }) => {
  async function setUp(sandboxOptions?: BerbixSandboxOptions): Promise<{
    store: BerbixTokenStore;
    sandbox: BerbixSandbox;
    one: Replica;
    two: Replica;
  }> {
    const { store, another } = await open();
    const sandbox = sandboxOptions ? await startSandbox(sandboxOptions) : await sharedSandbox();
    sandbox.requests.clear();
    return {
      store,
      sandbox,
      one: await replica(sandbox, { store }),
      two: await replica(sandbox, { store: another }),
    };
  }

  /** Completes the customer's current transaction. */
  async function finish({ transactions }: Replica, flags: string[] = []): Promise<void> {
    const result = { responsePayload: 'us-dl' as const, flags };
    await firstValueFrom(transactions.override({ customerUid: 'ada' }, result));
  }

  it('begins, and resumes an unfinished verification, also on another replica', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = await firstValueFrom(one.verifications.begin('ada', options));
    expect(begun).toMatchObject({ isResumed: false, clientToken: expect.any(String) });
    const resumed = await firstValueFrom(two.verifications.begin('ada', options));
    expect(resumed).toMatchObject({ isResumed: true, transactionId: begun.transactionId });
    expect(resumed.clientToken).toEqual(expect.any(String));
    expect(creations(sandbox)).toBe(1);
  });

  it('creates one transaction for many concurrent calls on several replicas', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const calls = Array.from({ length: 12 }, (_, n) =>
      firstValueFrom((n % 2 ? one : two).verifications.begin('ada', options)),
    );
    const ids = new Set((await Promise.all(calls)).map(({ transactionId }) => transactionId));
    expect(ids.size).toBe(1);
    expect(creations(sandbox)).toBe(1);
  });

  it('begins hosted verifications, and resumes them at the same URL', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.hosted, kind: 'hosted' as const };
    const begun = await firstValueFrom(one.verifications.begin('ada', options));
    expect(begun.hostedUrl).toEqual(expect.stringMatching(/^http/));
    const sent = JSON.parse(JSON.stringify(begun)) as object;
    expect(Object.keys(sent).toSorted()).toEqual(['hostedUrl', 'isResumed', 'transactionId']);
    expect(inspect(begun)).toMatch(/hostedUrl: '\[redacted\]'/);
    expect(inspect(begun)).not.toMatch(/clientToken|http/);
    const resumed = await firstValueFrom(two.verifications.begin('ada', options));
    expect(resumed).toMatchObject({ isResumed: true, hostedUrl: begun.hostedUrl });
  });

  it('begins no second attempt after a finished one, except on request', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = await firstValueFrom(one.verifications.begin('ada', options));
    await finish(one);
    const error = await errorOf(two.verifications.begin('ada', options));
    expect(error).toMatchObject({ code: 'BERBIX_CONFLICT' });
    const again = await firstValueFrom(two.verifications.begin('ada', { ...options, again: true }));
    expect(again.isResumed).toBe(false);
    expect(again.transactionId).not.toBe(begun.transactionId);
  });

  it('begins a new attempt if the transaction is gone at Berbix', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = await firstValueFrom(one.verifications.begin('ada', options));
    await firstValueFrom(one.transactions.delete({ customerUid: 'ada' }));
    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('gone');
    const anew = await firstValueFrom(two.verifications.begin('ada', options));
    expect(anew.isResumed).toBe(false);
    expect(anew.transactionId).not.toBe(begun.transactionId);
  });

  it('begins a new attempt for another template or kind', async () => {
    const { sandbox, one } = await setUp();
    const { sdk, hosted } = sandbox.templateKeys;
    const begin = (templateKey: string, kind: 'sdk' | 'hosted'): Promise<VerificationStartDto> =>
      firstValueFrom(one.verifications.begin('ada', { templateKey, kind }));
    await begin(sdk, 'sdk');
    expect((await begin(hosted, 'hosted')).isResumed).toBe(false);
    expect((await begin(hosted, 'hosted')).isResumed).toBe(true);
    expect((await begin(sdk, 'sdk')).isResumed).toBe(false);
  });

  it('reverifies: begins a new attempt, and earlier ones stay readable', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const first = await firstValueFrom(one.verifications.begin('ada', options));
    await finish(one, ['id_expired']);
    const again = await firstValueFrom(one.verifications.reverify('ada', options));
    expect(again.isResumed).toBe(false);
    expect(creations(sandbox)).toBe(2);
    const history = await firstValueFrom(two.verifications.history('ada'));
    expect(history).toEqual([first.transactionId, again.transactionId]);
    const [earlier] = history as [string];
    const before = await firstValueFrom(two.transactions.fetch({ transactionId: earlier }));
    expect(before).toMatchObject({ customerUid: 'ada', flags: ['id_expired'] });
    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('in_progress');
  });

  it('reads the result of the new attempt immediately, on replicas that have cached the old one', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', options));
    await finish(one);
    await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(two.tokens.fresh({ customerUid: 'ada' }));
    const begun = await firstValueFrom(one.verifications.reverify('ada', options));
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('in_progress');
    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('in_progress');
    const { transactionId } = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    expect(transactionId).toBe(begun.transactionId);
  });

  it.each([
    [[], 'accepted'],
    [['id_blocked'], 'rejected'],
    [['id_expired'], 'review'],
  ])('with the flags %j, the result is %s', async (flags, status) => {
    const { sandbox, one, two } = await setUp();
    const { verifications } = two;
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('not_started');
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', options));
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('in_progress');
    await finish(one, flags);
    const result = await firstValueFrom(verifications.result('ada'));
    expect(result).toMatchObject({ status, transaction: { customerUid: 'ada', flags } });
  });

  it.each(['on-hold', 'constructor'])('calls the action %s other', async (action) => {
    const { sandbox, one } = await setUp({ actionMap: { id_expired: action } });
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', options));
    await finish(one, ['id_expired']);
    const result = await firstValueFrom(one.verifications.result('ada'));
    expect(result).toMatchObject({ status: 'other', transaction: { action } });
  });

  it('erases all attempts at Berbix and in the store, and can be repeated', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', options));
    const first = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(one.verifications.reverify('ada', options));
    const second = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(one.verifications.erase('ada'));
    // Nor are they in its cache.
    expect((await errorOf(one.tokens.fresh({ customerUid: 'ada' }))).code).toBe('BERBIX_GONE');
    await firstValueFrom(two.verifications.erase('ada'));
    for (const { refreshToken } of [first, second]) {
      expect((await errorOf(one.transactions.fetch(refreshToken))).code).toBe('BERBIX_GONE');
    }
    expect((await errorOf(two.tokens.fresh({ customerUid: 'ada' }))).code).toBe('BERBIX_GONE');
    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('gone');
    const anew = await firstValueFrom(two.verifications.begin('ada', options));
    expect(anew.isResumed).toBe(false);
  });

  it('keeps what it could not delete, so that it can be repeated', async () => {
    const { sandbox, one } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', options));
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/transactions' });
    expect((await errorOf(one.verifications.erase('ada'))).code).toBe('BERBIX_SERVER');
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('in_progress');
    await firstValueFrom(one.verifications.erase('ada'));
    expect((await errorOf(one.tokens.fresh({ customerUid: 'ada' }))).code).toBe('BERBIX_GONE');
  });

  it('can begin again after a creation failed', async () => {
    const { sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/transactions' });
    expect((await errorOf(one.verifications.begin('ada', options))).code).toBe('BERBIX_SERVER');
    expect((await firstValueFrom(two.verifications.begin('ada', options))).isResumed).toBe(false);
  });

  it('returns no other token for browsers', async () => {
    const { sandbox, one } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    for (const start of [
      await firstValueFrom(one.verifications.begin('ada', options)),
      await firstValueFrom(one.verifications.begin('ada', options)),
    ]) {
      const tokens = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
      const views = await everyViewOf(start);
      expect(views).not.toContain(tokens.refreshToken);
      expect(views).not.toContain(tokens.accessToken);
      expect(Object.keys(JSON.parse(JSON.stringify(start))).toSorted()).toEqual([
        'clientToken',
        'expiresAt',
        'isResumed',
        'transactionId',
      ]);
    }
  });

  it('is for the customer of the call, whatever the options say', async () => {
    const { sandbox, one } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk, customerUid: 'eve' };
    const { transactionId = '' } = await firstValueFrom(one.verifications.begin('ada', options));
    expect((await sandbox.transactions.find(transactionId)).customerUid).toBe('ada');
  });

  it('refuses an empty uid and invalid options, even if nothing would be sent', async () => {
    const { sandbox, one } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const { verifications } = one;
    const wrong: [unknown, RegExp][] = [
      [undefined, /templateKey/],
      [null, /templateKey/],
      [{}, /templateKey/],
      [{ ...options, emial: 'x' }, /emial should not exist/],
      [{ ...options, redirectUrl: 'https://bank.example' }, /redirectUrl should not exist/],
      [{ ...options, kind: 'SDK' }, /kind must be 'sdk' or 'hosted'/],
      [{ ...options, kind: null }, /kind must be 'sdk' or 'hosted'/],
      [{ ...options, again: 'false' }, /again must be true or false/],
      [{ ...options, email: 'ada\ud83d@example.com' }, /email must be an email/],
      [{ ...options, kind: 'hosted', redirectUrll: 'x' }, /redirectUrll should not exist/],
    ];
    const refused = async (): Promise<void> => {
      for (const [given, message] of wrong) {
        for (const call of [
          verifications.begin('ada', given as never),
          verifications.reverify('ada', given as never),
        ]) {
          const error = await errorOf(call);
          expect(error.code).toBe('BERBIX_INPUT');
          expect(error.message).toMatch(message);
        }
      }
    };
    for (const call of [
      verifications.begin('', options),
      verifications.reverify(undefined as never, options),
      verifications.result(''),
      verifications.history(''),
      verifications.erase(''),
    ]) {
      expect((await errorOf(call)).code).toBe('BERBIX_INPUT');
    }
    await refused();
    expect(creations(sandbox)).toBe(0);
    await firstValueFrom(verifications.begin('ada', options));
    await refused();
    expect(creations(sandbox)).toBe(1);
  });

  it('does not begin a new attempt if Berbix does not know the transaction, except on request', async () => {
    const { sandbox, one, two } = await setUp();
    const tokens = 'rt_of_another_account';
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens }));
    const options = { templateKey: sandbox.templateKeys.sdk };
    const unknown = { code: 'BERBIX_INVALID_REFRESH_TOKEN' };
    // First the answer of the API, then what the store has noted of it.
    for (const { verifications } of [one, two, one]) {
      expect(await errorOf(verifications.result('ada'))).toMatchObject(unknown);
      const error = await errorOf(verifications.begin('ada', options));
      expect(error).toMatchObject(unknown);
      expect(error.message).toMatch(/apiSecret.*reverify/);
    }
    expect(creations(sandbox)).toBe(0);
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const anew = two.verifications.begin('ada', { ...options, again: true });
    expect((await firstValueFrom(anew)).isResumed).toBe(false);
    const lines = warn.mock.calls.map(([line]) => String(line));
    warn.mockRestore();
    expect(lines.filter((line) => / cannot be resumed: .* apiSecret /.test(line))).toHaveLength(1);
  });

  it('begins no new attempt for an accepted customer with the API secret of another mode', async () => {
    const { store, sandbox, one, two } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.begin('ada', options));
    await finish(one);
    // As after an hour: the access token has expired.
    const { refreshToken } = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(one.tokens.remember({ customerUid: 'bob', tokens: refreshToken }));
    const wrong = await replica(sandbox, { store, apiSecret: sandbox.liveApiSecret });
    // Then with the right secret: what the store noted before no longer counts.
    for (const { verifications } of [wrong, wrong, one, two]) {
      for (const call of [verifications.begin('bob', options), verifications.result('bob')]) {
        expect((await errorOf(call)).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
      }
    }
    expect(creations(sandbox)).toBe(1);
    expect((await firstValueFrom(two.verifications.result('ada'))).status).toBe('accepted');
  });

  it('does not consider transactions of another account deleted; deletes the others, and forget() drops the rest', async () => {
    const { sandbox, one } = await setUp();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const tokens = 'rt_of_another_account';
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens }));
    await firstValueFrom(one.verifications.reverify('ada', options));
    sandbox.requests.clear();
    for (let tries = 0; tries < 2; tries++) {
      const error = await errorOf(one.verifications.erase('ada'));
      expect(error).toMatchObject({ code: 'BERBIX_INVALID_REFRESH_TOKEN', retryable: false });
    }
    const deleted = [...sandbox.requests].filter(({ method }) => method === 'DELETE');
    expect(deleted.map(({ status }) => status)).toContain(204);
    await firstValueFrom(one.tokens.forget({ customerUid: 'ada' }));
    await firstValueFrom(one.verifications.erase('ada'));
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('gone');
  });

  it('erases nothing for an unknown customer', async () => {
    const { one } = await setUp();
    await firstValueFrom(one.verifications.erase('ada'));
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('not_started');
  });
});

describe('an attempt that is forgotten after another one', () => {
  it.each(['its record is removed after a day', 'its tokens are a bare refresh token'])(
    'is not reported as the earlier one: %s',
    async (how) => {
      const clock = installClock();
      const sandbox = await startSandbox();
      const { verifications, transactions, tokens } = await replica(sandbox, {
        store: new InMemoryTokenStore(),
      });
      const options = { templateKey: sandbox.templateKeys.sdk };
      const owner = { customerUid: 'ada' };
      const current = async (): Promise<string> =>
        (await firstValueFrom(verifications.result('ada'))).status;

      const first = await firstValueFrom(verifications.begin('ada', options));
      await firstValueFrom(transactions.override(owner, { responsePayload: 'us-dl' }));
      expect(await current()).toBe('accepted');
      const second = await firstValueFrom(transactions.create({ ...options, ...owner }));
      const isBare = how.includes('bare');
      await firstValueFrom(
        tokens.remember({ ...owner, tokens: isBare ? second.refreshToken : second }),
      );
      expect(await current()).toBe('in_progress');
      const transactionId = second.transactionId as string;

      await firstValueFrom(tokens.forget({ transactionId }));
      expect(await current()).toBe('gone');
      const history = await firstValueFrom(verifications.history('ada'));
      expect(history).toEqual([first.transactionId]);
      clock.advance(25 * 3_600_000);
      // Old records go when others are written.
      await firstValueFrom(verifications.begin('eve', options));
      expect(await current()).toBe('gone');
      const begun = await firstValueFrom(verifications.begin('ada', options));
      expect(begun.isResumed).toBe(false);
      expect(await current()).toBe('in_progress');
    },
  );

  it('is the current one again if it is remembered again', async () => {
    const sandbox = await startSandbox();
    const services = await replica(sandbox, { store: new InMemoryTokenStore() });
    const { verifications, tokens } = services;
    await firstValueFrom(verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk }));
    const second = await createTransaction(sandbox, services);
    const owner = { transactionId: second.transactionId as string };
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: second }));
    await firstValueFrom(tokens.forget(owner));
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: second }));
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('in_progress');
  });
});
