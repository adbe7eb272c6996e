import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { TokenMemory } from '../../lib/renewal/token-memory.js';
import { usualOrLong } from '../support/long.js';
import { eachWorld, World } from './support/world.js';
import {
  advance,
  failureOf,
  outcomeOf,
  setHostClock,
  settle,
  valueOf,
} from './support/virtual-time.js';

const [SECOND, MINUTE] = [1_000, 60_000];

describe('fresh() as tokens age', () => {
  const the = eachWorld();

  it('serves remembered tokens for three quarters of their lifetime, without a call to the API', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    const first = await valueOf(replica.fresh(owner));
    for (let minute = 0; minute < 44; minute++) {
      await advance(MINUTE);
      expect((await valueOf(replica.fresh(owner))).accessToken).toBe(first.accessToken);
    }
    expect(world.api.exchanges).toHaveLength(0);
    for (let minute = 44; minute < 50; minute++) {
      await advance(MINUTE);
      await valueOf(replica.fresh(owner));
    }
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('renews tokens of half a minute in time, however long the process has been running', async () => {
    const { world } = the;
    world.api.lifetimeMs = 30 * SECOND;
    const replica = await world.start();
    await advance(30_000 * MINUTE);
    const owner = await world.remembered(replica);
    const { accessToken } = await valueOf(replica.fresh(owner));
    await advance(25 * SECOND);
    expect((await valueOf(replica.fresh(owner))).accessToken).toBe(accessToken);
    await advance(SECOND);
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('serves stale tokens immediately and renews them in the background, once in the fleet', async () => {
    const { world } = the;
    const replicas = [await world.start(), await world.start()];
    const owner = await world.remembered(replicas[0]!);
    for (const replica of replicas) await valueOf(replica.fresh(owner));
    await advance(50 * MINUTE);
    world.api.latencyMs = 5 * SECOND;
    const old = world.storeCalls.length;
    for (const replica of [...replicas, ...replicas]) {
      const { value, afterMs } = await outcomeOf(replica.fresh(owner));
      expect(afterMs).toBeLessThan(SECOND);
      expect(world.api.leftOf(value?.accessToken)).toBeLessThan(11 * MINUTE);
    }
    expect(world.storeCalls.length).toBeGreaterThan(old);
    await advance(10 * SECOND);
    for (const replica of replicas) {
      await valueOf(replica.fresh(owner));
      await advance(2 * SECOND);
      const { accessToken } = await valueOf(replica.fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
    }
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('a failed renewal in the background is not an error for callers, and is not repeated immediately', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(50 * MINUTE);
    const before = world.storeCalls.length;
    world.api.fault = { status: 503, headers: { 'retry-after': '30' } };
    for (let n = 0; n < 50; n++) {
      await valueOf(replica.fresh(owner));
      await advance(500);
    }
    expect(world.api.exchanges).toHaveLength(1);
    // Every second, not with every call.
    expect(world.storeCalls.length - before).toBeLessThan(35);
  });

  it('waits for the exchange if tokens expire soon', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    const first = await valueOf(replica.fresh(owner));
    await advance(59 * MINUTE + SECOND);
    const { value, afterMs } = await outcomeOf(replica.fresh(owner));
    expect(value?.accessToken).not.toBe(first.accessToken);
    expect(afterMs).toBeGreaterThanOrEqual(world.api.latencyMs);
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I1: exchanges tokens that are valid for less than the requested leeway', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(30 * MINUTE);
    await valueOf(replica.fresh(owner, { leewayMs: 29 * MINUTE }));
    expect(world.api.exchanges).toHaveLength(0);
    await valueOf(replica.fresh(owner, { leewayMs: 31 * MINUTE }));
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I1: in an outage, serves stale tokens until shortly before they expire, never longer', async () => {
    const { world } = the;
    const replicas = [await world.start(), await world.start()];
    const owner = await world.remembered(replicas[0]!);
    await valueOf(replicas[0]!.fresh(owner));
    world.api.fault = { status: 503 };
    world.watch.isTroubled = true;
    await advance(59 * MINUTE + 50 * SECOND);
    // One has the tokens in memory, the other finds them in the store.
    for (const replica of replicas) {
      const { accessToken } = await valueOf(replica.fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeGreaterThan(5 * SECOND);
    }
    await advance(6 * SECOND);
    for (const replica of replicas) {
      const error: Error = await failureOf(replica.fresh(owner));
      expect(error).toMatchObject({
        code: expect.stringMatching(/SERVER|UNAVAILABLE/),
        retryable: true,
      });
    }
  });

  it.each(['with the tokens in memory', 'with the tokens in the store alone'])(
    'I1: serves stale tokens if the API does not answer, %s',
    async (where) => {
      const { world } = the;
      const replica = await world.start();
      const owner = await world.remembered(replica);
      if (where.endsWith('memory')) await valueOf(replica.fresh(owner));
      world.api.fault = 'hang-before';
      world.watch.isTroubled = true;
      await advance(59 * MINUTE + 10 * SECOND);
      const { accessToken } = await valueOf(replica.fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeGreaterThan(5 * SECOND);
    },
  );

  it('I1: expiry counts from the lease, however long the answer takes', async () => {
    const { world } = the;
    world.api.lifetimeMs = 20 * SECOND;
    world.api.latencyMs = 0;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(20 * SECOND);
    world.api.gate = async (what) => (what === 'back' ? advanceLater(10 * SECOND) : undefined);
    const first = await valueOf(replica.fresh(owner));
    expect(world.api.leftOf(first.accessToken)).toBe(10 * SECOND);
    world.api.gate = () => Promise.resolve();
    await advance(9 * SECOND);
    const { accessToken } = await valueOf(replica.fresh(owner));
    expect(accessToken).not.toBe(first.accessToken);
  });

  it('replicas consider tokens stale at different times, so that they do not all read the store together', () => {
    const now = performance.now();
    const found = {
      tokens: the.world.api.create('1'),
      staleAt: now + 45 * MINUTE,
      expiresSoonAt: now + 59 * MINUTE,
      endAt: now + 60 * MINUTE,
    };
    const staleAt = [0, 0.5, 0.999].map((chance) => {
      jest.spyOn(Math, 'random').mockReturnValue(chance);
      return new TokenMemory(1).put('transaction/1', found).staleAt - now;
    });
    expect(staleAt[0]).toBe(45 * MINUTE);
    expect(staleAt[1]).toBeGreaterThan(45 * MINUTE);
    expect(staleAt[2]).toBeGreaterThan(staleAt[1] as number);
    expect(staleAt[2]).toBeLessThanOrEqual(1.02 * 45 * MINUTE);
  });

  it('I1: holds for random lifetimes and latencies, whatever the clock of the host does', async () => {
    await the.world.end();
    const step = fc.record({
      passMs: fc.integer({ min: 1, max: 2_000 }).map((n) => n ** 2),
      clockMs: fc.constantFrom(0, 0, -600_000, 600_000),
      who: fc.nat(1),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: 7_200 }),
        fc.integer({ min: 0, max: 900 }),
        fc.array(step, { minLength: 5, maxLength: 25 }),
        fc.integer(),
        async (lifetimeS, latencyMs, steps, seed) => {
          const world = new World(seed);
          world.api.lifetimeMs = lifetimeS * SECOND;
          world.api.latencyMs = latencyMs;
          const replicas = [await world.start(), await world.start()];
          const owner = await world.remembered(replicas[0]!);
          for (const { passMs, clockMs, who } of steps) {
            setHostClock(clockMs);
            await advance(passMs);
            await valueOf(replicas[who]!.fresh(owner));
          }
          expect(await world.end()).toEqual([]);
        },
      ),
      { numRuns: usualOrLong(25, 1_000) },
    );
    await settle();
  });
});

function advanceLater(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
