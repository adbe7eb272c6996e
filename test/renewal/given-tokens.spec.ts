import { describe, expect, it } from '@jest/globals';
import {
  BerbixTokens,
  InMemoryTokenStore,
  type BerbixError,
  type BerbixRotatedTokens,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { eachWorld } from './support/world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';
import { TOTAL_TIMEOUT_MS } from './support/watch.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n + 1));

describe('refresh tokens that callers pass in', () => {
  const the = eachWorld();

  /** What onRotation was called with. */
  const notified: BerbixRotatedTokens[] = [];
  const strict = () => {
    notified.length = 0;
    return {
      freshness: { rotation: 'strict', cacheSize: 2 },
      onRotation: (rotated: BerbixRotatedTokens) => void notified.push(rotated),
      store: new InMemoryTokenStore(),
    } as const;
  };

  it('I2, I3: more at a time than the cache holds: one exchange each, and none is lost', async () => {
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
    expect(notified.map(({ previousRefreshToken }) => previousRefreshToken).toSorted()).toEqual(
      given.toSorted(),
    );
  });

  it('I12: the lookup of their transaction in the store counts towards the time limit of the call', async () => {
    const { world } = the;
    const replica = await world.start({ storeTimeoutMs: TOTAL_TIMEOUT_MS });
    const given = world.api.create('1');
    world.storeFaults.push({ call: 'load', fault: { thereMs: 0.9 * TOTAL_TIMEOUT_MS } });
    world.api.fault = 'hang-before';
    const { error, afterMs } = await outcomeOf(replica.refresh(given));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
    expect(afterMs).toBeLessThanOrEqual(TOTAL_TIMEOUT_MS);
  });

  it('are evicted if they were not used for a minute', async () => {
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
    // The last two are still usable as stale-if-error; the first is evicted.
    await valueOf(replica.fresh(given[2] as string));
    expect(await failureOf(replica.fresh(given[0] as string))).toMatchObject({
      code: 'BERBIX_SERVER',
    });
  });

  it('are not evicted while a rotation is pending, however long that takes', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    let isDown = true;
    const replica = await world.start({
      ...strict(),
      onRotation: (rotated) => {
        if (isDown) throw new Error('canary');
        notified.push(rotated);
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
    expect(notified.at(-1)).toMatchObject({ previousRefreshToken: first });
    expect(world.api.exchanges).toHaveLength(5);
  });

  /** The table of an application, which has one refresh token. */
  const table = (mine: string) => {
    const row = { mine, isDown: false };
    const onRotation = ({ tokens, previousRefreshToken }: BerbixRotatedTokens): void => {
      if (row.isDown) throw new Error('the database is down');
      if (previousRefreshToken === row.mine) row.mine = tokens.refreshToken;
    };
    return { row, onRotation };
  };

  it('are replaced for the second time while the memory is full: the application hears of each', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const { row, onRotation } = table(world.api.create('1').refreshToken);
    const replica = await world.start({ ...strict(), onRotation });
    await valueOf(replica.fresh(row.mine));
    await advance(2 * HOUR);
    await valueOf(replica.fresh(row.mine));
    expect(row.mine).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges).toHaveLength(2);
  });

  it('I3: are found while a second rotation is pending and the memory is full', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const { row, onRotation } = table(world.api.create('1').refreshToken);
    const freshness = { rotation: 'strict', cacheSize: 3 } as const;
    const replica = await world.start({ ...strict(), freshness, onRotation });
    await valueOf(replica.fresh(row.mine));
    await advance(2 * HOUR);
    row.isDown = true;
    await failureOf(replica.fresh(row.mine));
    for (const id of ['2', '3']) {
      await advance(2 * MINUTE);
      await failureOf(replica.fresh(world.api.create(id).refreshToken));
    }
    row.isDown = false;
    await advance(2 * MINUTE);
    const spent = row.mine;
    await outcomeOf(replica.fresh(spent));
    expect(row.mine).toBe(world.api.currentOf('1'));
    const presented = world.api.exchanges.filter(({ refreshToken }) => refreshToken === spent);
    expect(presented).toHaveLength(1);
  });

  it('are cached up to cacheSize, whatever their transactions are', async () => {
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

  it('refresh(): the application is notified of a new refresh token even if the caller has left', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    world.api.latencyMs = 2 * SECOND;
    const replica = await world.start(strict());
    const { refreshToken } = world.api.create('1');
    const caller = replica.tokens.refresh(refreshToken).subscribe();
    await advance(1.5 * SECOND);
    caller.unsubscribe();
    await advance(SECOND);
    expect(notified).toMatchObject([{ previousRefreshToken: refreshToken }]);
    expect(notified[0]?.tokens.refreshToken).toBe(world.api.currentOf('1'));
    // A caller who still has the superseded one gets its successor.
    expect((await valueOf(replica.refresh(refreshToken))).refreshToken).toBe(
      world.api.currentOf('1'),
    );
    expect(world.api.exchanges.map((one) => one.refreshToken)).toEqual([
      refreshToken,
      notified[0]?.tokens.refreshToken,
    ]);
  });

  it('refresh(): the shutdown waits until the application is notified', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      ...strict(),
      onRotation: async (rotated) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        notified.push(rotated);
      },
    });
    world.api.latencyMs = SECOND;
    const refreshed = replica.refresh(world.api.create('1').refreshToken);
    await advance(600);
    await valueOf(replica.stop());
    expect(notified).toHaveLength(1);
    await valueOf(refreshed);
  });

  it('I4: a caller whose time ends during onRotation gets the new refresh token in the error', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const onRotation = () => new Promise<void>((resolve) => setTimeout(resolve, 3 * SECOND));
    const replica = await world.start({ ...strict(), onRotation });
    const refreshed = replica.tokens.refresh(world.api.create('1').refreshToken, {
      timeoutMs: 2 * SECOND,
    });
    const error: BerbixError = await failureOf(firstValueFrom(refreshed));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
    await advance(2 * SECOND);
  });

  describe('if onRotation failed, at shutdown', () => {
    /** A replica whose onRotation has failed with the successor of a refresh token. */
    const failed = async () => {
      const { world } = the;
      world.api.habit = 'strict';
      const hook = { isDown: true };
      const onRotation = (rotated: BerbixRotatedTokens): void => {
        if (hook.isDown) throw new Error('canary');
        notified.push(rotated);
      };
      const replica = await world.start({ ...strict(), onRotation });
      const { refreshToken } = world.api.create('1');
      await failureOf(replica.refresh(refreshToken));
      return { replica, hook, refreshToken };
    };

    it('I4: the application is notified of a new refresh token once more', async () => {
      const { replica, hook, refreshToken } = await failed();
      hook.isDown = false;
      await valueOf(replica.stop());
      expect(notified).toMatchObject([{ previousRefreshToken: refreshToken }]);
      expect(notified[0]?.tokens.refreshToken).toBe(the.world.api.currentOf('1'));
    });

    it('I4: the same if a transaction is in a store that ends with the process', async () => {
      const { replica, hook } = await failed();
      await valueOf(replica.remember(the.world.api.create('2').refreshToken, 'ada'));
      await failureOf(replica.fresh({ customerUid: 'ada' }));
      hook.isDown = false;
      await valueOf(replica.stop());
      expect(notified.map(({ tokens }) => tokens.transactionId).toSorted()).toEqual(['1', '2']);
    });

    it('I4: the same if the record of another customer has got the new refresh token', async () => {
      const { world } = the;
      const { replica, hook } = await failed();
      hook.isDown = false;
      await valueOf(replica.remember(world.api.create('2').refreshToken, 'ada'));
      await valueOf(replica.fresh({ customerUid: 'ada' }));
      hook.isDown = true;
      await valueOf(replica.remember(world.api.currentOf('2'), 'bob'));
      await failureOf(replica.fresh({ customerUid: 'bob' }));
      hook.isDown = false;
      await valueOf(replica.stop());
      const current = [world.api.currentOf('1'), world.api.currentOf('2')];
      expect(notified.map(({ tokens }) => tokens.refreshToken)).toEqual(
        expect.arrayContaining(current),
      );
      expect(world.logged.join()).not.toContain('were only in its memory');
    });

    it('a refresh token that it does not take is reported as lost', async () => {
      const { replica } = await failed();
      await valueOf(replica.stop());
      expect(the.world.logged.join()).toContain('were only in its memory');
    });

    it('the application is not notified of what it knows', async () => {
      const { replica, hook, refreshToken } = await failed();
      hook.isDown = false;
      await advance(2 * MINUTE);
      await valueOf(replica.fresh(refreshToken));
      await valueOf(replica.stop());
      expect(notified).toHaveLength(1);
      expect(the.world.logged).toEqual([]);
    });
  });

  it('I8: are not served from memory after their transaction was forgotten', async () => {
    const { world } = the;
    const replica = await world.start();
    const { refreshToken } = world.api.create('1');
    await valueOf(replica.fresh(refreshToken));
    const tokens = new BerbixTokens({ refreshToken, transactionId: '1' });
    await valueOf(replica.remember(tokens));
    await valueOf(replica.forget({ transactionId: '1' }));
    expect(await failureOf(replica.fresh(tokens))).toMatchObject({ code: 'BERBIX_GONE' });
  });

  it('are added to a shared store that does not have their transaction, for all replicas', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const { refreshToken, transactionId } = world.api.create('1');
    const given = new BerbixTokens({ refreshToken, transactionId });
    const { accessToken } = await valueOf(replica.fresh(given));
    const found = await valueOf(other.fresh({ transactionId: '1' }));
    expect(found.accessToken).toBe(accessToken);
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('are found by their successor too', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start(strict());
    const first = await valueOf(replica.fresh(world.api.create('1').refreshToken));
    const again = await valueOf(replica.fresh(first.refreshToken));
    expect(again.accessToken).toBe(first.accessToken);
    expect(world.api.exchanges).toHaveLength(1);
  });
});
