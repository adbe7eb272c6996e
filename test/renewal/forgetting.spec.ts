import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import { eachWorld, World } from './support/world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const GONE = { code: 'BERBIX_GONE' };

describe('forgotten tokens', () => {
  const the = eachWorld();

  it.each(['the same replica', 'another replica'])(
    'I8: are not handed out and do not come back if %s forgets them at any await of an exchange',
    async (who) => {
      await the.world.end();
      for (let point = 0; point < 12; point++) {
        const world = new World(point);
        world.api.habit = 'strict';
        const options = { freshness: { rotation: 'strict' } } as const;
        const [replica, other] = [await world.start(options), await world.start(options)];
        const owner = await world.remembered(replica);
        await advance(HOUR);
        const forgetter = who === 'the same replica' ? replica : other;
        let forgotten: Promise<unknown> | undefined;
        let awaits = 0;
        const gate = async (): Promise<void> => {
          if (awaits++ !== point) return;
          forgotten = forgetter.forget(owner).then(() => world.watch.forgotten('1', forgetter));
          await forgotten;
        };
        world.storeGate = (_, from) =>
          from === replica && forgotten === undefined ? gate() : Promise.resolve();
        world.api.gate = gate;
        const call = replica.fresh(owner).catch(() => {});
        await valueOf(call);
        await (forgotten ??
          forgetter.forget(owner).then(() => world.watch.forgotten('1', forgetter)));
        expect(await failureOf(forgetter.fresh(owner))).toMatchObject(GONE);
        await advance(31 * SECOND);
        for (const one of [replica, other]) {
          expect(await failureOf(one.fresh(owner))).toMatchObject(GONE);
        }
        expect((await world.stored()).value).toBeUndefined();
        expect(await world.end()).toEqual([]);
      }
    },
  );

  it('I8: are not handed out under any name by a replica that forgets them once more', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica, '1', 'ada');
    const { refreshToken } = await valueOf(replica.fresh(owner));
    await valueOf(
      replica.remember(new BerbixTokens({ refreshToken, transactionId: '1' }), 'grace'),
    );
    for (const customerUid of ['ada', 'grace']) await valueOf(other.fresh({ customerUid }));
    await valueOf(replica.forget(owner));
    await valueOf(other.forget(owner));
    for (const customerUid of ['ada', 'grace']) {
      expect(await failureOf(other.fresh({ customerUid }))).toMatchObject(GONE);
    }
  });

  it('I8: are not handed out when the store answers again after an outage', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const [one, two, three] = [
      await world.remembered(other, '1'),
      await world.remembered(other, '2'),
      await world.remembered(other, '3'),
    ];
    await valueOf(replica.fresh(one));
    await valueOf(other.forget(one));
    await advance(31 * SECOND);
    world.storeFaults.push({ call: 'load', fault: 'fail' });
    expect(await failureOf(replica.fresh(two))).toMatchObject({ code: 'BERBIX_STORE' });
    await valueOf(replica.fresh(three));
    expect(await failureOf(replica.fresh(one))).toMatchObject(GONE);
  });

  it('I8: stay gone after a BerbixGoneError, even in an outage of the store', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(other);
    await valueOf(replica.fresh(owner));
    await valueOf(other.forget(owner));
    await advance(31 * SECOND);
    expect(await failureOf(replica.fresh(owner))).toMatchObject(GONE);
    world.storeFault = { fault: 'fail' };
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_STORE' });
  });

  it('I8: are not served as stale tokens either', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(other);
    await valueOf(replica.fresh(owner));
    await advance(58 * MINUTE + 40 * SECOND);
    await valueOf(other.forget(owner));
    await advance(30 * SECOND);
    expect(await failureOf(replica.fresh(owner))).toMatchObject(GONE);
  });

  it('I8: are noticed by other replicas within half a minute, however busy they are', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await valueOf(other.fresh(owner));
    await advance(20 * SECOND);
    await valueOf(replica.forget(owner));
    const handedOutFor = await lastsFor(() => other.fresh(owner));
    expect(handedOutFor).toBeLessThanOrEqual(30 * SECOND);
  });

  it('I8: are noticed by all concurrent callers after a long pause', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await valueOf(other.fresh(owner));
    await valueOf(replica.forget(owner));
    for (const restMs of [MINUTE, 50 * MINUTE]) {
      await advance(restMs);
      const calls = [1, 2, 3].map(() => outcomeOf(other.fresh(owner)));
      for (const { error } of await Promise.all(calls)) expect(error).toMatchObject(GONE);
    }
  });

  it('I8: are noticed immediately by the replica that forgets them', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica, '1', 'ada');
    await valueOf(replica.fresh(owner));
    await valueOf(replica.fresh({ customerUid: 'ada' }));
    await valueOf(replica.forget({ customerUid: 'ada' }));
    for (const ref of [owner, { customerUid: 'ada' }]) {
      expect(await failureOf(replica.fresh(ref))).toMatchObject(GONE);
    }
  });

  it('I8: are not in memory by any of their customers, even if another one has others now', async () => {
    const { world } = the;
    const replica = await world.start();
    const uids = ['ada', 'ben'];
    world.api.create('1');
    for (const uid of uids) await valueOf(replica.remember(world.api.tokensOf('1'), uid));
    for (const customerUid of uids) await valueOf(replica.fresh({ customerUid }));
    await world.remembered(replica, '2', 'ben');
    await valueOf(replica.forget({ transactionId: '1' }));
    expect(await failureOf(replica.fresh({ customerUid: 'ada' }))).toMatchObject(GONE);
    expect((await valueOf(replica.fresh({ customerUid: 'ben' }))).transactionId).toBe('2');
  });

  it('I8: a run in flight does not put replaced tokens back into memory', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    // The tokens are replaced while the answer of the store is on its way.
    world.storeFaults.push({ call: 'load', fault: { backMs: SECOND } });
    const slow = outcomeOf(replica.fresh(owner));
    const next = world.api.reissue('1');
    await valueOf(replica.remember(next));
    expect((await slow).value?.accessToken).toBe(next.accessToken);
    expect((await valueOf(replica.fresh(owner))).accessToken).toBe(next.accessToken);
  });

  it('I8: are not served as stale-if-error while an earlier exchange hangs', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    const { accessToken } = await valueOf(replica.fresh(owner));
    world.api.fault = 'hang-before';
    world.storeFaults.push({ call: 'lease', fault: { backMs: 1.2 * SECOND } });
    const before = outcomeOf(replica.fresh(owner, { refused: accessToken }));
    await advance(SECOND / 10);
    await valueOf(replica.forget(owner));
    const after = outcomeOf(replica.fresh(owner));
    for (const { value } of await Promise.all([before, after])) expect(value).toBeUndefined();
  });

  it('may be remembered again', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.forget(owner));
    const tokens = world.api.reissue('1');
    await valueOf(replica.remember(tokens));
    expect((await valueOf(replica.fresh(owner))).accessToken).toBe(tokens.accessToken);
  });

  it('I8: are found by their transaction again if its refresh token is remembered again without the id', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const [owner, ada] = [await world.remembered(replica, '1', 'ada'), { customerUid: 'ada' }];
    await valueOf(replica.forget(owner));
    await valueOf(replica.remember(world.api.currentOf('1'), 'ada'));
    expect((await valueOf(replica.fresh(ada))).transactionId).toBe('1');
    await valueOf(replica.forget(owner));
    expect(await failureOf(other.fresh(ada))).toMatchObject(GONE);
    expect((await world.memory.keys('default/anonymous')).keys).toEqual([]);
  });

  it('replaced tokens are noticed by other replicas within half a minute', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await valueOf(other.fresh(owner));
    const next = world.api.reissue('1');
    await valueOf(replica.remember(next));
    await advance(30 * SECOND);
    expect((await valueOf(other.fresh(owner))).accessToken).toBe(next.accessToken);
  });

  it('records that refer to each other end a call with an error, and can be forgotten', async () => {
    const { world } = the;
    const replica = await world.start();
    for (const [id, other] of ['12', '21']) {
      const value = `clear.{"see":"transaction/${other}"}`;
      await world.memory.commit(`default/transaction/${id}`, 0, value);
    }
    const owner = { transactionId: '1' };
    expect(await failureOf(replica.fresh(owner))).toMatchObject({
      code: 'BERBIX_STORE',
      retryable: false,
    });
    await valueOf(replica.forget(owner));
    expect((await world.memory.keys('')).keys).toEqual([]);
  });
});

/** For how many milliseconds a call keeps succeeding. */
async function lastsFor(call: () => Promise<BerbixTokens>): Promise<number> {
  for (let ms = 0; ; ms += SECOND) {
    if ((await outcomeOf(call())).error !== undefined) return ms;
    await advance(SECOND);
  }
}
