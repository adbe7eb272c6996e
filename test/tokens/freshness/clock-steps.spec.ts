import { describe, expect, it } from '@jest/globals';
import { eachWorld } from './support/each-world.js';
import {
  advance,
  failureOf,
  outcomeOf,
  setHostClock,
  setStoreClock,
  valueOf,
} from './support/virtual-time.js';

const INVALID = { code: 'BERBIX_INVALID_REFRESH_TOKEN' };
const LATER = { code: 'BERBIX_UNAVAILABLE', retryable: true };
const STRICT = { freshness: { rotation: 'strict' } } as const;
const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

describe('a store whose clock is set back by an hour', () => {
  const the = eachWorld();

  it('I1: hands out no tokens that have ended', async () => {
    const { world } = the;
    const owner = await world.remembered(await world.start());
    await advance(58 * MINUTE);
    setStoreClock(-HOUR);
    for (let n = 0; n < 30; n++) {
      await advance(MINUTE);
      const { accessToken } = await valueOf((await world.start()).fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeGreaterThan(0);
    }
  });

  it('gives new tokens for some that are refused', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const { accessToken: refused } = await valueOf(replica.fresh(owner));
    await advance(MINUTE);
    setStoreClock(-HOUR);
    const { accessToken } = await valueOf(replica.fresh(owner, { refused }));
    expect(accessToken).not.toBe(refused);
  });

  it('I12: the lease of a replica that was killed does not last longer than it can', async () => {
    const { world } = the;
    const [killed, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(killed);
    await advance(HOUR);
    world.api.latencyMs = 5 * SECOND;
    void killed.fresh(owner).catch(() => {});
    await advance(SECOND);
    killed.kill();
    setStoreClock(-HOUR);
    await advance(31 * SECOND);
    const { accessToken } = await valueOf(other.fresh(owner));
    expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
  });

  it('I12: a lease that seems to last an hour is not waited for', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    // As the store shows one of half a minute, once its clock was set back.
    const { version = 0, fence = 0 } = await world.stored();
    await world.memory.lease('default/transaction/1', { version, fence }, HOUR, '{}');
    const { accessToken } = await valueOf(replica.fresh(owner));
    expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
  });

  it.each([
    ['a failure', { status: 503 }],
    [
      'a dead refresh token',
      { status: 400, body: { readable: 'invalid_refresh_token', message: 'unknown' } },
    ],
  ])('%s is not waited out for longer than it can be', async (_, fault) => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.faults.push(fault);
    await outcomeOf(replica.fresh(owner));
    setStoreClock(-2 * HOUR);
    await advance(SECOND);
    const { accessToken } = await valueOf(replica.fresh(owner));
    expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
  });
});

describe('a store whose clock is set forward during an exchange', () => {
  const the = eachWorld();

  /** The lease of the replica whose exchange is under way ends by the clock of the store. */
  async function takeOver() {
    const { world } = the;
    world.api.habit = 'strict';
    const [holder, other] = [await world.start(STRICT), await world.start(STRICT)];
    const owner = await world.remembered(holder);
    await advance(HOUR);
    world.api.latencyMs = 4 * SECOND;
    const call = holder.fresh(owner);
    call.catch(() => {});
    await advance(3 * SECOND);
    expect(world.api.exchanges[0]!.isDone).toBe(true);
    // The memory counts a lease by an even clock, so it does not end with the step.
    setStoreClock(MINUTE);
    const { version = 0, fence = 0, note } = await world.stored();
    await world.memory.release('default/transaction/1', { version, fence }, JSON.stringify(note));
    world.watch.endsLeasesEarly = true;
    return { world, owner, holder, other, call };
  }

  it('I7: "unknown refresh token" kills nothing while another’s exchange may be under way', async () => {
    const { world, owner, other, call } = await takeOver();
    world.api.latencyMs = 40;
    const error = await failureOf(other.fresh(owner));
    expect(error).toMatchObject(LATER);
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(30 * SECOND);
    expect((await valueOf(call)).refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges).toHaveLength(2);
    expect((await valueOf(other.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('I7: nor where another error came in between', async () => {
    const { world, owner, other } = await takeOver();
    world.storeFault = { calls: ['commit'], fault: 'hang' };
    world.api.latencyMs = 40;
    world.api.faults.push({ status: 503 });
    expect(await failureOf(other.fresh(owner))).toMatchObject({ code: 'BERBIX_SERVER' });
    await advance(2 * SECOND);
    expect(await failureOf(other.fresh(owner))).toMatchObject(LATER);
    expect(world.api.exchanges).toHaveLength(3);
  });

  it('a refresh token that stays unknown is dead once the other’s lease has ended', async () => {
    const { world, owner, holder, other } = await takeOver();
    holder.kill();
    world.api.latencyMs = 40;
    const { retryAfterMs }: { retryAfterMs: number } = await failureOf(other.fresh(owner));
    await advance(retryAfterMs);
    expect(await failureOf(other.fresh(owner))).toMatchObject(INVALID);
    expect(await failureOf(other.fresh(owner))).toMatchObject(INVALID);
    expect(world.api.exchanges).toHaveLength(3);
  });
});

describe('a machine that was suspended, whose even clock stood still', () => {
  const the = eachWorld();

  it.each(['by transaction', 'by customer', 'brought along'])(
    'I1: hands out nothing from memory that has ended meanwhile: %s',
    async (where) => {
      const { world } = the;
      // The store of this world is in the same machine, and so is the memory of what is brought along.
      const replica = await world.start();
      const created = world.api.create('1');
      const owner = where === 'by customer' ? ADA : ONE;
      const source = where === 'brought along' ? created.refreshToken : owner;
      if (source === owner) await valueOf(replica.remember(created, ADA.customerUid));
      const { accessToken } = await valueOf(replica.fresh(source));
      setHostClock(2 * HOUR);
      const after = await valueOf(replica.fresh(source));
      expect(after.accessToken).not.toBe(accessToken);
      // Once: then the clocks agree again.
      const { length } = world.api.exchanges;
      for (let minute = 0; minute < 10; minute++) {
        await advance(MINUTE);
        await valueOf(replica.fresh(source));
      }
      expect(world.api.exchanges).toHaveLength(length);
    },
  );

  it('a clock of the host that was only set forward costs one look at the store', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    // The clock of the store goes on evenly.
    setHostClock(2 * HOUR);
    setStoreClock(-2 * HOUR);
    const before = world.storeCalls.length;
    await valueOf(replica.fresh(owner));
    await valueOf(replica.fresh(owner));
    expect(world.storeCalls.length).toBe(before + 1);
  });
});
