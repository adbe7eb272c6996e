import { describe, expect, it } from '@jest/globals';
import { BerbixStoreError, BerbixTokens, type BerbixError } from 'nestjs-berbix';
import { inRecord } from './support/watch.js';
import { eachWorld } from './support/world.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const DEAD = { status: 400, body: { readable: 'invalid_refresh_token', message: 'unknown' } };
const CANARY = 'canary-of-the-database';

describe('onRotation when something fails', () => {
  const the = eachWorld();

  it.each([
    ['throws', () => Promise.reject(new TypeError(CANARY)), /onRotation failed \(TypeError\)/],
    [
      'throws an error of another account',
      () => Promise.reject(new BerbixStoreError(CANARY, { retryable: true })),
      /onRotation failed \(BerbixStoreError\)/,
    ],
    ['never answers', () => new Promise<void>(() => {}), /onRotation did not answer within 10000/],
  ])(
    'if it %s, each caller gets an error in time, with the new refresh token in it',
    async (_, onRotation, sentence) => {
      const { world } = the;
      world.api.habit = 'strict';
      const replica = await world.start({ freshness: { rotation: 'strict' }, onRotation });
      const owner = await world.remembered(replica);
      await advance(HOUR);
      const first: BerbixError = await failureOf(replica.fresh(owner));
      expect(first).toMatchObject({ code: 'BERBIX_STORE', reason: 'HOOK', retryable: true });
      expect(first.message).toMatch(sentence);
      const second: BerbixError = await failureOf(replica.fresh(owner));
      expect(second).toMatchObject({ code: 'BERBIX_STORE', retryAfterMs: expect.any(Number) });
      for (const error of [first, second]) {
        expect(error.message).not.toContain(CANARY);
        expect(error.message).toMatch('onRotation');
        expect(error.tokens?.refreshToken).toBe(world.api.currentOf('1'));
      }
    },
  );

  it('if it is slow after a slow exchange, the error does not say that the new token could not be saved', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: () => new Promise(() => {}),
    });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = 8 * SECOND;
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
  });

  it('refresh() makes an exchange even if an earlier rotation is still pending', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const fails = { once: true };
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: () => {
        if (fails.once) throw new Error(CANARY);
      },
    });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    await failureOf(replica.fresh(owner));
    fails.once = false;
    await advance(30 * MINUTE);
    const tokens = await valueOf(replica.refresh(world.api.tokensOf('1')));
    expect(world.api.exchanges).toHaveLength(2);
    expect(world.api.leftOf(tokens.accessToken)).toBeGreaterThan(59 * MINUTE);
  });

  it('is called as a last resort if a new refresh token could not be saved until shutdown', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const notified: string[] = [];
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: ({ tokens }) => void notified.push(tokens.refreshToken),
    });
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(50 * MINUTE);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    // They are still valid; the refresh token is replaced in the background.
    await valueOf(replica.fresh(owner));
    await advance(SECOND);
    expect(notified).toEqual([]);
    await valueOf(replica.stop());
    await advance(2 * SECOND);
    expect(notified).toEqual([world.api.currentOf('1')]);
    world.storeFault = undefined;
  });

  it('I8: its failure is not an outage of the store: other tokens are rechecked as usual', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: () => Promise.reject(new Error('down')),
    });
    const other = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await valueOf(other.forget(owner));
    await advance(31 * SECOND);
    const { refreshToken } = world.api.create('2');
    await valueOf(replica.remember(new BerbixTokens({ refreshToken, transactionId: '2' })));
    expect(await failureOf(replica.fresh({ transactionId: '2' }))).toMatchObject({
      code: 'BERBIX_STORE',
    });
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_GONE' });
  });
});

