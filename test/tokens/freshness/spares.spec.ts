import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';
import type { World } from './support/world.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const INVALID = { code: 'BERBIX_INVALID_REFRESH_TOKEN' };
const ONE = { transactionId: '1' };
const bare = (refreshToken: string) => new BerbixTokens({ refreshToken, transactionId: '1' });

const presentedTo = ({ api }: World) => api.exchanges.map(({ refreshToken }) => refreshToken);

describe('remember() of a refresh token that may be older than the stored one, or newer', () => {
  const the = eachWorld();

  /** The store has exchanged the refresh token once; its access token has ended. */
  async function exchangedOnce(habit: 'omit' | 'strict') {
    const { world } = the;
    world.api.habit = habit;
    const rotation = habit === 'strict' ? 'strict' : 'none';
    const replica = await world.start({ freshness: { rotation } });
    await world.remembered(replica);
    await advance(HOUR);
    await valueOf(replica.fresh(ONE));
    await advance(HOUR);
    return { world, replica };
  }

  it.each(['omit', 'strict'] as const)(
    'the stored one is the good one: it is not lost (%s)',
    async (habit) => {
      const { world, replica } = await exchangedOnce(habit);
      await valueOf(replica.remember(bare('canary-unknown')));
      expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
      // From then on, the other one is not presented any more.
      await advance(HOUR);
      const before = world.api.exchanges.length;
      await valueOf(replica.fresh(ONE));
      expect(world.api.exchanges).toHaveLength(before + 1);
    },
  );

  it.each(['omit', 'strict'] as const)(
    'the new one is the good one: it is not lost (%s)',
    async (habit) => {
      const { world, replica } = await exchangedOnce(habit);
      const { refreshToken } = world.api.reissue('1');
      await valueOf(replica.remember(bare(refreshToken)));
      expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
      // The one before is known to be dead: handing it over again changes nothing.
      expect(world.api.exchanges.at(-1)?.refreshToken).toBe(refreshToken);
    },
  );

  describe('where the first answer takes nearly all of the lease', () => {
    /** The stored token is unknown; the good one is its spare. */
    async function withSlowAnswers() {
      const { world } = the;
      // It leaves a second for what comes after an exchange.
      const freshness = { rotation: 'strict' as const, leaseMs: 16 * SECOND };
      const replica = await world.start({ freshness });
      await world.remembered(replica);
      await valueOf(replica.remember(bare('canary-unknown')));
      await advance(HOUR);
      world.api.latencyMs = 2 * SECOND;
      return { world, replica };
    }

    it('the other one is presented under a lease of its own', async () => {
      const { world, replica } = await withSlowAnswers();
      const good = world.api.currentOf('1');
      expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(good);
      expect(presentedTo(world)).toEqual(['canary-unknown', good]);
      expect(world.storeCalls.filter(({ call }) => call === 'release')).toHaveLength(1);
    });

    it('the other one is presented first by the next caller, until all were refused', async () => {
      const { world, replica } = await withSlowAnswers();
      const good = world.api.currentOf('1');
      world.api.faults.push(undefined, { status: 503 });
      expect(await failureOf(replica.fresh(ONE))).toMatchObject({ code: 'BERBIX_SERVER' });
      await advance(2 * SECOND);
      world.api.faults.push({ status: 400, body: { readable: 'invalid_refresh_token' } });
      expect(await failureOf(replica.fresh(ONE))).toMatchObject(INVALID);
      expect(presentedTo(world)).toEqual(['canary-unknown', good, good]);
      // From then on as for any dead one.
      expect(await failureOf(replica.fresh(ONE))).toMatchObject(INVALID);
      await advance(MINUTE);
      await valueOf(replica.fresh(ONE));
      expect(presentedTo(world).slice(3)).toEqual(['canary-unknown', good]);
    });
  });

  it('where more were replaced than are known again: the stored one is used, and the new one where that is dead', async () => {
    const { world, replica } = await exchangedOnce('strict');
    const { version = 0, value = '' } = await world.stored();
    const many = JSON.stringify(Array.from({ length: 1_000 }, (_, n) => `hash ${n}`));
    await world.memory.commit(
      'default/transaction/1',
      version,
      value.replace(/"supersededHashes":\[[^\]]*\]/, `"supersededHashes":${many}`),
    );
    // Replaced so long ago that nobody knows it any more.
    for (let n = 0; n < 2; n++) await valueOf(replica.remember(bare('canary-long-ago')));
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges.map(({ refreshToken }) => refreshToken)).not.toContain(
      'canary-long-ago',
    );
    expect(world.logged.filter((line) => line.includes('Both are kept'))).toHaveLength(1);
    // As after a backup of the store was put in place: the application has the good one.
    await valueOf(replica.remember(bare(world.api.reissue('1').refreshToken)));
    await advance(HOUR);
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('neither is good: nothing is lost of either, for the case that the API knows one of them later', async () => {
    const { world, replica } = await exchangedOnce('strict');
    await valueOf(replica.remember(bare('canary-unknown')));
    // As with the API secret of another mode.
    world.api.fault = {
      status: 400,
      body: { readable: 'invalid_refresh_token', message: 'unknown' },
    };
    for (let n = 0; n < 3; n++) {
      expect(await failureOf(replica.fresh(ONE))).toMatchObject({
        code: 'BERBIX_INVALID_REFRESH_TOKEN',
      });
      await advance(HOUR);
    }
    world.api.fault = undefined;
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('one that the API takes with a malformed answer is the current one, and was not replaced', async () => {
    const { world } = the;
    const replica = await world.start();
    await world.remembered(replica);
    const good = world.api.currentOf('1');
    await valueOf(replica.remember(bare('canary-unknown')));
    await advance(HOUR);
    world.api.habit = 'echo';
    world.api.faults.push(undefined, 'bad-answer');
    expect(await failureOf(replica.fresh(ONE))).toMatchObject({ code: 'BERBIX_RESPONSE' });
    expect((await world.stored()).tokens).toMatchObject({ refreshToken: good });
    expect((await world.stored()).tokens).not.toHaveProperty('rotates');
    expect(world.logged).toEqual([]);
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(good);
    expect(presentedTo(world)).toEqual(['canary-unknown', good, good]);
  });

  it.each([true, false])(
    'the stored one is replaced by the API at that time: its successor is not lost (presented by another meanwhile: %s)',
    async (isPresented) => {
      const { world } = the;
      world.api.habit = 'strict';
      const freshness = { rotation: 'strict' as const };
      const [replica, other] = [await world.start({ freshness }), await world.start({ freshness })];
      await world.remembered(replica);
      await advance(HOUR);
      world.api.latencyMs = 2 * SECOND;
      const underWay = outcomeOf(replica.fresh(ONE));
      await advance(SECOND);
      await valueOf(other.remember(bare('canary-unknown')));
      if (isPresented) await outcomeOf(other.fresh(ONE));
      expect((await underWay).error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
      await advance(MINUTE);
      expect((await valueOf(other.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
      // The one that it replaced is known to be dead.
      const { tokens } = await world.stored();
      await valueOf(other.remember(bare(world.api.exchanges[0]!.refreshToken)));
      expect((await world.stored()).tokens).toEqual(tokens);
    },
  );

  it('an API that is out of order says nothing of either', async () => {
    const { world, replica } = await exchangedOnce('strict');
    await valueOf(replica.remember(bare('canary-unknown')));
    world.api.fault = { status: 503 };
    const before = world.api.exchanges.length;
    await outcomeOf(replica.fresh(ONE));
    expect(world.api.exchanges).toHaveLength(before + 1);
    world.api.fault = undefined;
    await advance(HOUR);
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
  });
});
