import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixTransactionRef } from 'nestjs-berbix';
import { inRecord } from './support/watch.js';
import { eachWorld } from './support/world.js';
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

/** The refresh token and its transaction, without an access token. */
const bare = ({ refreshToken, transactionId }: BerbixTokens): BerbixTokens =>
  new BerbixTokens({ refreshToken, transactionId });

describe('remember()', () => {
  const the = eachWorld();

  /** They share a store that has the transaction and its refresh token, and nothing else. */
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
    'I2, I3: waits for an exchange of the same refresh token, and loses nothing of its result: %s',
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
      // The remembered tokens are older than the result of the exchange.
      if (habit === 'omit') expect(found.accessToken).toBe(accessToken);
      expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
    },
  );

  it('I2: makes an exchange wait until it has saved the tokens', async () => {
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

  it('gives up after totalTimeoutMs if the exchange of the same refresh token does not end', async () => {
    const { world } = the;
    const { replica, other, created } = await twoReplicas('omit');
    world.api.fault = 'hang-before';
    replica.fresh(ONE).catch(() => {});
    await advance(SECOND);
    replica.kill();
    const { error, afterMs } = await outcomeOf(other.remember(bare(created), 'ada'));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
    expect(String(error)).toContain('Another replica is exchanging this refresh token');
    expect(afterMs).toBeGreaterThanOrEqual(15 * SECOND);
    expect(afterMs).toBeLessThan(15.25 * SECOND);
    await advance(15 * SECOND);
    await valueOf(other.remember(bare(created), 'ada'));
  });

  it('I2: of a superseded refresh token: does not end the lease of an exchange', async () => {
    const { world } = the;
    const { replica, other, created } = await twoReplicas('strict');
    await valueOf(replica.fresh(ONE));
    await advance(HOUR);
    world.api.latencyMs = 2 * SECOND;
    const exchanged = replica.fresh(ONE);
    await advance(SECOND);
    await valueOf(other.remember(bare(created)));
    const { version, leasedForMs = 0 } = await world.stored();
    expect([version, leasedForMs > 0]).toEqual([2, true]);
    expect((await valueOf(exchanged)).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('I3: is merged with the result of an exchange that it did not wait for', async () => {
    const { world } = the;
    const { replica, other } = await twoReplicas('strict');
    world.api.latencyMs = 2 * SECOND;
    const exchanged = replica.fresh(ONE);
    await advance(1.5 * SECOND);
    // Like the commit of a replica that arrives after everybody has stopped waiting for it.
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

  it('I3: does not replace the current refresh token by one that was superseded long ago', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const created = world.api.create('1');
    await valueOf(replica.remember(created.refreshToken, 'ada'));
    for (let hour = 0; hour < 25; hour++) {
      await valueOf(replica.fresh(ADA));
      // Like an application that also keeps them in a table of its own.
      await valueOf(replica.remember(created.refreshToken, 'ada'));
      await valueOf(replica.remember(bare(created), 'ada'));
      await advance(HOUR);
    }
    expect((await valueOf(replica.fresh(ADA))).refreshToken).toBe(world.api.currentOf('1'));
    expect((await world.memory.keys('default/anonymous/')).keys).toHaveLength(1);
  });

  it('I5: makes one record of a refresh token that two replicas remember at the same time', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const strict = { freshness: { rotation: 'strict' } } as const;
    const [replica, other] = [await world.start(strict), await world.start(strict)];
    const { refreshToken } = world.api.create('1');
    // The other one reads the reference before the record is there.
    world.storeFault = { calls: ['commit'], from: replica, fault: { backMs: 100 } };
    const first = outcomeOf(replica.remember(refreshToken, 'ada'));
    await advance(50);
    await valueOf(other.remember(refreshToken, 'ada'));
    await valueOf(other.fresh(ADA));
    expect((await first).error).toBeUndefined();
    const third = await world.start(strict);
    const { refreshToken: current } = await valueOf(third.fresh(ADA));
    expect(current).toBe(world.api.currentOf('1'));
    expect((await world.memory.keys('default/anonymous/')).keys).toHaveLength(1);
  });

  it('makes the tokens available by every name, even if a customer returns to an earlier transaction', async () => {
    const { world } = the;
    const replica = await world.start();
    const [first, second] = [world.api.create('1'), world.api.create('2')];
    // The transaction of a bare refresh token is unknown before its first exchange.
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

  it('names the record of a bare refresh token by its hash, as every version does', async () => {
    const { world } = the;
    const replica = await world.start();
    await valueOf(replica.remember('canary-known', 'ada'));
    const { keys } = await world.memory.keys('default/anonymous/');
    expect(keys).toEqual(['default/anonymous/kLqOzfpjoPOe']);
  });

  it('lists an earlier transaction of the customer once in the customer’s record', async () => {
    const { world } = the;
    const replica = await world.start();
    for (const id of ['1', '2']) await world.remembered(replica, id, 'ada');
    for (let n = 0; n < 3; n++) await valueOf(replica.remember(world.api.tokensOf('1'), 'ada'));
    const record = await world.memory.load('default/customer/ada');
    const earlier = ['transaction/2'];
    expect(inRecord(record?.value)).toMatchObject({ see: 'transaction/1', earlier });
  });

  it('makes a transaction available by a second uid too; forgetting either uid forgets it', async () => {
    const { world } = the;
    const replica = await world.start();
    const created = world.api.create('1');
    await valueOf(replica.remember(created.refreshToken, 'guest'));
    await valueOf(replica.fresh({ customerUid: 'guest' }));
    await valueOf(replica.remember(created, 'ada'));
    expect((await valueOf(replica.fresh(ADA))).transactionId).toBe('1');
    // The transaction of the refresh token stays known.
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

  it('makes a new bare refresh token of the customer available by the transaction too', async () => {
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

  it('I3: of a bare refresh token that a transaction already has: after an exchange, both names lead to its result', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const created = world.api.create('1');
    await valueOf(replica.remember(bare(created), 'bob'));
    await valueOf(replica.remember(created.refreshToken, 'ada'));
    for (const owner of [ADA, ONE, { customerUid: 'bob' }, ADA]) {
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    }
    // The same for an earlier transaction of the customer.
    const current = world.api.currentOf('1');
    await valueOf(replica.remember(world.api.create('2').refreshToken, 'ada'));
    await valueOf(replica.remember(current, 'ada'));
    const { keys } = await world.memory.keys('default/anonymous/');
    expect(keys).toHaveLength(2);
    await advance(HOUR);
    for (const owner of [ADA, ONE]) {
      expect((await valueOf(replica.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
    }
  });

  it.each(['ada', undefined])(
    'I8: leaves nothing behind if its customer is forgotten meanwhile (%s)',
    async (customerUid) => {
      const { world } = the;
      const owner: BerbixTransactionRef = customerUid === undefined ? ONE : { customerUid };
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
        // Either remember() came last and the tokens are there, or forget() did and nothing is there.
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

  it('does not replace a newer access token of the same refresh token', async () => {
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

  it('I1: does not prolong the life of tokens if the host clock was set back', async () => {
    const { world } = the;
    const replica = await world.start();
    const created = world.api.create('1');
    await advance(50 * MINUTE);
    setHostClock(-50 * MINUTE);
    await valueOf(replica.remember(created));
    await advance(15 * MINUTE);
    expect((await valueOf(replica.fresh(ONE))).accessToken).not.toBe(created.accessToken);
  });

  it('sets the current transaction of the customer, even if an earlier one is exchanged later', async () => {
    const { world } = the;
    const replica = await world.start();
    for (const id of ['1', '2']) await world.remembered(replica, id, 'ada');
    await advance(HOUR);
    await valueOf(replica.fresh({ transactionId: '1' }));
    expect((await valueOf(replica.fresh({ customerUid: 'ada' }))).transactionId).toBe('2');
  });

  it('I1: trusts tokens for their lifetime at most if the host clock was set back before they were made', async () => {
    const { world } = the;
    const replica = await world.start();
    const { refreshToken, accessToken, transactionId, lifetimeMs, expiresAt } =
      world.api.create('1');
    setHostClock(-3 * HOUR);
    const parts = { refreshToken, accessToken, transactionId, lifetimeMs, expiresAt };
    await valueOf(replica.remember(new BerbixTokens(parts)));
    expect((await valueOf(replica.fresh(ONE))).accessToken).toBe(accessToken);
    await advance(HOUR);
    expect((await valueOf(replica.fresh(ONE))).accessToken).not.toBe(accessToken);
  });

  it('of a bare refresh token: its exchange keeps another refresh token of that transaction as a spare', async () => {
    const { world } = the;
    const replica = await world.start();
    const [alone, other] = [world.api.create('1'), world.api.create('2')];
    await valueOf(replica.remember(alone.refreshToken, 'ada'));
    const { refreshToken } = other;
    await valueOf(replica.remember(new BerbixTokens({ refreshToken, transactionId: '1' })));
    await valueOf(replica.fresh(ADA));
    const [key = ''] = (await world.memory.keys('default/anonymous/')).keys;
    const { value } = (await world.memory.load(key)) ?? {};
    expect(inRecord(value)).toMatchObject({ transactionId: '1', spares: [refreshToken] });
  });

  it('of a second bare refresh token: the customer gets its tokens immediately', async () => {
    const { world } = the;
    const replica = await world.start();
    for (const id of ['1', '2']) {
      await valueOf(replica.remember(world.api.create(id).refreshToken, 'ada'));
      expect((await valueOf(replica.fresh(ADA))).transactionId).toBe(id);
    }
  });
});