describe('loadTokens', () => {
  const the = eachWorld();

  it('that fails with the outage of another store says nothing about this one', async () => {
    const { world } = the;
    const outage = new BerbixStoreError('The other store is down.', { retryable: true });
    const replica = await world.start({ loadTokens: () => Promise.reject(outage) });
    const other = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await valueOf(other.forget(owner));
    for (let seconds = 0; seconds < 40; seconds += 4) {
      await advance(4 * SECOND);
      const error = await failureOf(replica.fresh({ customerUid: 'nobody' }));
      expect(String(error)).toMatch(/loadTokens failed \(BerbixStoreError\)/);
      await outcomeOf(replica.fresh(owner));
    }
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_GONE' });
  });

  it.each([undefined, null])('that returns %s knows no such transaction', async (nothing) => {
    const replica = await the.world.start({ loadTokens: async () => nothing as undefined });
    const error = await failureOf(replica.fresh({ transactionId: '7' }));
    expect(error).toMatchObject({ code: 'BERBIX_NOT_FOUND' });
  });

  it('that fails is named in the error, without its message; usable tokens are still handed out', async () => {
    const { world } = the;
    const replica = await world.start({
      loadTokens: () => Promise.reject(new RangeError(`password=${CANARY}`)),
    });
    const owner = await world.remembered(replica);
    expect(await failureOf(replica.fresh({ transactionId: '7' }))).toMatchObject({
      code: 'BERBIX_STORE',
      message: expect.stringMatching(/loadTokens failed \(RangeError\)/),
      retryable: true,
    });
    await advance(HOUR - 40 * SECOND);
    world.watch.isTroubled = true;
    world.api.fault = DEAD;
    await valueOf(replica.fresh(owner));
    await advance(40 * SECOND);
    expect(await failureOf(replica.fresh(owner))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
    });
  });

  it.each([
    [15_000, 10_000],
    [10_000, 6_667],
  ])(
    'that never answers is named in the error after two thirds of %i ms',
    async (totalTimeoutMs, hookMs) => {
      const { world } = the;
      const loadTokens = () => new Promise<undefined>(() => {});
      const replica = await world.start({ totalTimeoutMs, timeoutMs: totalTimeoutMs, loadTokens });
      const { error, afterMs } = await outcomeOf(replica.fresh({ customerUid: 'ada' }));
      const sentence = `loadTokens did not answer within ${hookMs} ms`;
      expect((error as BerbixError).message).toContain(sentence);
      expect(afterMs).toBe(hookMs);
    },
  );

  it('that returns the tokens of another transaction is refused', async () => {
    const { world } = the;
    const created = world.api.create('1');
    const replica = await world.start({ loadTokens: async () => created });
    expect(await failureOf(replica.fresh({ transactionId: '2' }))).toMatchObject({
      code: 'BERBIX_INPUT',
      message: expect.stringMatching('loadTokens'),
    });
    expect(world.api.exchanges).toHaveLength(0);
  });

  it('for a customer does not displace a transaction whose tokens are on their way to the store', async () => {
    const { world } = the;
    const loaded = world.api.create('2');
    const replica = await world.start();
    const loading = await world.start({ loadTokens: async () => loaded });
    // First the reference of the customer, then the record.
    world.storeFaults.push({ call: 'commit', fault: {} });
    world.storeFaults.push({ call: 'commit', fault: { thereMs: SECOND } });
    const remembered = replica.remember(world.api.create('1'), 'ada');
    await advance(SECOND / 2);
    expect((await valueOf(loading.fresh({ customerUid: 'ada' }))).transactionId).toBe('2');
    await valueOf(remembered);
    await valueOf(replica.fresh({ transactionId: '1' }));
    const third = await world.start();
    expect((await valueOf(third.fresh({ customerUid: 'ada' }))).transactionId).toBe('1');
  });

  it('that returns one dead refresh token after the other is trusted once per call', async () => {
    const { world } = the;
    let given = 0;
    const replica = await world.start({ loadTokens: async () => `${CANARY}-${++given}` });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.fault = DEAD;
    for (let call = 1; call <= 2; call++) {
      expect(await failureOf(replica.fresh(owner))).toMatchObject({
        code: 'BERBIX_INVALID_REFRESH_TOKEN',
      });
      expect(given).toBe(call);
    }
    // The stored one and the loaded one, each time with the spares.
    expect(world.api.exchanges.length).toBeLessThanOrEqual(6);
  });

  it.each([
    ['without a stored transaction', 0],
    ['with a stored transaction', 1],
  ])(
    'that returns one dead refresh token after the other for a customer %s leaves one record',
    async (_, stored) => {
      const { world } = the;
      let given = 0;
      const replica = await world.start({ loadTokens: async () => `${CANARY}-${++given}` });
      if (stored > 0) await world.remembered(replica, '1', 'ada');
      await advance(HOUR);
      world.api.fault = DEAD;
      for (let call = 1; call <= 5; call++) {
        expect(await failureOf(replica.fresh({ customerUid: 'ada' }))).toMatchObject({
          code: 'BERBIX_INVALID_REFRESH_TOKEN',
        });
      }
      expect(given).toBeGreaterThanOrEqual(5);
      const { keys } = await world.memory.keys('default/');
      expect(keys).toHaveLength(stored + 2);
      expect(keys.filter((key) => key.includes('anonymous/'))).toHaveLength(1);
      const { value } = (await world.memory.load('default/customer/ada'))!;
      const { earlier } = inRecord(value) as { earlier?: string[] };
      expect(earlier).toHaveLength(stored);
      // The last one is used, and the earlier ones are forgotten.
      world.api.fault = undefined;
      world.api.exchanges.length = 0;
      await advance(MINUTE);
      await failureOf(replica.fresh({ customerUid: 'ada' }));
      expect(world.api.exchanges.map(({ refreshToken }) => refreshToken)).toEqual([
        `${CANARY}-${given - 1}`,
        `${CANARY}-${given}`,
      ]);
    },
  );

  it('that replaces the dead refresh token of a transaction leaves it with its customer', async () => {
    const { world } = the;
    const { refreshToken } = world.api.create('1');
    const replica = await world.start({ loadTokens: async () => refreshToken });
    const dead = new BerbixTokens({ refreshToken: CANARY, transactionId: '1' });
    await valueOf(replica.remember(dead, 'ada'));
    expect((await valueOf(replica.fresh({ transactionId: '1' }))).transactionId).toBe('1');
    const { tokens } = await world.stored();
    expect(tokens).toMatchObject({ refreshToken, customerUid: 'ada' });
  });

  it('a slow answer does not replace what was remembered meanwhile', async () => {
    const { world } = the;
    const slow = await world.start({
      loadTokens: async () => {
        const { refreshToken } = reissued;
        await new Promise((resolve) => setTimeout(resolve, 3 * SECOND));
        return refreshToken;
      },
    });
    const owner = await world.remembered(slow);
    let reissued = world.api.reissue('1');
    await advance(HOUR);
    const waiting = slow.fresh(owner);
    await advance(SECOND);
    reissued = world.api.reissue('1');
    await valueOf((await world.start()).remember(reissued));
    expect((await valueOf(waiting)).refreshToken).toBe(reissued.refreshToken);
    expect((await world.stored()).tokens.refreshToken).toBe(reissued.refreshToken);
  });

  it('I3: a slow answer does not bring back a refresh token that was superseded meanwhile', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const table = { refreshToken: '' };
    const loader = (waitMs: () => number) => async () => {
      const { refreshToken } = table;
      await new Promise((resolve) => setTimeout(resolve, waitMs()));
      return refreshToken;
    };
    let slowMs = 1;
    const options = { freshness: { rotation: 'strict' } } as const;
    const slow = await world.start({ ...options, loadTokens: loader(() => slowMs) });
    const quick = await world.start({ ...options, loadTokens: loader(() => 1) });
    const owner = { transactionId: '1' };
    table.refreshToken = world.api.create('1').refreshToken;
    await valueOf(slow.fresh(owner));
    const reissued = world.api.reissue('1');
    await advance(HOUR);
    // From now on, both replicas consider it dead.
    await failureOf(slow.fresh(owner));
    table.refreshToken = reissued.refreshToken;
    slowMs = 3 * SECOND;
    const waiting = slow.fresh(owner);
    await advance(100);
    await valueOf(quick.fresh(owner));
    expect((await valueOf(waiting)).refreshToken).toBe(world.api.currentOf('1'));
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
  });

  it.each([
    ['transaction', { transactionId: '1' }],
    ['customer', { customerUid: 'ada' }],
  ])('I8: does not bring back what is forgotten meanwhile by its %s', async (_, owner) => {
    const { world } = the;
    const loading = await world.start({ loadTokens: async () => world.api.tokensOf('1') });
    const other = await world.start();
    await world.remembered(other, '1', 'ada');
    await advance(HOUR);
    world.api.reissue('1');
    let [leases, goOn] = [0, (): void => {}];
    // The first lease is for the exchange.
    world.storeGate = (what, from) =>
      from === loading && what === 'lease back' && ++leases === 2
        ? new Promise((resolve) => (goOn = resolve))
        : Promise.resolve();
    const fresh = loading.fresh(owner);
    fresh.catch(() => {});
    await advance(SECOND / 5);
    await valueOf(other.forget(owner));
    goOn();
    expect(await failureOf(fresh)).toMatchObject({ code: 'BERBIX_GONE' });
    expect((await world.memory.keys('default/transaction')).keys).toEqual([]);
  });

  it('a slow answer for a customer does not displace the transaction that was remembered meanwhile', async () => {
    const { world } = the;
    const [earlier, ada] = [world.api.create('7'), { customerUid: 'ada' }];
    const loading = await world.start({
      loadTokens: async () => {
        await new Promise((resolve) => setTimeout(resolve, 3 * SECOND));
        return earlier;
      },
    });
    const other = await world.start();
    await world.remembered(other, '1', 'ada');
    await advance(HOUR);
    world.api.reissue('1');
    const fresh = loading.fresh(ada);
    await advance(SECOND);
    await world.remembered(other, '3', 'ada');
    for (const call of [fresh, other.fresh(ada), (await world.start()).fresh(ada)]) {
      expect((await valueOf(call)).transactionId).toBe('3');
    }
  });

  it('makes an earlier transaction the current one of a customer again if the last one is dead', async () => {
    const { world } = the;
    const replica = await world.start({ loadTokens: async () => world.api.tokensOf('7') });
    for (const id of ['7', '1']) await world.remembered(replica, id, 'ada');
    await advance(HOUR);
    world.api.reissue('1');
    expect((await valueOf(replica.fresh({ customerUid: 'ada' }))).transactionId).toBe('7');
    const record = await world.memory.load('default/customer/ada');
    const earlier = ['transaction/1'];
    expect(inRecord(record?.value)).toEqual({ see: 'transaction/7', earlier });
  });
});
