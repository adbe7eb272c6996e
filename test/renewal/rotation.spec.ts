import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { BerbixError, BerbixTokens, BerbixRotatedTokens } from 'nestjs-berbix';
import { eachWorld } from './support/world.js';
import type { Habit } from './support/fake-api.js';
import type { StoreFault } from './support/replica-store.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const STRICT = { freshness: { rotation: 'strict' } } as const;
const GRACE = { freshness: { rotation: { graceMs: 10 * MINUTE } } };

describe('fresh() and refresh tokens that the API replaces', () => {
  const the = eachWorld();

  it.each<[string, Habit, object, number]>([
    ['omits it', 'omit', {}, 0],
    ['echoes it', 'echo', {}, 0],
    ['replaces it immediately', 'strict', STRICT, 0],
    ['replaces it with a grace', { graceMs: 10 * MINUTE }, GRACE, 0],
    ['replaces it unexpectedly', 'strict', {}, 3],
  ])(
    'I6, I3: three replicas always have the current refresh token, with an API that %s',
    async (_, habit, options, alarms) => {
      const { world } = the;
      world.api.habit = habit;
      const replicas = [];
      for (let n = 0; n < 3; n++) replicas.push(await world.start(options));
      const owner = await world.remembered(replicas[0]!);
      for (const replica of replicas) {
        await advance(HOUR);
        const tokens = await valueOf(replica.fresh(owner));
        expect(tokens.refreshToken).toBe(world.api.currentOf('1'));
        expect((await world.stored()).tokens.refreshToken).toBe(tokens.refreshToken);
      }
      expect(world.api.exchanges).toHaveLength(3);
      expect(world.logged).toHaveLength(alarms);
    },
  );

  it('I4: nobody gets the tokens before the new refresh token is saved; the run saves it when the store is back', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const [replica, other] = [await world.start(STRICT), await world.start(STRICT)];
    const owner = await world.remembered(replica!);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    const calls = [replica.fresh(owner), replica.fresh(owner)].map((call) => outcomeOf(call));
    for (const { error, afterMs } of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
      expect((error as BerbixError).tokens?.refreshToken).toBe(world.api.currentOf('1'));
      expect(afterMs).toBe(15 * SECOND);
    }
    world.storeFault = undefined;
    await advance(2 * SECOND);
    for (const one of [replica, other]) {
      expect((await valueOf(one.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    }
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I4: a key provider that fails for a moment costs no refresh token', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const key = randomBytes(32);
    let failures = 0;
    const keyProvider = {
      current: () => {
        if (failures-- > 0) throw new Error('canary');
        return { id: 'k1', key };
      },
      byId: () => key,
    };
    const options = { ...STRICT, encryption: { keyProvider } };
    const owner = { customerUid: 'ada' };
    await world.remembered(await world.start(options), '1', owner.customerUid);
    await advance(HOUR);
    // A process that has not sealed anything yet has no earlier key to fall back on.
    const replica = await world.start(options);
    failures = 3;
    const { refreshToken } = await valueOf(replica.fresh(owner));
    expect(refreshToken).toBe(world.api.currentOf('1'));
    const { refreshToken: found } = await valueOf((await world.start(options)).fresh(owner));
    expect(found).toBe(refreshToken);
    expect(world.api.exchanges).toHaveLength(1);
  });

  it.each<[string, Habit, StoreFault]>([
    ['omits', 'omit', 'lost'],
    ['replaces', 'strict', 'lost'],
    ['omits', 'omit', 'twice'],
    ['replaces', 'strict', 'twice'],
  ])(
    'a commit whose answer is lost is recognized as its own, with an API that %s refresh tokens (%s, %s)',
    async (_, habit, fault) => {
      const { world } = the;
      world.api.habit = habit;
      const replica = await world.start(habit === 'strict' ? STRICT : {});
      const owner = await world.remembered(replica);
      await advance(HOUR);
      world.storeFaults.push({ call: 'commit', fault });
      const { accessToken } = await valueOf(replica.fresh(owner));
      const { version, tokens } = await world.stored();
      expect(version).toBe(2);
      expect(tokens.accessToken).toBe(accessToken);
      expect(world.api.exchanges).toHaveLength(1);
      // One lease for remember() and one for the exchange: there is no second run.
      expect(world.storeCalls.filter(({ call }) => call === 'lease')).toHaveLength(2);
    },
  );

  it('an access token that cannot be saved is still handed out if the refresh token was not replaced', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    const { value, afterMs } = await outcomeOf(replica.fresh(owner));
    expect(world.api.leftOf(value?.accessToken)).toBeGreaterThan(59 * MINUTE);
    expect(afterMs).toBeLessThan(5 * SECOND);
    expect(world.logged.join()).toContain('could not be saved');
  });

  it.each([
    [1_999, 2],
    [2_000, 1],
  ])(
    'an access token is saved again until two seconds have passed: each commit takes %i ms',
    async (storeTimeoutMs, commits) => {
      const { world } = the;
      const replica = await world.start({ storeTimeoutMs });
      const owner = await world.remembered(replica);
      await advance(HOUR);
      world.storeFault = { calls: ['commit'], fault: 'hang' };
      const before = world.storeCalls.length;
      await valueOf(replica.fresh(owner));
      const calls = world.storeCalls.slice(before).map(({ call }) => call);
      expect(calls.filter((call) => call === 'commit')).toHaveLength(commits);
    },
  );

  it('I3: after a rotation was seen, a refresh token is not presented twice in one exchange', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ retry: 2 });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    await valueOf(replica.fresh(owner));
    await advance(HOUR);
    world.api.faults.push('reset-after');
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_CONNECTION' });
    expect(world.api.exchanges).toHaveLength(2);
  });

  it('I3: after one replica has seen a rotation, another does not present a refresh token twice either', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const [replica, other] = [await world.start({ retry: 2 }), await world.start({ retry: 2 })];
    const owner = await world.remembered(replica);
    await advance(HOUR);
    await valueOf(replica.fresh(owner));
    await advance(HOUR);
    world.api.faults.push('reset-after');
    expect(await failureOf(other.fresh(owner))).toMatchObject({ code: 'BERBIX_CONNECTION' });
    expect(world.api.exchanges).toHaveLength(2);
  });

  it.each(['bad-answer', 'bad-id'] as const)(
    'a new refresh token in an otherwise malformed answer is saved (%s)',
    async (fault) => {
      const { world } = the;
      world.api.habit = 'strict';
      const replica = await world.start(STRICT);
      const owner = await world.remembered(replica);
      await advance(HOUR);
      world.api.faults.push(fault);
      const error: BerbixError = await failureOf(replica.fresh(owner));
      expect(error).toMatchObject({ code: 'BERBIX_RESPONSE' });
      expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
      expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
      await valueOf(replica.fresh(owner));
    },
  );

  it('the same refresh token in a malformed answer is a failure like any other', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.habit = 'echo';
    world.api.faults.push('bad-answer');
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_RESPONSE' });
    const { version, note } = await world.stored();
    expect([version, note['failures']]).toEqual([1, 1]);
  });

  it('the refresh token in a malformed answer about another transaction is neither saved nor offered', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const { refreshToken } = world.api.create('999');
    const body = { refresh_token: refreshToken, transaction_id: 999, expires_in: 'soon' };
    world.api.faults.push({ status: 200, body: { ...body, access_token: 'a' } });
    const error: BerbixError = await failureOf(replica.fresh(owner));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', tokens: undefined });
    expect(error.message).toContain('another transaction');
    expect(error.message).not.toContain('store it');
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
  });

  it.each([
    ['the API refused is repeated', { status: 429 }, 2],
    ['the API may have acted on is not repeated while stale tokens last', 'reset-after', 1],
  ] as const)('strict: an exchange that %s', async (_, fault, exchanges) => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start(STRICT);
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(50 * MINUTE);
    world.api.faults.push(fault);
    for (let minute = 0; minute < 9; minute++) {
      await valueOf(replica.fresh(owner));
      await advance(MINUTE);
    }
    expect(world.api.exchanges).toHaveLength(exchanges);
  });

  describe('after a replica was killed in an exchange that the API acted on', () => {
    async function kill(habit: Habit, options: object, beforeMs: number) {
      const { world } = the;
      world.api.habit = habit;
      const [killed, other] = [await world.start(options), await world.start(options)];
      const owner = await world.remembered(killed);
      await valueOf(killed.fresh(owner));
      await advance(HOUR - beforeMs);
      world.api.latencyMs = SECOND;
      void killed.fresh(owner).catch(() => {});
      await advance(0.8 * SECOND);
      killed.kill();
      expect(world.api.exchanges[0]!.isDone).toBe(true);
      await advance(31 * SECOND);
      return { world, owner, other };
    }

    /** The others cannot know that the replica is dead, so they wait for the duration of a lease. */
    async function untilDue(call: Promise<unknown>) {
      const error = await failureOf(call);
      expect(error).toMatchObject({ code: 'BERBIX_UNAVAILABLE', retryable: true });
      const { retryAfterMs } = error as { retryAfterMs: number };
      expect(retryAfterMs).toBeLessThanOrEqual(30 * SECOND);
      await advance(retryAfterMs);
    }

    it('no rotation: the next replica repeats it', async () => {
      const { world, owner, other } = await kill('omit', {}, 10 * MINUTE);
      await valueOf(other.fresh(owner));
      await advance(2 * SECOND);
      await valueOf(other.fresh(owner));
      await advance(2 * SECOND);
      expect(world.api.exchanges).toHaveLength(2);
    });

    it('grace: within it, the superseded refresh token still yields the new one', async () => {
      const { world, owner, other } = await kill({ graceMs: 10 * MINUTE }, GRACE, 0);
      const { refreshToken } = await valueOf(other.fresh(owner));
      expect(refreshToken).toBe(world.api.currentOf('1'));
    });

    it('strict: stale tokens are served while they last, and then the refresh token is presented once more', async () => {
      const { world, owner, other } = await kill('strict', STRICT, 10 * MINUTE);
      world.watch.isTroubled = true;
      for (let minute = 0; minute < 9; minute++) {
        await valueOf(other.fresh(owner));
        await advance(MINUTE);
      }
      expect(world.api.exchanges).toHaveLength(1);
      await advance(30 * SECOND);
      await untilDue(other.fresh(owner));
      expect(world.api.exchanges).toHaveLength(2);
      expect(world.logged.join()).toContain('presented once more');
      expect(await failureOf(other.fresh(owner))).toMatchObject({
        code: 'BERBIX_INVALID_REFRESH_TOKEN',
      });
      expect(world.api.exchanges).toHaveLength(3);
    });

    it('strict: callers share the read that finds stale tokens', async () => {
      // They expire soon: within the default leeway, and not yet within that of stale-if-error.
      const { world, owner, other } = await kill('strict', STRICT, 2 * MINUTE);
      world.watch.isTroubled = true;
      await advance(60 * SECOND);
      const reads = world.storeCalls.length;
      await valueOf(Promise.all(Array.from({ length: 50 }, () => other.fresh(owner))));
      expect(world.storeCalls.length - reads).toBeLessThan(5);
      expect(world.api.exchanges).toHaveLength(1);
    });

    it('strict: a valid refresh token from loadTokens replaces it', async () => {
      const { world, owner, other } = await kill(
        'strict',
        { ...STRICT, loadTokens: async () => the.world.api.currentOf('1') },
        0,
      );
      await untilDue(other.fresh(owner));
      const { refreshToken } = await valueOf(other.fresh(owner));
      expect(refreshToken).toBe(world.api.currentOf('1'));
    });
  });

  describe('onRotation', () => {
    it('is called before anyone gets the tokens, with the customer and the previous refresh token', async () => {
      const { world } = the;
      world.api.habit = 'strict';
      const notified: BerbixRotatedTokens[] = [];
      let got: BerbixTokens | undefined;
      const options = {
        ...STRICT,
        onRotation: async (rotated: BerbixRotatedTokens) => {
          await new Promise((resolve) => setTimeout(resolve, SECOND));
          expect(got).toBeUndefined();
          notified.push(rotated);
        },
      };
      const [replica, other] = [await world.start(options), await world.start(options)];
      const before = world.api.create('1');
      await valueOf(replica.remember(before, 'ada'));
      await advance(HOUR);
      const calls = [replica, other].map((one) => one.fresh({ transactionId: '1' }));
      void Promise.race(calls).then((tokens) => (got = tokens));
      const all = await valueOf(Promise.all(calls));
      expect(notified).toHaveLength(1);
      expect(notified[0]).toMatchObject({
        previousRefreshToken: before.refreshToken,
        customerUid: 'ada',
      });
      for (const tokens of all) expect(tokens.refreshToken).toBe(notified[0]!.tokens.refreshToken);
    });

    it('is called again for the next caller if it failed or its replica was killed, without another exchange', async () => {
      const { world } = the;
      world.api.habit = 'strict';
      const notified: string[] = [];
      const good = {
        ...STRICT,
        onRotation: (rotated: BerbixRotatedTokens) =>
          void notified.push(rotated.tokens.refreshToken),
      };
      const bad = { ...STRICT, onRotation: () => Promise.reject(new TypeError('canary')) };
      const stuck = { ...STRICT, onRotation: () => new Promise<void>(() => {}) };
      const [first, second, third] = [
        await world.start(bad),
        await world.start(stuck),
        await world.start(good),
      ];
      const owner = await world.remembered(first!);
      await advance(HOUR);
      const error: BerbixError = await failureOf(first.fresh(owner));
      expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
      expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
      await advance(2 * SECOND);
      await failureOf(second.fresh(owner));
      second.kill();
      await advance(31 * SECOND);
      const { refreshToken } = await valueOf(third.fresh(owner));
      expect(notified).toEqual([refreshToken]);
      expect(world.api.exchanges).toHaveLength(1);
    });
  });
});
