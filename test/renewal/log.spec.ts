import { describe, expect, it } from '@jest/globals';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import type { ApiFault } from './support/fake-api.js';
import type { StoreCall } from './support/replica-store.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';
import { eachWorld } from './support/world.js';

const [SECOND, HOUR] = [1_000, 3_600_000];
const DEAD = { status: 400, body: { readable: 'invalid_refresh_token', message: 'unknown' } };
const failing = (): never => {
  throw new TypeError('the database is down');
};

describe('what operators read in the log', () => {
  const the = eachWorld();

  /** Two calls, of which the first needs an exchange, and the lines of the log about them. */
  async function linesOf(
    options: Partial<BerbixModuleOptions>,
    fault?: ApiFault,
    ...failingCalls: StoreCall[]
  ): Promise<string[]> {
    const { world } = the;
    const replica = await world.start(options);
    const owner = await world.remembered(replica);
    await advance(HOUR);
    if (fault !== undefined) world.api.faults.push(fault);
    if (failingCalls.length > 0) world.storeFault = { calls: failingCalls, fault: 'fail' };
    await outcomeOf(replica.fresh(owner));
    world.storeFault = undefined;
    await outcomeOf(replica.fresh(owner));
    return world.logged;
  }

  it('a refresh token that is dead, once until it is presented again', async () => {
    expect(await linesOf({}, DEAD)).toEqual([
      expect.stringMatching(/A refresh token is dead: .*BERBIX_INVALID_REFRESH_TOKEN/),
    ]);
  });

  it('a failed exchange that the store cannot note', async () => {
    expect(await linesOf({}, { status: 503 }, 'release')).toEqual([
      expect.stringMatching(/A failed exchange could not be noted: The token store .*BERBIX_STORE/),
    ]);
  });

  it('a failed hook that the store cannot note', async () => {
    the.world.api.habit = 'strict';
    const options = { freshness: { rotation: 'strict' }, onRotation: failing } as const;
    expect(await linesOf(options, undefined, 'release')).toEqual([
      expect.stringMatching(/A failed onRotation could not be noted: The token store/),
    ]);
  });

  it('a refresh token that was replaced against the options, once', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start();
    const owner = await world.remembered(replica);
    for (let exchange = 0; exchange < 3; exchange++) {
      await advance(HOUR);
      await valueOf(replica.fresh(owner));
    }
    expect(world.api.exchanges).toHaveLength(3);
    expect(world.logged).toEqual([
      expect.stringContaining(
        "The API has replaced a refresh token, though freshness.rotation is 'none'.",
      ),
    ]);
  });

  it('a hook that fails with a refresh token that is not saved either', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const options = { freshness: { rotation: 'strict' }, onRotation: failing } as const;
    const replica = await world.start(options);
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    const failed = failureOf(replica.fresh(owner));
    const stopped = replica.stop();
    await advance(30 * SECOND);
    await Promise.all([failed, stopped]);
    expect(world.logged).toEqual([
      expect.stringContaining(
        'The tokens of an exchange could not be saved, and the store does not have their refresh token.',
      ),
      expect.stringMatching(/^'The hook onRotation failed \(TypeError\)\./),
    ]);
  });
});
