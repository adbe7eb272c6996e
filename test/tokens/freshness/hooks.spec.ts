import { describe, expect, it } from '@jest/globals';
import type { BerbixError } from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const DEAD = { status: 400, body: { readable: 'invalid_refresh_token', message: 'unknown' } };
const CANARY = 'canary-of-the-database';

describe('onRotation that fails', () => {
  const the = eachWorld();

  it.each([
    ['throws', () => Promise.reject(new TypeError(CANARY)), /onRotation failed \(TypeError\)/],
    ['never answers', () => new Promise<void>(() => {}), /onRotation did not answer within 10000/],
  ])(
    'when it %s: each caller is told so, in time, and has the new refresh token in the error',
    async (_, onRotation, sentence) => {
      const { world } = the;
      world.api.habit = 'strict';
      const replica = await world.start({ freshness: { rotation: 'strict' }, onRotation });
      const owner = await world.remembered(replica);
      await advance(HOUR);
      const first: BerbixError = await failureOf(replica.fresh(owner));
      expect(first).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
      expect(first.message).toMatch(sentence);
      const second: BerbixError = await failureOf(replica.fresh(owner));
      expect(second).toMatchObject({ code: 'BERBIX_STORE', retryAfterMs: expect.any(Number) });
      for (const error of [first, second]) {
        expect(error.message).toMatch('onRotation');
        expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
      }
    },
  );

  it('when it is slow after a slow exchange: nobody is told that the store could not save the new token', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: () => new Promise(() => {}),
    });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = 8 * SECOND;
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
  });

  it('refresh() makes an exchange also where one before is still to be told of', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const fails = { once: true };
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: () => {
        if (fails.once) throw new Error(CANARY);
      },
    });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    await failureOf(replica.fresh(owner));
    fails.once = false;
    await advance(30 * MINUTE);
    const tokens = await valueOf(replica.refresh(world.api.tokensOf('1')));
    expect(world.api.exchanges).toHaveLength(2);
    expect(world.api.leftOf(tokens.accessToken)).toBeGreaterThan(59 * MINUTE);
  });

  it('is called as a last resort where the store does not take a new refresh token until the end of the process', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const told: string[] = [];
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: ({ tokens }) => void told.push(tokens.refreshToken),
    });
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(50 * MINUTE);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    // They are still valid; the refresh token is replaced in the background.
    await valueOf(replica.fresh(owner));
    await advance(SECOND);
    expect(told).toEqual([]);
    await valueOf(replica.stop());
    await advance(2 * SECOND);
    expect(told).toEqual([world.api.currentOf('1')]);
    world.storeFault = undefined;
  });
});

