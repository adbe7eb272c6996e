import { describe, expect, it, jest } from '@jest/globals';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const GRACE = { freshness: { rotation: { graceMs: MINUTE } }, retry: 0 };

describe('fresh(), while the token before still counts', () => {
  const the = eachWorld();

  it('tries once more as long as the grace lasts, however long the backoff has become', async () => {
    const { world } = the;
    world.api.habit = { graceMs: MINUTE };
    const replica = await world.start(GRACE);
    const owner = await world.remembered(replica);
    await advance(HOUR);
    // The longest waits that chance can give.
    jest.spyOn(Math, 'random').mockReturnValue(0.999);
    world.api.faults.push('reset-after', ...Array.from({ length: 5 }, () => ({ status: 503 })));
    const begun = performance.now();
    while (performance.now() - begun < 2 * MINUTE) {
      const { value } = await outcomeOf(replica.fresh(owner));
      if (value !== undefined) break;
      await advance(SECOND);
    }
    // Its successor, which the lost answer had, or one after that.
    expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('asks for a lost answer again, since that costs nothing', async () => {
    const { world } = the;
    world.api.habit = { graceMs: 10 * MINUTE };
    const rotation = { graceMs: 10 * MINUTE };
    const replica = await world.start({ freshness: { rotation }, retry: 2 });
    const owner = await world.remembered(replica);
    for (let hour = 0; hour < 2; hour++) {
      await advance(HOUR);
      world.api.faults.push('reset-after');
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    }
    expect(world.api.exchanges).toHaveLength(4);
  });

  it('counts the grace from the first attempt whose end is unknown, not from the last', async () => {
    const { world } = the;
    world.api.habit = { graceMs: MINUTE };
    const replica = await world.start(GRACE);
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.faults.push('reset-after', { status: 503 }, { status: 429 });
    await outcomeOf(replica.fresh(owner));
    const first = (await world.stored()).note.startedAt;
    expect(first).toEqual(expect.any(Number));
    for (let n = 0; n < 2; n++) {
      await advance(3 * SECOND);
      await outcomeOf(replica.fresh(owner));
      expect((await world.stored()).note.startedAt).toBe(first);
    }
    await advance(9 * SECOND);
    expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    expect((await world.stored()).note.startedAt).toBeUndefined();
  });

  it.each([
    [
      { rotation: { graceMs: 45 * SECOND } },
      /graceMs.*leaseMs \(30000\).*totalTimeoutMs \(15000\)/,
    ],
    [{ rotation: { graceMs: MINUTE }, leaseMs: 50 * SECOND }, /graceMs.*leaseMs \(50000\)/],
  ])(
    'is refused where it leaves no time for an exchange after a lease: %j',
    async (freshness, sentence) => {
      const { world } = the;
      const error = await world.start({ freshness }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'BERBIX_CONFIGURATION',
        message: expect.stringMatching(sentence),
      });
    },
  );

  it.each([
    ['refused', 'refused'],
    ['answered 429', { status: 429 }],
  ] as const)(
    'remembers an exchange that may have been acted on where its repetition is %s',
    async (_, fault) => {
      const { world } = the;
      const replica = await world.start({ ...GRACE, retry: 1 });
      const owner = await world.remembered(replica);
      await advance(HOUR);
      world.api.faults.push('reset-after', fault);
      await outcomeOf(replica.fresh(owner));
      expect((await world.stored()).note).toMatchObject({ startedAt: expect.any(Number) });
    },
  );

  it('says of an exchange that may have been acted on that nobody knows, not that it failed', async () => {
    const { world } = the;
    const replica = await world.start(GRACE);
    const owner = await world.remembered(replica);
    for (const [fault, sentence] of [
      ['reset-after', /unknown outcome/],
      ['refused', /unknown outcome/],
    ] as const) {
      await advance(HOUR);
      world.api.faults.push(fault);
      await outcomeOf(replica.fresh(owner));
      expect(await failureOf(replica.fresh(owner))).toMatchObject({
        code: 'BERBIX_UNAVAILABLE',
        message: expect.stringMatching(sentence),
      });
    }
  });
});
