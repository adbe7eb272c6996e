import { describe, expect, it, jest } from '@jest/globals';
import { errorOf } from '../support/errors.js';
import { eachWorld } from './support/world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const GRACE = { freshness: { rotation: { graceMs: MINUTE } }, retry: 0 };

describe('fresh() with a grace for superseded refresh tokens', () => {
  const the = eachWorld();

  it('tries again within the grace, however long the backoff has become', async () => {
    const { world } = the;
    world.api.habit = { graceMs: MINUTE };
    const replica = await world.start(GRACE);
    const owner = await world.remembered(replica);
    await advance(HOUR);
    // The longest waits that the jitter can give.
    jest.spyOn(Math, 'random').mockReturnValue(0.999);
    world.api.faults.push('reset-after', ...Array.from({ length: 5 }, () => ({ status: 503 })));
    const begun = performance.now();
    while (performance.now() - begun < 2 * MINUTE) {
      const { value } = await outcomeOf(replica.fresh(owner));
      if (value !== undefined) break;
      await advance(SECOND);
    }
    // The successor from the lost answer, or a later one.
    expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('repeats a request whose answer is lost', async () => {
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

  it('counts the grace from the first attempt with an unknown outcome, not from the last', async () => {
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
    'rejects a grace that leaves no time for an exchange after a lease: %j',
    async (freshness, sentence) => {
      const { world } = the;
      expect(await errorOf(world.start({ freshness }))).toMatchObject({
        code: 'BERBIX_CONFIGURATION',
        message: expect.stringMatching(sentence),
      });
    },
  );

  it.each([
    ['refused', 'refused'],
    ['answered with 429', { status: 429 }],
  ] as const)(
    'notes that the API may have acted, even if the repeated request is %s',
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

  it('reports an unknown outcome, not a failure, if the API may have acted', async () => {
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

  it('counts the grace from the first of two replicas that died in an exchange', async () => {
    const { world } = the;
    world.api.habit = { graceMs: 10 * MINUTE };
    const options = { freshness: { rotation: { graceMs: 10 * MINUTE } }, retry: 0 };
    const [first, second] = [await world.start(options), await world.start(options)];
    const owner = await world.remembered(first);
    await advance(HOUR);
    world.api.latencyMs = SECOND;
    const startedAt: unknown[] = [];
    for (const replica of [first, second]) {
      replica.fresh(owner).catch(() => {});
      await advance(SECOND / 2);
      startedAt.push((await world.stored()).note.startedAt);
      replica.kill();
      await advance(31 * SECOND);
    }
    expect(startedAt).toEqual([expect.any(Number), startedAt[0]]);
  });
});