describe('loadTokens', () => {
  const the = eachWorld();

  it('that fails is named, without what it said; usable tokens are handed out all the same', async () => {
    const { world } = the;
    const replica = await world.start({
      loadTokens: () => Promise.reject(new RangeError(`password=${CANARY}`)),
    });
    const owner = await world.remembered(replica);
    expect(await failureOf(replica.fresh({ transactionId: '7' }))).toMatchObject({
      code: 'BERBIX_STORE',
      message: expect.stringMatching(/loadTokens failed \(RangeError\)/),
      retryable: true,
    });
    await advance(HOUR - 40 * SECOND);
    world.watch.isTroubled = true;
    world.api.fault = DEAD;
    await valueOf(replica.fresh(owner));
    await advance(40 * SECOND);
    expect(await failureOf(replica.fresh(owner))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
    });
  });

  it('that never answers is named, before the time of its callers is over', async () => {
    const { world } = the;
    const replica = await world.start({ loadTokens: () => new Promise(() => {}) });
    const { error, afterMs } = await outcomeOf(replica.fresh({ customerUid: 'ada' }));
    expect((error as BerbixError).message).toMatch('loadTokens did not answer within 10000 ms');
    expect(afterMs).toBeLessThan(15 * SECOND);
  });

  it('that gives the tokens of another transaction than it was asked for is refused', async () => {
    const { world } = the;
    const created = world.api.create('1');
    const replica = await world.start({ loadTokens: async () => created });
    expect(await failureOf(replica.fresh({ transactionId: '2' }))).toMatchObject({
      code: 'BERBIX_INPUT',
      message: expect.stringMatching('loadTokens'),
    });
    expect(world.api.exchanges).toHaveLength(0);
  });

  it('that gives one dead refresh token after the other is believed once in a call', async () => {
    const { world } = the;
    let given = 0;
    const replica = await world.start({ loadTokens: async () => `${CANARY}-${++given}` });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.fault = DEAD;
    for (let call = 1; call <= 2; call++) {
      expect(await failureOf(replica.fresh(owner))).toMatchObject({
        code: 'BERBIX_INVALID_REFRESH_TOKEN',
      });
      expect(given).toBe(call);
    }
    // The stored one, and what was loaded; each time with those that were kept beside it.
    expect(world.api.exchanges.length).toBeLessThanOrEqual(6);
  });

  it.each([
    ['of which nothing is stored', 0],
    ['whose transaction is stored', 1],
  ])(
    'that gives one dead refresh token after the other for a customer %s keeps one',
    async (_, stored) => {
      const { world } = the;
      let given = 0;
      const replica = await world.start({ loadTokens: async () => `${CANARY}-${++given}` });
      if (stored > 0) await world.remembered(replica, '1', 'ada');
      await advance(HOUR);
      world.api.fault = DEAD;
      for (let call = 1; call <= 5; call++) {
        expect(await failureOf(replica.fresh({ customerUid: 'ada' }))).toMatchObject({
          code: 'BERBIX_INVALID_REFRESH_TOKEN',
        });
      }
      expect(given).toBeGreaterThanOrEqual(5);
      const { keys } = await world.memory.keys('default/');
      expect(keys).toHaveLength(stored + 2);
      expect(keys.filter((key) => key.includes('session/'))).toHaveLength(1);
      const { value } = (await world.memory.load('default/customer/ada'))!;
      expect(value!.match(/session|transaction/g)).toHaveLength(stored + 1);
      // The last one is used, and those before it are forgotten.
      world.api.fault = undefined;
      world.api.exchanges.length = 0;
      await advance(MINUTE);
      await failureOf(replica.fresh({ customerUid: 'ada' }));
      expect(world.api.exchanges.map(({ refreshToken }) => refreshToken)).toEqual([
        `${CANARY}-${given - 1}`,
        `${CANARY}-${given}`,
      ]);
    },
  );

  it('a slow answer does not take the place of what was remembered meanwhile', async () => {
    const { world } = the;
    const slow = await world.start({
      loadTokens: async () => {
        const { refreshToken } = reissued;
        await new Promise((resolve) => setTimeout(resolve, 3 * SECOND));
        return refreshToken;
      },
    });
    const owner = await world.remembered(slow);
    let reissued = world.api.reissue('1');
    await advance(HOUR);
    const waiting = slow.fresh(owner);
    await advance(SECOND);
    reissued = world.api.reissue('1');
    await valueOf((await world.start()).remember(reissued));
    expect((await valueOf(waiting)).refreshToken).toBe(reissued.refreshToken);
    expect((await world.stored()).tokens.refreshToken).toBe(reissued.refreshToken);
  });

  it('I3: a slow answer does not put a refresh token back that was spent meanwhile', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const table = { refreshToken: '' };
    const loader = (waitMs: () => number) => async () => {
      const { refreshToken } = table;
      await new Promise((resolve) => setTimeout(resolve, waitMs()));
      return refreshToken;
    };
    let slowMs = 1;
    const options = { freshness: { rotation: 'strict' } } as const;
    const slow = await world.start({ ...options, loadTokens: loader(() => slowMs) });
    const quick = await world.start({ ...options, loadTokens: loader(() => 1) });
    const owner = { transactionId: '1' };
    table.refreshToken = world.api.create('1').refreshToken;
    await valueOf(slow.fresh(owner));
    const reissued = world.api.reissue('1');
    await advance(HOUR);
    // Dead for both, as far as anybody knows.
    await failureOf(slow.fresh(owner));
    table.refreshToken = reissued.refreshToken;
    slowMs = 3 * SECOND;
    const waiting = slow.fresh(owner);
    await advance(100);
    await valueOf(quick.fresh(owner));
    expect((await valueOf(waiting)).refreshToken).toBe(world.api.currentOf('1'));
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
  });
});
