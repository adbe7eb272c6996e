import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import { eachWorld, type World } from './support/world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const INVALID = { code: 'BERBIX_INVALID_REFRESH_TOKEN' };
const ONE = { transactionId: '1' };
const bare = (refreshToken: string) => new BerbixTokens({ refreshToken, transactionId: '1' });

const presentedTo = ({ api }: World) => api.exchanges.map(({ refreshToken }) => refreshToken);

describe('remember() of a refresh token that may be older or newer than the stored one', () => {
  const the = eachWorld();

  /** The store has exchanged the refresh token once; its access token has expired. */
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

  it('I2: remember() of a spare that is being presented waits, and it is not presented twice', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const right = world.api.create('1');
    await valueOf(replica.remember(right));
    await valueOf(replica.remember(bare('canary-wrong')));
    await advance(HOUR);
    world.api.latencyMs = 4 * SECOND;
    const presenting = outcomeOf(replica.fresh(ONE));
    await advance(5 * SECOND);
    expect(presentedTo(world)).toEqual(['canary-wrong', right.refreshToken]);
    await valueOf(other.remember(bare(right.refreshToken)));
    await valueOf(other.fresh(ONE));
    expect((await presenting).value?.refreshToken).toBe(right.refreshToken);
    expect(presentedTo(world)).toHaveLength(2);
  });

  it.each(['omit', 'strict'] as const)(
    'the stored one is valid: it is not lost (%s)',
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
    'the new one is valid: it is not lost (%s)',
    async (habit) => {
      const { world, replica } = await exchangedOnce(habit);
      const { refreshToken } = world.api.reissue('1');
      await valueOf(replica.remember(bare(refreshToken)));
      expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
      // The previous one is not presented.
      expect(world.api.exchanges.at(-1)?.refreshToken).toBe(refreshToken);
      // Newer tokens of the same refresh token are no reason to warn.
      await valueOf(replica.remember(world.api.tokensOf('1')));
      expect(world.logged).toEqual(
        habit === 'omit' ? [] : [expect.stringContaining('Both are kept: the new one is used')],
      );
    },
  );

  describe('when the first answer takes nearly all of the lease', () => {
    /** The API does not know the stored token; the valid one is a spare. */
    async function withSlowAnswers() {
      const { world } = the;
      // One second more than an exchange may take.
      const freshness = { rotation: 'strict' as const, leaseMs: 16 * SECOND };
      const replica = await world.start({ freshness });
      await world.remembered(replica);
      await valueOf(replica.remember(bare('canary-unknown')));
      await advance(HOUR);
      world.api.latencyMs = 2 * SECOND;
      return { world, replica };
    }

    it('the spare is presented under a lease of its own', async () => {
      const { world, replica } = await withSlowAnswers();
      const good = world.api.currentOf('1');
      expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(good);
      expect(presentedTo(world)).toEqual(['canary-unknown', good]);
      expect(world.storeCalls.filter(({ call }) => call === 'release')).toHaveLength(1);
    });

    it('the spare is presented first for the next caller, until all were refused', async () => {
      const { world, replica } = await withSlowAnswers();
      const good = world.api.currentOf('1');
      world.api.faults.push(undefined, { status: 503 });
      expect(await failureOf(replica.fresh(ONE))).toMatchObject({ code: 'BERBIX_SERVER' });
      await advance(2 * SECOND);
      world.api.faults.push({ status: 400, body: { readable: 'invalid_refresh_token' } });
      expect(await failureOf(replica.fresh(ONE))).toMatchObject(INVALID);
      expect(presentedTo(world)).toEqual(['canary-unknown', good, good]);
      // From then on, they are treated like any dead one.
      expect(await failureOf(replica.fresh(ONE))).toMatchObject(INVALID);
      await advance(MINUTE);
      await valueOf(replica.fresh(ONE));
      expect(presentedTo(world).slice(3)).toEqual(['canary-unknown', good]);
    });
  });

  it('after more rotations than the record can list, the stored one is used, and the new one if that is dead', async () => {
    const { world, replica } = await exchangedOnce('strict');
    const { version = 0, value = '' } = await world.stored();
    const many = JSON.stringify(Array.from({ length: 1_000 }, (_, n) => `hash ${n}`));
    await world.memory.commit(
      'default/transaction/1',
      version,
      value.replace(/"supersededHashes":\[[^\]]*\]/, `"supersededHashes":${many}`),
    );
    // Superseded so long ago that the record does not list it any more.
    for (let n = 0; n < 2; n++) await valueOf(replica.remember(bare('canary-long-ago')));
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges.map(({ refreshToken }) => refreshToken)).not.toContain(
      'canary-long-ago',
    );
    expect(world.logged).toEqual([
      expect.stringContaining('Both are kept: the stored one is used'),
    ]);
    // As after a restore of the store from a backup: the application has the valid one.
    await valueOf(replica.remember(bare(world.api.reissue('1').refreshToken)));
    await advance(HOUR);
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('neither is valid: both are kept in case the API knows one of them later', async () => {
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

  it('neither is valid: loadTokens that returns one of them does not have them presented again', async () => {
    const { world } = the;
    const first = world.api.create('1');
    const replica = await world.start({ loadTokens: async () => first.refreshToken });
    await valueOf(replica.remember(first));
    await valueOf(replica.remember(bare('canary-unknown')));
    world.api.reissue('1');
    await advance(HOUR);
    for (let n = 0; n < 2; n++) expect(await failureOf(replica.fresh(ONE))).toMatchObject(INVALID);
    expect(presentedTo(world)).toEqual(['canary-unknown', first.refreshToken]);
    expect((await world.stored()).tokens).toMatchObject({
      refreshToken: 'canary-unknown',
      spares: [first.refreshToken],
    });
  });

  it('one that the API accepts with a malformed answer becomes the current one, without a rotation', async () => {
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
    'the API replaces the stored one meanwhile: its successor is not lost (another replica exchanges meanwhile: %s)',
    async (isPresented) => {
      const { world } = the;
      world.api.habit = 'strict';
      const freshness = { rotation: 'strict' as const };
      const [replica, other] = [await world.start({ freshness }), await world.start({ freshness })];
      await world.remembered(replica);
      await advance(HOUR);
      world.api.latencyMs = 2 * SECOND;
      const inFlight = outcomeOf(replica.fresh(ONE));
      await advance(SECOND);
      await valueOf(other.remember(bare('canary-unknown')));
      if (isPresented) await outcomeOf(other.fresh(ONE));
      expect((await inFlight).error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
      await advance(MINUTE);
      expect((await valueOf(other.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
      // The one that it superseded is recognized.
      const { tokens } = await world.stored();
      await valueOf(other.remember(bare(world.api.exchanges[0]!.refreshToken)));
      expect((await world.stored()).tokens).toEqual(tokens);
    },
  );

  it('a server error says nothing about either', async () => {
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
