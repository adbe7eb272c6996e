import { describe, expect, it } from '@jest/globals';
import type { BerbixTransactionRef } from 'nestjs-berbix';
import { eachWorld } from './support/world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

describe('fresh(), its store and the database of the application', () => {
  const the = eachWorld();

  it('rechecks the store every half minute, not with every call', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    const before = world.storeCalls.length;
    for (let second = 0; second < 5 * 60; second++) {
      await valueOf(replica.fresh(owner));
      await advance(SECOND);
    }
    expect(world.storeCalls.length - before).toBeGreaterThanOrEqual(9);
    expect(world.storeCalls.length - before).toBeLessThanOrEqual(11);
  });

  it.each(['fail', 'hang'] as const)(
    'with a store that is down (%s), tokens in memory are served immediately until shortly before they expire',
    async (fault) => {
      const { world } = the;
      const replica = await world.start();
      const owner = await world.remembered(replica);
      await valueOf(replica.fresh(owner));
      world.storeFault = { fault };
      world.watch.isTroubled = true;
      for (let minute = 0; minute < 59; minute++) {
        expect((await outcomeOf(replica.fresh(owner))).afterMs).toBeLessThanOrEqual(100);
        expect((await outcomeOf(replica.fresh(owner))).afterMs).toBeLessThanOrEqual(100);
        await advance(MINUTE);
      }
      await advance(30 * SECOND);
      await valueOf(replica.fresh(owner));
      expect((await outcomeOf(replica.fresh(owner))).afterMs).toBe(0);
      await advance(26 * SECOND);
      expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_STORE' });
      expect(world.api.exchanges).toHaveLength(0);
      world.storeFault = undefined;
      await advance(5 * SECOND);
      await valueOf(replica.fresh(owner));
    },
  );

  it('after a store was down, serves nobody stale tokens as soon as it has answered again', async () => {
    const { world } = the;
    const replica = await world.start();
    const owners = [await world.remembered(replica), await world.remembered(replica, '2')];
    for (const owner of owners) await valueOf(replica.fresh(owner));
    await advance(59.5 * MINUTE);
    world.storeFault = { fault: 'fail' };
    world.watch.isTroubled = true;
    for (const owner of owners) {
      const { accessToken } = await valueOf(replica.fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeLessThan(MINUTE);
    }
    world.storeFault = undefined;
    world.watch.isTroubled = false;
    await valueOf(replica.fresh(await world.remembered(replica, '3')));
    for (const owner of owners) {
      const { accessToken } = await valueOf(replica.fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
    }
  });

  it('with a store that is down, asks it every five seconds, not with every call', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(MINUTE);
    world.storeFault = { fault: 'fail' };
    const before = world.storeCalls.length;
    for (let n = 0; n < 300; n++) {
      await valueOf(replica.fresh(owner));
      await advance(100);
    }
    expect(world.storeCalls.length - before).toBeGreaterThanOrEqual(5);
    expect(world.storeCalls.length - before).toBeLessThanOrEqual(7);
  });

  it('with a slow store, tokens in memory are served before it answers', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(31 * SECOND);
    world.storeFault = { fault: { backMs: SECOND } };
    expect((await outcomeOf(replica.fresh(owner))).afterMs).toBe(100);
    // A later caller does not wait again, although the answer is still on its way.
    expect((await outcomeOf(replica.fresh(owner))).afterMs).toBe(0);
  });

  it.each([
    [700, 700],
    [undefined, 1_500],
  ])('with a store that does not answer, the call ends after storeTimeoutMs: %s', async (...ms) => {
    const { world } = the;
    const [storeTimeoutMs, limitMs] = ms;
    const replica = await world.start({ storeTimeoutMs });
    const owner = await world.remembered(replica);
    world.storeFault = { fault: 'hang' };
    const { error, afterMs } = await outcomeOf(replica.fresh(owner));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(afterMs).toBe(limitMs);
  });

  it('valid tokens that could not be saved are kept if the API is down when the store is back', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['commit', 'release'], fault: 'fail' };
    const { accessToken } = await valueOf(replica.fresh(owner));
    world.storeFault = undefined;
    world.api.fault = { status: 503 };
    for (let second = 0; second < 90; second++) {
      await advance(SECOND);
      expect((await valueOf(replica.fresh(owner))).accessToken).toBe(accessToken);
    }
  });

  it('I12: refresh() waits no longer than totalTimeoutMs for a slow store, whatever storeTimeoutMs is', async () => {
    const { world } = the;
    const replica = await world.start({ storeTimeoutMs: MINUTE });
    await world.remembered(replica);
    world.storeFault = { calls: ['load'], fault: { backMs: 40 * SECOND } };
    const { error, afterMs } = await outcomeOf(replica.refresh(world.api.tokensOf('1')));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(afterMs).toBe(15 * SECOND);
    expect(world.api.exchanges).toHaveLength(0);
  });

  it('I12: with a store that does not answer, queued calls fail without waiting for it once more', async () => {
    const { world } = the;
    const replica = await world.start();
    world.storeFault = { fault: 'hang' };
    const crowd = Array.from({ length: 640 }, (_, n) =>
      replica.fresh({ transactionId: String(n + 10) }).catch(() => {}),
    );
    const calls = [
      replica.remember(world.api.create('1')),
      replica.refresh(world.api.create('2')),
      replica.forget({ transactionId: '5' }),
    ].map((call) => outcomeOf(call));
    for (const { error, afterMs } of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'BERBIX_STORE', reason: 'TIMEOUT' });
      expect(afterMs).toBeLessThanOrEqual(3 * SECOND);
    }
    await valueOf(Promise.all(crowd));
  });

  it('with a slow store, all queued calls are made', async () => {
    const { world } = the;
    const replica = await world.start();
    const owners = Array.from({ length: 320 }, (_, n) => ({ transactionId: String(n + 1) }));
    for (const { transactionId } of owners) await world.remembered(replica, transactionId);
    const another = await world.start();
    world.storeFault = { fault: { thereMs: 500, backMs: 500 } };
    await valueOf(Promise.all(owners.map((owner) => another.fresh(owner))));
    expect(world.api.exchanges).toHaveLength(0);
  });

  it('finds tokens while many others are remembered and forgotten', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    world.storeFault = { fault: { thereMs: 5, backMs: 5 } };
    let others = 100;
    const beat = setInterval(() => {
      const id = String(++others);
      void replica.remember(world.api.create(id)).then(() => replica.forget({ transactionId: id }));
    }, 3);
    await advance(100);
    const { value, afterMs } = await outcomeOf(replica.fresh(owner));
    clearInterval(beat);
    expect(value?.transactionId).toBe('1');
    expect(afterMs).toBeLessThan(SECOND);
    await advance(SECOND);
  });

  it('serves tokens from memory that could not be saved, even in an outage of the API', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    const { accessToken } = await valueOf(replica.fresh(owner));
    world.storeFault = undefined;
    world.api.fault = { status: 503 };
    world.watch.isTroubled = true;
    for (let minute = 0; minute < 59; minute++) {
      await advance(MINUTE);
      expect((await valueOf(replica.fresh(owner))).accessToken).toBe(accessToken);
    }
    await advance(45 * SECOND);
    expect((await valueOf(replica.fresh(owner))).accessToken).toBe(accessToken);
  });

  it.each([
    ['an unreadable record', { code: 'BERBIX_STORE', retryable: false }],
    ['a missing record', { code: 'BERBIX_NOT_FOUND' }],
    ['an outage of the API', { code: 'BERBIX_SERVER', retryable: true }],
  ])(
    'I8: %s is not an outage of the store: other tokens are rechecked as usual',
    async (what, problem) => {
      const { world } = the;
      const [replica, other] = [await world.start(), await world.start()];
      const owner = await world.remembered(replica);
      await valueOf(replica.fresh(owner));
      await valueOf(other.forget(owner));
      await advance(31 * SECOND);
      const key = 'default/transaction/2';
      if (what === 'an unreadable record') await world.memory.commit(key, 0, 'altered');
      if (what === 'an outage of the API') {
        await valueOf(replica.remember(world.api.create('2').refreshToken, 'ada'));
        world.api.fault = { status: 503 };
      }
      const failing = what.includes('API') ? { customerUid: 'ada' } : { transactionId: '2' };
      expect(await failureOf(replica.fresh(failing))).toMatchObject(problem);
      expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_GONE' });
    },
  );

  it('an altered record is an error that quotes nothing of it', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    let { value: before = '' } = await world.stored();
    for (const altered of ['clear.rt_canary', 'clear.null', 'clear.', before.slice(0, 40)]) {
      await world.memory.compareAndSwap('default/transaction/1', before, altered);
      before = altered;
      expect(await failureOf(replica.fresh(owner))).toMatchObject({
        code: 'BERBIX_STORE',
        retryable: false,
      });
    }
  });

  describe('loadTokens', () => {
    it('is called once for all callers if the store does not have the tokens', async () => {
      const { world } = the;
      const asked: BerbixTransactionRef[] = [];
      const good = world.api.create('1');
      const loadTokens = async (owner: BerbixTransactionRef) => {
        asked.push(owner);
        return 'transactionId' in owner ? good.refreshToken : undefined;
      };
      const [replica, other] = [
        await world.start({ loadTokens }),
        await world.start({ loadTokens }),
      ];
      const owner = { transactionId: '1' };
      await valueOf(Promise.all([1, 2, 3].map(() => replica.fresh(owner))));
      await valueOf(other.fresh(owner));
      expect(asked).toEqual([owner]);
      expect(world.api.exchanges).toHaveLength(1);
      const nobody = { customerUid: 'nobody' };
      expect(await failureOf(replica.fresh(nobody))).toMatchObject({ code: 'BERBIX_NOT_FOUND' });
    });

    it('is called once when the API does not know the stored refresh token', async () => {
      const { world } = the;
      let asked = 0;
      const replica = await world.start({
        loadTokens: async () => {
          asked++;
          return world.api.currentOf('1');
        },
      });
      const owner = await world.remembered(replica);
      await advance(HOUR);
      const good = world.api.reissue('1');
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(good.refreshToken);
      expect(asked).toBe(1);
      expect(world.api.exchanges).toHaveLength(2);
    });

    it('is called again when the stored refresh token is dead, and its result is used immediately', async () => {
      const { world } = the;
      let row = '';
      const replica = await world.start({ loadTokens: async () => row });
      const owner = await world.remembered(replica);
      row = world.api.currentOf('1');
      await advance(HOUR);
      const good = world.api.reissue('1');
      expect(await failureOf(replica.fresh(owner))).toMatchObject({
        code: 'BERBIX_INVALID_REFRESH_TOKEN',
      });
      row = good.refreshToken;
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(row);
      expect(world.api.exchanges).toHaveLength(2);
    });
  });
});
