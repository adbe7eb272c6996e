import { describe, expect, it, jest } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import type { Subscription } from 'rxjs';
import { everyViewOf } from '../../support/sinks.js';
import { eachWorld } from './support/each-world.js';
import { CANARY, type ApiFault } from './support/fake-api.js';
import type { StoreCall, StoreFault } from './support/replica-store.js';
import { advance, failureOf, outcomeOf, settle, valueOf } from './support/virtual-time.js';
import { World } from './support/world.js';

const [SECOND, HOUR] = [1_000, 3_600_000];

describe('callers of fresh()', () => {
  const the = eachWorld();

  it('I9: some of them leave: the others get the tokens of the same exchange', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const got: BerbixTokens[] = [];
    const calls: Subscription[] = [];
    for (let n = 0; n < 20; n++) {
      calls.push(replica.tokens.fresh(owner).subscribe((tokens) => got.push(tokens)));
    }
    // The first, which began it, too.
    for (let n = 0; n < 20; n += 3) calls[n]!.unsubscribe();
    await advance(SECOND);
    expect(got).toHaveLength(13);
    expect(new Set(got.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I9: all of them leave: the exchange is made all the same, and saved', async () => {
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

  it('I9: what fails behind callers who have their tokens is no unhandled rejection', async () => {
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

  it('I9: a flight that failed is over: the next call starts anew', async () => {
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
    'I12, I10: every call ends in time and shows no secret, whatever happens to "%s" of the store and to the API',
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

  it('I12: a call that begins while another has waited long has its own time', async () => {
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

  it('keep so many transactions in memory; those that nobody asks for go first', async () => {
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
    // Once as each was asked for first; the favourite is loaded no more.
    expect(before - remembered).toBe(30);
    for (const owner of owners) await valueOf(replica.fresh(owner));
    expect(loads()).toBeGreaterThanOrEqual(before + 20);
  });

  it('who name customers that look alike get the tokens of theirs, from memory too', async () => {
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

  it('end with the process: at shutdown an exchange under way comes to its end', async () => {
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

  it('I4: end with the process: a new refresh token that was not saved until then is in the error', async () => {
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

  it('who call refresh() for what is stored: one exchange, in the store before they get it', async () => {
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

  it('do not wait while the memory is searched for the tokens of one transaction', async () => {
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
    // However many there are.
    expect(counts.at(-1)).toBe(counts[1]);
  });

  it('get no promise of what the store does not have', async () => {
    const { world } = the;
    const replica = await world.start();
    expect(await failureOf(replica.fresh({ transactionId: '77' }))).toMatchObject({
      code: 'BERBIX_NOT_FOUND',
    });
  });
});
