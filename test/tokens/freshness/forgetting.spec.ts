import { describe, expect, it } from '@jest/globals';
import type { BerbixTokens } from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';
import { World } from './support/world.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const GONE = { code: 'BERBIX_GONE' };

describe('what is forgotten', () => {
  const the = eachWorld();

  it.each(['the same replica', 'another replica'])(
    'I8: by %s at any await of an exchange is not handed out afterwards, and does not come back',
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

  it('I8: is not handed out by a replica that forgot it once more, under any name', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica, '1', 'ada');
    await valueOf(other.fresh({ customerUid: 'ada' }));
    await valueOf(replica.forget(owner));
    await valueOf(other.forget(owner));
    expect(await failureOf(other.fresh({ customerUid: 'ada' }))).toMatchObject(GONE);
  });

  it('I8: is noticed by other replicas within half a minute, however busy they are', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await valueOf(other.fresh(owner));
    await advance(20 * SECOND);
    await valueOf(replica.forget(owner));
    const handedOutFor = await lastsFor(() => other.fresh(owner));
    expect(handedOutFor).toBeLessThanOrEqual(30 * SECOND);
  });

  it('I8: is noticed by all who come at once after a long rest', async () => {
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

  it('I8: its own replica notices at once', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica, '1', 'ada');
    await valueOf(replica.fresh(owner));
    await valueOf(replica.fresh({ customerUid: 'ada' }));
    await valueOf(replica.forget({ customerUid: 'ada' }));
    for (const source of [owner, { customerUid: 'ada' }]) {
      expect(await failureOf(replica.fresh(source))).toMatchObject(GONE);
    }
  });

  it('I8: a flight does not bring back to memory what was forgotten or replaced meanwhile', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    // What was read is on its way back, while the tokens are replaced.
    world.storeFaults.push({ call: 'load', fault: { backMs: SECOND } });
    const slow = outcomeOf(replica.fresh(owner));
    const next = world.api.reissue('1');
    await valueOf(replica.remember(next));
    expect((await slow).value?.accessToken).toBe(next.accessToken);
    expect((await valueOf(replica.fresh(owner))).accessToken).toBe(next.accessToken);
  });

  it('I8: is not what is made do with while an exchange of before hangs', async () => {
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

  it('replaced tokens: other replicas notice within half a minute', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await valueOf(other.fresh(owner));
    const next = world.api.reissue('1');
    await valueOf(replica.remember(next));
    await advance(30 * SECOND);
    expect((await valueOf(other.fresh(owner))).accessToken).toBe(next.accessToken);
  });
});

/** For how many milliseconds a call goes on succeeding. */
async function lastsFor(call: () => Promise<BerbixTokens>): Promise<number> {
  for (let ms = 0; ; ms += SECOND) {
    if ((await outcomeOf(call())).error !== undefined) return ms;
    await advance(SECOND);
  }
}
