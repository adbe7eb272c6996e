import { describe, expect, it } from '@jest/globals';
import {
  BerbixTokens,
  InMemoryTokenStore,
  type BerbixError,
  type RotatedTokens,
} from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n + 1));

describe('refresh tokens that callers bring along', () => {
  const the = eachWorld();

  /** What the application was told of. */
  const told: RotatedTokens[] = [];
  const strict = () => {
    told.length = 0;
    return {
      freshness: { rotation: 'strict', cacheSize: 2 },
      onRotation: (rotated: RotatedTokens) => void told.push(rotated),
      store: new InMemoryTokenStore(),
    } as const;
  };

  it('I2, I3: more at once than memory has places for: one exchange each, and none is lost', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    world.api.latencyMs = SECOND;
    const replica = await world.start(strict());
    const given = ids(40).map((id) => world.api.create(id).refreshToken);
    const fresh = await valueOf(Promise.all(given.map((token) => replica.fresh(token))));
    expect(fresh.map(({ refreshToken }) => refreshToken)).toEqual(
      ids(40).map((id) => world.api.currentOf(id)),
    );
    expect(world.api.exchanges).toHaveLength(40);
    expect(told.map(({ previousRefreshToken }) => previousRefreshToken).toSorted()).toEqual(
      given.toSorted(),
    );
  });

  it('what nobody has used for a minute makes room', async () => {
    const { world } = the;
    const replica = await world.start({ freshness: { cacheSize: 2 } });
    const given = ids(3).map((id) => world.api.create(id).refreshToken);
    for (const token of given) {
      await valueOf(replica.fresh(token));
      await advance(2 * MINUTE);
    }
    world.api.fault = { status: 503 };
    await advance(HOUR - 4.5 * MINUTE);
    world.watch.isTroubled = true;
    // Those of the last two are still good in need; those of the first are gone.
    await valueOf(replica.fresh(given[2] as string));
    expect(await failureOf(replica.fresh(given[0] as string))).toMatchObject({
      code: 'BERBIX_SERVER',
    });
  });

  it('a new refresh token that the application was not told of makes no room, however long it takes', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    let isDown = true;
    const replica = await world.start({
      ...strict(),
      onRotation: (rotated) => {
        if (isDown) throw new Error('canary');
        told.push(rotated);
      },
    });
    const [first = '', ...others] = ids(5).map((id) => world.api.create(id).refreshToken);
    const error: BerbixError = await failureOf(replica.fresh(first));
    expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
    for (const token of others) {
      await advance(2 * MINUTE);
      await failureOf(replica.fresh(token));
    }
    isDown = false;
    await advance(2 * MINUTE);
    for (const token of others) await valueOf(replica.fresh(token));
    const { refreshToken } = await valueOf(replica.fresh(first));
    expect(refreshToken).toBe(world.api.currentOf('1'));
    expect(told.at(-1)).toMatchObject({ previousRefreshToken: first });
    expect(world.api.exchanges).toHaveLength(5);
  });

  it('a cache of so many is one for so many, whatever their transactions are', async () => {
    const { world } = the;
    const replica = await world.start({ freshness: { cacheSize: 8 } });
    const given = ids(8).map((id) => world.api.create(id).refreshToken);
    for (const token of given) await valueOf(replica.fresh(token));
    await advance(HOUR - 30 * SECOND);
    world.api.fault = { status: 503 };
    world.watch.isTroubled = true;
    for (const token of given) {
      expect((await valueOf(replica.fresh(token))).refreshToken).toBe(token);
    }
  });

  it('refresh(): a new refresh token reaches the application, though its caller has left', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    world.api.latencyMs = 2 * SECOND;
    const replica = await world.start(strict());
    const { refreshToken } = world.api.create('1');
    const caller = replica.tokens.refresh(refreshToken).subscribe();
    await advance(1.5 * SECOND);
    caller.unsubscribe();
    await advance(SECOND);
    expect(told).toMatchObject([{ previousRefreshToken: refreshToken }]);
    expect(told[0]?.tokens.refreshToken).toBe(world.api.currentOf('1'));
    // Whoever still has the one before is served with the one after.
    expect((await valueOf(replica.refresh(refreshToken))).refreshToken).toBe(
      world.api.currentOf('1'),
    );
    expect(world.api.exchanges.map((one) => one.refreshToken)).toEqual([
      refreshToken,
      told[0]?.tokens.refreshToken,
    ]);
  });

  it('refresh(): the end of the process waits until the application was told', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      ...strict(),
      onRotation: async (rotated) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        told.push(rotated);
      },
    });
    world.api.latencyMs = SECOND;
    const refreshed = replica.refresh(world.api.create('1').refreshToken);
    await advance(600);
    await valueOf(replica.stop());
    expect(told).toHaveLength(1);
    await valueOf(refreshed);
  });

  it('I8: are not what is made do with where their transaction was forgotten', async () => {
    const { world } = the;
    const replica = await world.start();
    const { refreshToken } = world.api.create('1');
    await valueOf(replica.fresh(refreshToken));
    const tokens = new BerbixTokens({ refreshToken, transactionId: '1' });
    await valueOf(replica.remember(tokens));
    await valueOf(replica.forget({ transactionId: '1' }));
    expect(await failureOf(replica.fresh(tokens))).toMatchObject({ code: 'BERBIX_GONE' });
  });
});
