import { advance } from '../../renewal/support/virtual-time.js';
import type { World } from '../../renewal/support/world.js';
import type { Steps } from './steps.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];
const GRACE = { graceMs: 10 * SECOND };
const SHORT = { totalTimeoutMs: 3 * SECOND, timeoutMs: 3 * SECOND };

type Scenario = (world: World, steps: Steps) => Promise<void>;

/** Calls while something fails; the steps of each are in a file of its name. */
export const TROUBLES: Record<string, Scenario> = {
  'failures of the api': async (world, steps) => {
    const replica = await world.start();
    await steps.remember(replica, world.api.create('1'), 'ada');
    await advance(HOUR);
    for (const fault of [
      { status: 503, headers: { 'retry-after': '2' } },
      { status: 500 },
      { status: 429, headers: { 'retry-after': '600' } },
      { status: 401 },
      'refused',
      'reset-after',
      'bad-answer',
      'bad-id',
      { status: 403 },
      { status: 418 },
    ] as const) {
      world.api.faults.push(fault);
      await steps.fresh(replica, ONE);
      await steps.fresh(replica, ONE);
      await advance(MINUTE);
    }
    await steps.fresh(replica, ONE);
    await advance(50 * MINUTE);
    // Stale tokens are served.
    world.api.fault = { status: 500 };
    await steps.fresh(replica, ONE);
    await advance(3 * SECOND);
    await steps.fresh(replica, ONE);
  },

  'a dead refresh token': async (world, steps) => {
    const replica = await world.start();
    await steps.remember(replica, world.api.create('1'), 'ada');
    await advance(HOUR);
    world.api.faults.push({ status: 400, body: { readable: 'invalid_refresh_token' } });
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, ADA);
    await advance(MINUTE);
    await steps.fresh(replica, ADA);
    world.api.purge('1');
    await advance(HOUR);
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await steps.fresh(replica, ADA);
      await advance(minutes * MINUTE);
    }
  },

  'two replicas at the same time': async (world, steps) => {
    const [replica, other] = [await world.start(), await world.start()];
    await steps.remember(replica, world.api.create('1'), 'ada');
    await advance(HOUR);
    world.api.latencyMs = SECOND;
    const first = replica.fresh(ADA);
    await advance(100);
    await steps.fresh(other, ADA);
    await steps.of('the first one', first);
    await steps.fresh(other, ADA, { refused: (await other.fresh(ADA)).accessToken });
    await advance(MINUTE);
    const newer = replica.refresh(world.api.tokensOf('1'));
    await steps.of('refresh() of the other one', other.refresh(world.api.tokensOf('1')));
    await steps.of('refresh() of the first one', newer);
  },

  ...Object.fromEntries(
    (['none', 'strict', GRACE] as const).map((rotation): [string, Scenario] => [
      `a replica that dies with rotation ${typeof rotation === 'object' ? 'grace' : rotation}`,
      async (world, steps) => {
        world.api.habit = rotation === 'none' ? 'omit' : rotation;
        const options = { ...SHORT, freshness: { rotation, leaseMs: 4 * SECOND } };
        const [replica, other] = [await world.start(options), await world.start(options)];
        await steps.remember(replica, world.api.create('1'));
        await advance(59 * MINUTE + 30 * SECOND);
        const call = replica.fresh(ONE);
        call.catch(() => {});
        await advance(20);
        replica.kill();
        await steps.fresh(other, ONE);
        await advance(2 * SECOND);
        await steps.fresh(other, ONE);
        await advance(5 * SECOND);
        await steps.fresh(other, ONE);
        await advance(MINUTE);
        await steps.fresh(other, ONE);
      },
    ]),
  ),

  'failures of the store': async (world, steps) => {
    const replica = await world.start();
    await steps.remember(replica, world.api.create('1'), 'ada');
    await steps.fresh(replica, ADA);
    await advance(31 * SECOND);
    for (const [call, fault] of [
      ['load', 'fail'],
      ['load', 'hang'],
    ] as const) {
      world.storeFaults.push({ call, fault });
      await steps.fresh(replica, ADA);
      await advance(4_999);
      await steps.fresh(replica, ADA);
      await advance(1);
      await steps.fresh(replica, ADA);
      await steps.fresh(replica, ONE);
      await advance(MINUTE);
    }
    for (const [call, fault] of [
      ['load', 'fail'],
      ['lease', 'fail'],
      ['lease', 'lost'],
      ['commit', 'lost'],
      ['commit', 'fail'],
      ['commit', 'twice'],
    ] as const) {
      await advance(HOUR);
      world.storeFaults.push({ call, fault });
      await steps.fresh(replica, ADA);
      await steps.fresh(replica, ADA);
    }
    await advance(HOUR);
    world.storeFaults.push({ call: 'release', fault: 'fail' });
    world.api.faults.push({ status: 500 });
    await steps.fresh(replica, ADA);
    for (const fault of ['fail', 'lost'] as const) {
      world.storeFaults.push({ call: 'forget', fault });
      await steps.forget(replica, ADA);
    }
  },

  'a store that does not take a new refresh token': async (world, steps) => {
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    await steps.remember(replica, world.api.create('1'), 'ada');
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    await steps.fresh(replica, ADA);
    world.storeFault = undefined;
    await advance(MINUTE);
    await steps.fresh(replica, ADA);
  },
};
