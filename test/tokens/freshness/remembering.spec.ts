import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type TransactionRef } from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import {
  advance,
  failureOf,
  outcomeOf,
  setHostClock,
  settle,
  valueOf,
} from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const ADA = { customerUid: 'ada' };
const ONE = { transactionId: '1' };

/** The refresh token alone, of a transaction that is known. */
const bare = ({ refreshToken, transactionId }: BerbixTokens): BerbixTokens =>
  new BerbixTokens({ refreshToken, transactionId });

describe('remember()', () => {
  const the = eachWorld();

  /** They share a store, which knows the transaction and its refresh token, and nothing else. */
  async function twoReplicas(habit: 'omit' | 'strict') {
    const { world } = the;
    world.api.habit = habit;
    const options = { freshness: { rotation: habit === 'strict' ? 'strict' : 'none' } } as const;
    const [replica, other] = [await world.start(options), await world.start(options)];
    const created = world.api.create('1');
    await valueOf(replica.remember(bare(created)));
    return { replica, other, created };
  }

  it.each(['omit', 'strict'] as const)(
    'I2, I3: of a refresh token that is being exchanged waits, and loses nothing that comes of it: %s',
    async (habit) => {
      const { world } = the;
      const { replica, other, created } = await twoReplicas(habit);
      world.api.latencyMs = 2 * SECOND;
      const exchanged = replica.fresh(ONE);
      await advance(1.5 * SECOND);
      const remembered = other.remember(bare(created), 'ada');
      await advance(100);
      expect(world.api.exchanges).toHaveLength(1);
      const { accessToken } = await valueOf(exchanged);
      await valueOf(remembered);
      const found = await valueOf(other.fresh(ADA));
      expect(found.refreshToken).toBe(world.api.currentOf('1'));
      // Remembered was what had been there before: the exchange has brought something newer.
      if (habit === 'omit') expect(found.accessToken).toBe(accessToken);
      expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
    },
  );

  it('I2: that is on its way to the store keeps an exchange waiting', async () => {
    const { world } = the;
    const { replica, other, created } = await twoReplicas('strict');
    // First the reference of the customer, then the record.
    for (let n = 0; n < 2; n++)
      world.storeFaults.push({ call: 'commit', fault: { thereMs: SECOND } });
    const remembered = other.remember(bare(created), 'ada');
    await advance(1.5 * SECOND);
    const exchanged = replica.fresh(ONE);
    await advance(100);
    expect(world.api.exchanges).toHaveLength(0);
    await valueOf(remembered);
    expect((await valueOf(exchanged)).refreshToken).toBe(world.api.currentOf('1'));
    expect((await valueOf(other.fresh(ADA))).refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I3: that comes upon an exchange all the same: what comes of that is merged with it', async () => {
    const { world } = the;
    const { replica, other } = await twoReplicas('strict');
    world.api.latencyMs = 2 * SECOND;
    const exchanged = replica.fresh(ONE);
    await advance(1.5 * SECOND);
    // As by a replica whose commit took longer to reach the store than anybody waits.
    const { version = 0, value = '' } = await world.stored();
    const late = value.replace('{', '{"customerUid":"ada",');
    await world.memory.commit('default/transaction/1', version, late);
    expect((await valueOf(exchanged)).refreshToken).toBe(world.api.currentOf('1'));
    const stored = await world.stored();
    expect(stored.tokens.refreshToken).toBe(world.api.currentOf('1'));
    expect(stored.tokens).toHaveProperty('customerUid', 'ada');
    expect((await valueOf(other.fresh(ONE))).refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I3: of a refresh token that was replaced long ago leaves the good one where it is', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const created = world.api.create('1');
    await valueOf(replica.remember(created.refreshToken, 'ada'));
    for (let hour = 0; hour < 25; hour++) {
      await valueOf(replica.fresh(ADA));
      // As an application does that has them in a table of its own, too.
      await valueOf(replica.remember(created.refreshToken, 'ada'));
      await valueOf(replica.remember(bare(created), 'ada'));
      await advance(HOUR);
    }
    expect((await valueOf(replica.fresh(ADA))).refreshToken).toBe(world.api.currentOf('1'));
    expect((await world.memory.keys('default/session/')).keys).toHaveLength(1);
  });

  it('leads to the tokens by each name, also where a customer comes back to an earlier transaction', async () => {
    const { world } = the;
    const replica = await world.start();
    const [first, second] = [world.api.create('1'), world.api.create('2')];
    // Before its first exchange, nobody knows whose refresh token it is.
    await valueOf(replica.remember(first.refreshToken, 'ada'));
    await valueOf(replica.fresh(ADA));
    await valueOf(replica.remember(second, 'ada'));
    await valueOf(replica.remember(first, 'ada'));
    for (const owner of [ADA, ONE]) {
      expect(await valueOf(replica.fresh(owner))).toMatchObject({
        refreshToken: first.refreshToken,
        transactionId: '1',
      });
    }
    await valueOf(replica.forget(ADA));
    expect((await world.memory.keys('')).keys).toEqual([]);
  });

  it('of a transaction by another uid: it is found by both, and forgotten by either', async () => {
    const { world } = the;
    const replica = await world.start();
    const created = world.api.create('1');
    await valueOf(replica.remember(created.refreshToken, 'guest'));
    await valueOf(replica.fresh({ customerUid: 'guest' }));
    await valueOf(replica.remember(created, 'ada'));
    expect((await valueOf(replica.fresh(ADA))).transactionId).toBe('1');
    // What was known of it stays known.
    await valueOf(replica.remember(created.refreshToken, 'guest'));
    expect((await valueOf(replica.fresh({ customerUid: 'guest' }))).transactionId).toBe('1');
    expect(world.api.exchanges).toHaveLength(1);
    await valueOf(replica.forget(ADA));
    for (const owner of [ADA, ONE, { customerUid: 'guest' }]) {
      await advance(31 * SECOND);
      expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_GONE' });
    }
    const { keys } = await world.memory.keys('');
    expect(keys).toEqual(['default/customer/guest']);
  });

  it('of a new refresh token of the same transaction: it is found by the transaction too', async () => {
    const { world } = the;
    const replica = await world.start();
    await valueOf(replica.remember(world.api.create('1').refreshToken, 'ada'));
    await valueOf(replica.fresh(ADA));
    const { refreshToken } = world.api.reissue('1');
    await valueOf(replica.remember(refreshToken, 'ada'));
    await advance(HOUR);
    for (const owner of [ADA, ONE]) {
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(refreshToken);
    }
  });

  it('I3: of a refresh token alone that a transaction has already: once one is exchanged, both lead to what came', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const created = world.api.create('1');
    await valueOf(replica.remember(bare(created), 'bob'));
    await valueOf(replica.remember(created.refreshToken, 'ada'));
    for (const owner of [ADA, ONE, { customerUid: 'bob' }, ADA]) {
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    }
    // The same for one of the customer's earlier ones.
    const current = world.api.currentOf('1');
    await valueOf(replica.remember(world.api.create('2').refreshToken, 'ada'));
    await valueOf(replica.remember(current, 'ada'));
    const { keys } = await world.memory.keys('default/session/');
    expect(keys).toHaveLength(2);
    await advance(HOUR);
    for (const owner of [ADA, ONE]) {
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    }
  });

  it.each(['ada', undefined])(
    'I8: that is under way while its customer is forgotten leaves nothing behind (%s)',
    async (customerUid) => {
      const { world } = the;
      const owner: TransactionRef = customerUid === undefined ? ONE : { customerUid };
      const [replica, other] = [await world.start(), await world.start()];
      for (let point = 1; point < 14; point++) {
        const created = world.api.create('1');
        let goOn = (): void => {};
        let awaits = 0;
        const stop = () => new Promise<void>((resolve) => (goOn = resolve));
        world.storeGate = (_, from) =>
          from === replica && ++awaits === point ? stop() : Promise.resolve();
        const remembered = replica.remember(created, customerUid);
        await settle();
        await other.forget(owner);
        goOn();
        await valueOf(remembered);
        // Either it came after, and is there, or before, and nothing is.
        const { value, error } = await outcomeOf(other.fresh(owner));
        if (value === undefined) {
          expect(error).toMatchObject({ code: expect.stringMatching(/GONE|NOT_FOUND/) });
          expect((await world.memory.keys('')).keys).toEqual([]);
        } else {
          await valueOf(other.forget(owner));
          expect((await world.memory.keys('')).keys).toEqual([]);
        }
      }
    },
  );

  it('of older tokens of the same refresh token leaves the newer access token where it is', async () => {
    const { world } = the;
    const replica = await world.start();
    const created = world.api.create('1');
    await valueOf(replica.remember(created));
    await advance(MINUTE);
    const { accessToken } = await valueOf(replica.fresh(ONE, { refused: created.accessToken }));
    expect(accessToken).not.toBe(created.accessToken);
    await valueOf(replica.remember(created, 'ada'));
    expect((await valueOf(replica.fresh(ADA))).accessToken).toBe(accessToken);
    await advance(MINUTE);
    const newer = world.api.tokensOf('1');
    await valueOf(replica.remember(newer));
    expect((await valueOf(replica.fresh(ADA))).accessToken).toBe(newer.accessToken);
  });

  it('I1: takes tokens for no better than they are where the clock of the host was set back', async () => {
    const { world } = the;
    const replica = await world.start();
    const created = world.api.create('1');
    await advance(50 * MINUTE);
    setHostClock(-50 * MINUTE);
    await valueOf(replica.remember(created));
    await advance(15 * MINUTE);
    expect((await valueOf(replica.fresh(ONE))).accessToken).not.toBe(created.accessToken);
  });

  it('stays the current one of its customer while an earlier one is exchanged', async () => {
    const { world } = the;
    const replica = await world.start();
    for (const id of ['1', '2']) await world.remembered(replica, id, 'ada');
    await advance(HOUR);
    await valueOf(replica.fresh({ transactionId: '1' }));
    expect((await valueOf(replica.fresh({ customerUid: 'ada' }))).transactionId).toBe('2');
  });
});
