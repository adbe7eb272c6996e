import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixError, type RotatedTokens } from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, valueOf } from './support/virtual-time.js';

const [SECOND, HOUR] = [1_000, 3_600_000];
const STRICT = { freshness: { rotation: 'strict' } } as const;
const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];

describe('a store that loses what it has confirmed, during an exchange', () => {
  const the = eachWorld();

  /** An exchange that takes two seconds is under way. */
  async function exchanging(habit: 'omit' | 'strict', exchangesBefore = 0, options: object = {}) {
    const { world } = the;
    world.api.habit = habit;
    const replica = await world.start(habit === 'strict' ? { ...STRICT, ...options } : options);
    await world.remembered(replica, '1', ADA.customerUid);
    for (let n = 0; n < exchangesBefore; n++) {
      await advance(HOUR);
      await valueOf(replica.fresh(ADA));
    }
    await advance(HOUR);
    world.api.latencyMs = 2 * SECOND;
    const underWay = replica.fresh(ADA);
    underWay.catch(() => {});
    await advance(1.5 * SECOND);
    expect(world.api.exchanges.at(-1)!.isDone).toBe(true);
    return { world, replica, underWay };
  }

  it.each(['omit', 'strict'] as const)(
    'I4: a record that is not there any more is saved again, with the names that lead to it (%s)',
    async (habit) => {
      const { world, underWay } = await exchanging(habit, 1);
      await world.failOver();
      expect((await valueOf(underWay)).refreshToken).toBe(world.api.currentOf('1'));
      for (const owner of [ADA, ONE]) {
        const found = await valueOf((await world.start(STRICT)).fresh(owner));
        expect(found.refreshToken).toBe(world.api.currentOf('1'));
      }
      expect(world.api.exchanges).toHaveLength(2);
    },
  );

  it('a record that is not there any more is put there again also where the exchange fails', async () => {
    const { world } = the;
    const replica = await world.start();
    await world.remembered(replica, '1', ADA.customerUid);
    await advance(HOUR);
    world.api.latencyMs = 2 * SECOND;
    world.api.faults.push({ status: 503 });
    const underWay = replica.fresh(ADA);
    await advance(SECOND);
    await world.failOver();
    await valueOf(underWay);
    for (const owner of [ADA, ONE]) {
      expect((await valueOf((await world.start()).fresh(owner))).transactionId).toBe('1');
    }
    expect(world.api.exchanges).toHaveLength(2);
  });

  it.each([
    ['omit', 1],
    ['strict', 1],
    ['strict', 2],
  ] as const)(
    'I4: a record that went back takes the tokens that came after it (%s, %d exchanges before)',
    async (habit, before) => {
      const { world, underWay } = await exchanging(habit, before);
      await world.failOver(1);
      expect((await valueOf(underWay)).refreshToken).toBe(world.api.currentOf('1'));
      const { tokens } = await world.stored();
      expect(tokens.refreshToken).toBe(world.api.currentOf('1'));
      const other = await world.start(STRICT);
      expect((await valueOf(other.fresh(ADA))).refreshToken).toBe(world.api.currentOf('1'));
      expect(world.api.exchanges).toHaveLength(before + 1);
    },
  );

  it('I8: what was forgotten meanwhile stays forgotten', async () => {
    const { world, underWay } = await exchanging('strict');
    const other = await world.start(STRICT);
    await valueOf(other.forget(ONE));
    world.watch.forgotten('1', other);
    expect(await failureOf(underWay)).toMatchObject({ code: 'BERBIX_GONE' });
    expect((await world.memory.keys('default/transaction/')).keys).toEqual([]);
    expect(world.logged).toEqual([]);
  });

  it('I4: a new refresh token that fits nothing there is told to the application, and is in the error', async () => {
    const told: RotatedTokens[] = [];
    const onRotation = (rotated: RotatedTokens) => void told.push(rotated);
    const { world, replica, underWay } = await exchanging('strict', 0, { onRotation });
    const current = world.api.currentOf('1');
    const reissued = world.api.reissue('1');
    await valueOf((await world.start(STRICT)).remember(reissued));
    const error: BerbixError = await failureOf(underWay);
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.tokens?.refreshToken).toBe(current);
    expect(told.map(({ tokens }) => tokens.refreshToken)).toEqual([current]);
    expect(world.logged.join()).toContain('another refresh token');
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(reissued.refreshToken);
  });

  it('a refresh token that was not replaced, and fits nothing there, is kept as a spare', async () => {
    const { world, replica, underWay } = await exchanging('omit', 1);
    await world.failOver();
    const unknown = new BerbixTokens({ refreshToken: 'canary-unknown', transactionId: '1' });
    await valueOf((await world.start()).remember(unknown));
    const error: BerbixError = await failureOf(underWay);
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
  });
});
