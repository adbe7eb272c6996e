import { describe, expect, it, jest } from '@jest/globals';
import { BerbixTokens, type BerbixError } from 'nestjs-berbix';
import type { Subscription } from 'rxjs';
import { everyViewOf } from '../support/sinks.js';
import { eachWorld, World } from './support/world.js';
import { CANARY, type ApiFault } from './support/fake-api.js';
import type { StoreCall, StoreFault } from './support/replica-store.js';
import { advance, failureOf, outcomeOf, settle, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

describe('callers of fresh() and refresh()', () => {
  const the = eachWorld();

  it('I9: if some of them leave, the others get the tokens of the same exchange', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const got: BerbixTokens[] = [];
    const calls: Subscription[] = [];
    for (let n = 0; n < 20; n++) {
      calls.push(replica.tokens.fresh(owner).subscribe((tokens) => got.push(tokens)));
    }
    // The first one, which started the run, leaves too.
    for (let n = 0; n < 20; n += 3) calls[n]!.unsubscribe();
    await advance(SECOND);
    expect(got).toHaveLength(13);
    expect(new Set(got.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I9: if all of them leave, the exchange is still made and saved', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const call = replica.tokens.fresh(owner).subscribe();
    await settle();
    call.unsubscribe();
    await advance(SECOND);
    expect((await world.stored()).version).toBe(2);
    await valueOf(replica.fresh(owner));
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I9: a failed renewal in the background is not an unhandled rejection', async () => {
    const { world } = the;
    const unhandled: unknown[] = [];
    const note = (error: unknown): unknown => unhandled.push(error);
    process.on('unhandledRejection', note);
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(50 * 60 * SECOND);
    world.storeFault = { fault: 'fail' };
    for (let n = 0; n < 20; n++) {
      await valueOf(replica.fresh(owner));
      await advance(SECOND);
    }
    const before = world.storeCalls.length;
    for (let n = 0; n < 10; n++) await valueOf(replica.fresh(owner));
    expect(world.storeCalls.length - before).toBeLessThanOrEqual(1);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('I9: a failed run is over: the next call starts a new one', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.faults.push({ status: 400 });
    const calls = [1, 2, 3].map(() => outcomeOf(replica.fresh(owner)));
    for (const { error } of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'BERBIX_REQUEST' });
    }
    await advance(2 * SECOND);
    await valueOf(replica.fresh(owner));
    expect(world.api.exchanges).toHaveLength(2);
  });

  it.each<StoreCall>(['load', 'lease', 'commit', 'release'])(
    'I12, I10: every call ends in time and shows no secret, whatever goes wrong with "%s" of the store and with the API',
    async (call) => {
      await the.world.end();
      const storeFaults: StoreFault[] = ['fail', 'lost', 'hang', { thereMs: 900, backMs: 900 }];
      const apiFaults: (ApiFault | undefined)[] = [
        undefined,
        'hang-before',
        'hang-after',
        'reset-after',
        'bad-answer',
        'refused',
        { status: 500, body: { message: `${CANARY}-refresh-1` } },
        { status: 400, body: { readable: 'invalid_refresh_token', message: 'x' } },
      ];
      for (const fault of storeFaults) {
        for (const apiFault of apiFaults) {
          const world = new World();
          world.api.habit = 'strict';
          const replica = await world.start({ freshness: { rotation: 'strict' } });
          const owner = await world.remembered(replica);
          await advance(HOUR);
          world.storeFault = { calls: [call], fault };
          world.api.fault = apiFault;
          const outcomes = [];
          for (let n = 0; n < 4; n++) {
            outcomes.push(outcomeOf(replica.fresh(owner), 16 * SECOND));
            await advance(1.7 * SECOND);
          }
          const refused = `${CANARY}-access-2`;
          outcomes.push(outcomeOf(replica.fresh(owner, { refused }), 16 * SECOND));
          for (const { error } of await Promise.all(outcomes)) {
            if (error !== undefined) expect(await everyViewOf(error)).not.toContain(CANARY);
          }
          expect(await world.end()).toEqual([]);
        }
      }
    },
  );

  it('I12: a call that joins a long wait has a time limit of its own', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = 14.9 * SECOND;
    world.storeFaults.push({ call: 'lease', fault: { backMs: SECOND } });
    const first = outcomeOf(replica.fresh(owner));
    await advance(5 * SECOND);
    const second = outcomeOf(replica.fresh(owner));
    expect((await first).error).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect((await second).error).toBeUndefined();
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('memory holds at most cacheSize transactions; unused ones are evicted first', async () => {
    const { world } = the;
    const replica = await world.start({ freshness: { cacheSize: 10 } });
    const owners = [];
    for (let id = 1; id <= 30; id++) owners.push(await world.remembered(replica, `${id}`));
    const favourite = owners[0]!;
    const loads = (): number => world.storeCalls.filter(({ call }) => call === 'load').length;
    const remembered = loads();
    for (const owner of owners) {
      await valueOf(replica.fresh(owner));
      await valueOf(replica.fresh(favourite));
    }
    const before = loads();
    // Each is loaded once, for its first call; the favourite is not loaded again.
    expect(before - remembered).toBe(30);
    for (const owner of owners) await valueOf(replica.fresh(owner));
    expect(loads()).toBeGreaterThanOrEqual(before + 20);
  });

  it('customers whose uids look alike get their own tokens, from memory too', async () => {
    const { world } = the;
    const replica = await world.start();
    const uids = ['a/b', 'a%2Fb', 'a%252Fb', '1', 'é', '%C3%A9', 'transaction/1'];
    for (const [number, uid] of uids.entries()) {
      await world.remembered(replica, `${number + 1}`, uid);
    }
    for (let round = 0; round < 2; round++) {
      const before = world.storeCalls.length;
      for (const [number, customerUid] of uids.entries()) {
        const tokens = await valueOf(replica.fresh({ customerUid }));
        expect([customerUid, tokens.transactionId]).toEqual([customerUid, `${number + 1}`]);
      }
      if (round === 1) expect(world.storeCalls).toHaveLength(before);
      expect(replica.tokens.cached({ customerUid: 'nobody' })).toBeUndefined();
      for (const customerUid of uids) {
        expect(replica.tokens.cached({ customerUid })).toBe(
          await valueOf(replica.fresh({ customerUid })),
        );
      }
    }
  });

  it('at shutdown, callers still get the tokens of an exchange in flight', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = 4 * SECOND;
    const call = outcomeOf(replica.fresh(owner));
    await settle();
    await valueOf(replica.stop());
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
    expect((await call).error).toBeUndefined();
  });

  it('I4: once a shutdown has waited for exchanges, none begins', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    await valueOf(replica.tokens.beforeApplicationShutdown());
    const error: BerbixError = await failureOf(replica.fresh(owner));
    expect(error.message).toContain('shut');
    expect(world.api.exchanges).toEqual([]);
  });

  it('I4: at shutdown, a new refresh token that is not saved yet is in the error', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    const call = outcomeOf(replica.fresh(owner));
    await settle();
    await valueOf(replica.stop());
    const { error, afterMs } = await call;
    expect(error).toMatchObject({
      code: 'BERBIX_STORE',
      tokens: { refreshToken: world.api.currentOf('1') },
    });
    expect(afterMs).toBeLessThan(10 * SECOND);
  });

  it.each(['in memory', 'in the store alone'])(
    'I4: callers whose time ends before a new refresh token is saved get it in the error, not the stale tokens %s',
    async (where) => {
      const { world } = the;
      world.api.habit = 'strict';
      const replica = await world.start({ freshness: { rotation: 'strict' } });
      const owner = await world.remembered(replica);
      if (where === 'in memory') await valueOf(replica.fresh(owner));
      await advance(59 * MINUTE + 10 * SECOND);
      world.storeFault = { calls: ['commit'], fault: 'fail' };
      expect(await failureOf(replica.fresh(owner))).toMatchObject({
        code: 'BERBIX_STORE',
        tokens: { refreshToken: world.api.currentOf('1') },
      });
    },
  );

  it('I4: a new refresh token of which the application is not notified yet is no reason to serve the spent one', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: () => Promise.resolve(),
    });
    const owner = await world.remembered(replica);
    await advance(59 * MINUTE + 10 * SECOND);
    world.api.onPresented = () => (world.storeFault = { calls: ['load'], fault: 'fail' });
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_STORE' });
  });

  it('I9: no exchange starts for a caller who has left, even if the tokens of the run do not satisfy them', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(await world.start());
    const refused = (await world.stored()).tokens.accessToken as string;
    world.storeFault = { calls: ['load'], fault: { thereMs: SECOND }, from: replica };
    const plain = replica.fresh(owner);
    const caller = replica.tokens.fresh(owner, { refused }).subscribe({ error: () => {} });
    await advance(SECOND / 2);
    caller.unsubscribe();
    await valueOf(plain);
    await advance(5 * SECOND);
    expect(world.api.exchanges).toHaveLength(0);
  });

  it('refresh() gets new tokens, even while fresh() reads the stored ones', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    const stored = world.api.tokensOf('1');
    world.storeFault = { calls: ['load'], fault: { thereMs: SECOND }, from: replica };
    const refreshed = replica.refresh(stored);
    await advance(SECOND / 2);
    const plain = replica.fresh(owner);
    const [forced, read] = await valueOf(Promise.all([refreshed, plain]));
    expect(world.api.exchanges).toHaveLength(1);
    expect(forced.accessToken).not.toBe(read.accessToken);
  });

  it('refresh() of stored tokens makes one exchange for all callers, saved before they get its tokens', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const options = { freshness: { rotation: 'strict' } } as const;
    const [replica, other] = [await world.start(options), await world.start(options)];
    const owner = await world.remembered(replica);
    const tokens = await valueOf(replica.fresh(owner));
    const calls = [replica, other, replica].map((one) => one.refresh(tokens));
    const all = await valueOf(Promise.all(calls));
    for (const { accessToken } of all) expect(accessToken).not.toBe(tokens.accessToken);
    expect(world.api.exchanges).toHaveLength(1);
    expect((await valueOf(replica.fresh(owner))).accessToken).toBe(all[0]!.accessToken);
  });

  it('replacing the tokens of one transaction does not search the whole memory', async () => {
    const { world } = the;
    const replica = await world.start();
    const looks = jest.spyOn(BerbixTokens.prototype, 'transactionId', 'get');
    const counts: number[] = [];
    for (let n = 1; n <= 120; n++) {
      const customerUid = `customer ${n}`;
      await valueOf(replica.remember(world.api.create(String(n)), customerUid));
      await valueOf(replica.fresh({ customerUid }));
      looks.mockClear();
      const reissued = world.api.reissue('1');
      await valueOf(replica.remember(reissued, 'customer 1'));
      expect((await valueOf(replica.fresh({ customerUid: 'customer 1' }))).accessToken).toBe(
        reissued.accessToken,
      );
      counts.push(looks.mock.calls.length);
    }
    // However many tokens are in memory.
    expect(counts.at(-1)).toBe(counts[1]);
  });

  it('a transaction that is not stored is a BerbixNotFoundError', async () => {
    const { world } = the;
    const replica = await world.start();
    expect(await failureOf(replica.fresh({ transactionId: '77' }))).toMatchObject({
      code: 'BERBIX_NOT_FOUND',
    });
  });

  it('I12: refresh() waits no longer than totalTimeoutMs for a slow store and the API together', async () => {
    const { world } = the;
    const replica = await world.start();
    await world.remembered(replica);
    world.storeFault = { calls: ['load'], fault: { thereMs: 1.4 * SECOND } };
    world.api.fault = 'hang-before';
    const { error, afterMs } = await outcomeOf(replica.refresh(world.api.tokensOf('1')));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect(afterMs).toBeLessThanOrEqual(15 * SECOND);
  });

  it('at most 32 calls to the store are made at a time', async () => {
    const { world } = the;
    const replica = await world.start();
    const running = { now: 0, maximum: 0 };
    world.storeGate = async (what) => {
      running.now += what.endsWith('there') ? 1 : -1;
      running.maximum = Math.max(running.maximum, running.now);
      await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const calls = Array.from({ length: 100 }, (_, n) => replica.fresh({ transactionId: `${n}` }));
    await outcomeOf(Promise.allSettled(calls));
    expect(running).toEqual({ now: 0, maximum: 32 });
  });
});
