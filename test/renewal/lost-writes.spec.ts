import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixError, type BerbixRotatedTokens } from 'nestjs-berbix';
import { closeAfterTest } from '../support/closing.js';
import { eachWorld } from './support/world.js';
import { advance, failureOf, valueOf } from './support/virtual-time.js';

const [SECOND, HOUR] = [1_000, 3_600_000];
const STRICT = { freshness: { rotation: 'strict' } } as const;
const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];

/** Records the events of new refresh tokens that the store does not have, during one test. */
function recordUnsaved(): unknown[] {
  const events: unknown[] = [];
  const listener = (event: unknown): void => void events.push(event);
  subscribe('nestjs-berbix:token.unsaved', listener);
  closeAfterTest(() => void unsubscribe('nestjs-berbix:token.unsaved', listener));
  return events;
}

describe('a store that loses confirmed writes during an exchange', () => {
  const the = eachWorld();

  /** An exchange that takes two seconds is in flight. */
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
    const inFlight = replica.fresh(ADA);
    inFlight.catch(() => {});
    await advance(1.5 * SECOND);
    expect(world.api.exchanges.at(-1)!.isDone).toBe(true);
    return { world, replica, inFlight };
  }

  it.each(['omit', 'strict'] as const)(
    'I4: a lost record is saved again, with the names that lead to it (%s)',
    async (habit) => {
      const { world, inFlight } = await exchanging(habit, 1);
      await world.failOver();
      expect((await valueOf(inFlight)).refreshToken).toBe(world.api.currentOf('1'));
      for (const owner of [ADA, ONE]) {
        const found = await valueOf((await world.start(STRICT)).fresh(owner));
        expect(found.refreshToken).toBe(world.api.currentOf('1'));
      }
      expect(world.api.exchanges).toHaveLength(2);
    },
  );

  it.each(['omit', 'strict'] as const)(
    'I8: a lost record of an earlier transaction is saved again, and the customer keeps both (%s)',
    async (habit) => {
      const { world, replica, inFlight } = await exchanging(habit);
      await world.remembered(replica, '2', ADA.customerUid);
      await world.lose('default/transaction/1');
      await valueOf(inFlight);
      const other = await world.start(STRICT);
      expect((await valueOf(other.fresh(ADA))).transactionId).toBe('2');
      await valueOf(other.forget(ADA));
      world.watch.forgotten('1', other);
      world.watch.forgotten('2', other);
      expect((await world.memory.keys('default/transaction/')).keys).toEqual([]);
    },
  );

  it('I8: a lost record is found by its customer, whose record was lost too and has another one', async () => {
    const { world, replica, inFlight } = await exchanging('omit');
    await world.failOver();
    await world.remembered(replica, '2', ADA.customerUid);
    await valueOf(inFlight);
    const { version, tokens } = await world.stored();
    expect([version, tokens]).toEqual([
      1,
      expect.not.objectContaining({ spares: expect.anything() }),
    ]);
    const other = await world.start();
    expect((await valueOf(other.fresh(ADA))).transactionId).toBe('2');
    await valueOf(other.forget(ADA));
    expect((await world.memory.keys('default/transaction/')).keys).toEqual([]);
  });

  it('a lost record is saved again even if the exchange fails', async () => {
    const { world } = the;
    const replica = await world.start();
    await world.remembered(replica, '1', ADA.customerUid);
    await advance(HOUR);
    world.api.latencyMs = 2 * SECOND;
    world.api.faults.push({ status: 503 });
    const inFlight = replica.fresh(ADA);
    await advance(SECOND);
    await world.failOver();
    await valueOf(inFlight);
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
    'I4: a record that went back to an earlier version gets the new tokens (%s, %d exchanges before)',
    async (habit, before) => {
      const { world, inFlight } = await exchanging(habit, before);
      await world.failOver(1);
      expect((await valueOf(inFlight)).refreshToken).toBe(world.api.currentOf('1'));
      const { tokens } = await world.stored();
      expect(tokens.refreshToken).toBe(world.api.currentOf('1'));
      const other = await world.start(STRICT);
      expect((await valueOf(other.fresh(ADA))).refreshToken).toBe(world.api.currentOf('1'));
      expect(world.api.exchanges).toHaveLength(before + 1);
    },
  );

  it('I8: tokens that were forgotten meanwhile stay forgotten', async () => {
    const { world, inFlight } = await exchanging('strict');
    const other = await world.start(STRICT);
    await valueOf(other.forget(ONE));
    world.watch.forgotten('1', other);
    expect(await failureOf(inFlight)).toMatchObject({ code: 'BERBIX_GONE' });
    expect((await world.memory.keys('default/transaction/')).keys).toEqual([]);
    expect(world.logged).toEqual([]);
  });

  it('I4: the application is notified of a new refresh token that conflicts with the record, and the error has it', async () => {
    const notified: BerbixRotatedTokens[] = [];
    const onRotation = async (rotated: BerbixRotatedTokens): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, SECOND));
      notified.push(rotated);
    };
    const { world, replica, inFlight } = await exchanging('strict', 0, { onRotation });
    const unsaved = recordUnsaved();
    const current = world.api.currentOf('1');
    const reissued = world.api.reissue('1');
    await valueOf((await world.start(STRICT)).remember(reissued));
    const error: BerbixError = await failureOf(inFlight);
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.tokens?.refreshToken).toBe(current);
    expect(notified.map(({ tokens }) => tokens.refreshToken)).toEqual([current]);
    expect(world.logged.join()).toContain('another refresh token');
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(reissued.refreshToken);
    expect(unsaved).toEqual([]);
  });

  it('a refresh token that was not replaced, and conflicts with the record, is kept as a spare', async () => {
    const unsaved = recordUnsaved();
    const { world, replica, inFlight } = await exchanging('omit', 1);
    await world.failOver();
    const unknown = new BerbixTokens({ refreshToken: 'canary-unknown', transactionId: '1' });
    await valueOf((await world.start()).remember(unknown));
    const error: BerbixError = await failureOf(inFlight);
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
    expect((await valueOf(replica.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
    expect(unsaved).toEqual([]);
  });

  it('a record that is lost while the application is notified is saved again', async () => {
    const lose = { now: true };
    const onRotation = async (): Promise<void> => {
      if (lose.now) await the.world.failOver();
      lose.now = false;
    };
    const { world, replica, inFlight } = await exchanging('strict', 0, { onRotation });
    const { accessToken } = await valueOf(inFlight);
    expect(world.api.leftOf(accessToken)).toBeGreaterThan(0);
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
    await valueOf(replica.fresh(ONE));
    expect(world.api.exchanges).toHaveLength(1);
  });
});
