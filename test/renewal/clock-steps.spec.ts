import { describe, expect, it } from '@jest/globals';
import { believed } from '../../lib/records/clock-steps.js';
import { eachWorld } from './support/world.js';
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

  it('I1: hands out no expired tokens', async () => {
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

  it('replaces refused tokens', async () => {
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

  /** A replica is killed in an exchange, the store's clock is set back, and the time of the lease passes. */
  async function afterAKill(options?: typeof STRICT) {
    const { world } = the;
    const [killed, other] = [await world.start(options), await world.start(options)];
    const owner = await world.remembered(killed);
    await advance(HOUR);
    world.api.latencyMs = 5 * SECOND;
    void killed.fresh(owner).catch(() => {});
    await advance(SECOND);
    killed.kill();
    setStoreClock(-HOUR);
    await advance(31 * SECOND);
    return { world, owner, other };
  }

  it('I12: the lease of a killed replica does not last longer than leaseMs', async () => {
    const { world, owner, other } = await afterAKill();
    const { accessToken } = await valueOf(other.fresh(owner));
    expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
  });

  it.each([{ transactionId: '1' }, { customerUid: 'ada' }])(
    'I12: a lease that seems to last an hour is not waited for: %j',
    async (owner) => {
      const { world } = the;
      const replica = await world.start();
      await world.remembered(replica, '1', 'ada');
      await advance(HOUR);
      // This is how the store shows a lease of half a minute after its clock was set back.
      const { version = 0, leaseEpoch = 0 } = await world.stored();
      await world.memory.lease('default/transaction/1', { version, leaseEpoch }, HOUR, '{}');
      const { accessToken } = await valueOf(replica.fresh(owner));
      expect(world.api.leftOf(accessToken)).toBeGreaterThan(59 * MINUTE);
    },
  );

  it('I7: "unknown refresh token" after such a lease kills nothing either', async () => {
    const { world } = the;
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const { version = 0, leaseEpoch = 0 } = await world.stored();
    const note = JSON.stringify({ startedAt: 1, isUnreported: true });
    await world.memory.lease('default/transaction/1', { version, leaseEpoch }, HOUR, note);
    world.api.reissue('1');
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_UNAVAILABLE' });
  });

  it('I3: an exchange without a known outcome is still in doubt', async () => {
    const { world, owner, other } = await afterAKill(STRICT);
    await valueOf(other.fresh(owner));
    expect(world.logged).toContainEqual(expect.stringContaining('presented once more'));
  });

  it.each([
    ['a failure', { status: 503 }],
    [
      'a dead refresh token',
      { status: 400, body: { readable: 'invalid_refresh_token', message: 'unknown' } },
    ],
  ])('the backoff after %s does not last longer than its maximum', async (_, fault) => {
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

describe('a record', () => {
  const NOW = 10 * HOUR;
  const seen = (value: object, attempt: object) => ({
    value: { refreshToken: 'rt', refreshAfter: 5, lifetimeMs: HOUR, ...value },
    attempt: { failures: 1, ...attempt },
  });

  it.each<[string, (ms: number) => ReturnType<typeof seen>, number]>([
    ['expires later than its lifetime', (ms) => seen({ expiresAt: NOW + ms }, {}), HOUR],
    ['was exchanged in the future', (ms) => seen({ exchangedAt: NOW + ms }, {}), 0],
    ['has an attempt in the future', (ms) => seen({}, { startedAt: NOW + ms }), 0],
    ['is not due for too long', (ms) => seen({}, { notBefore: NOW + ms }), MINUTE],
    [
      'is dead for too long',
      (ms) => seen({}, { notBefore: NOW + ms, deadCode: 'BERBIX_GONE' }),
      HOUR,
    ],
  ])('that %s was written before the clock was set back', (_what, at, limitMs) => {
    // The clocks of two servers may differ by a second.
    const good = at(limitMs + SECOND);
    expect(believed(good, NOW)).toBe(good);
    const bad = at(limitMs + SECOND + 1);
    expect(believed(bad, NOW)).toEqual({
      value: {
        ...bad.value,
        expiresAt: undefined,
        refreshAfter: undefined,
        exchangedAt: undefined,
      },
      attempt: {
        ...bad.attempt,
        notBefore: undefined,
        startedAt: 'startedAt' in bad.attempt ? 0 : undefined,
      },
    });
  });
});

describe('a store whose clock is set forward during an exchange', () => {
  const the = eachWorld();

  /** The lease of a replica ends by the store's clock while its exchange is in flight. */
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
    // The store in memory measures leases by a monotonic clock, so the step does not end this one.
    setStoreClock(MINUTE);
    const { version = 0, leaseEpoch = 0, note } = await world.stored();
    await world.memory.release(
      'default/transaction/1',
      { version, leaseEpoch },
      JSON.stringify(note),
    );
    world.watch.endsLeasesEarly = true;
    return { world, owner, holder, other, call };
  }

  it('I7: "unknown refresh token" kills nothing while another replica’s exchange may be in flight', async () => {
    const { world, owner, other, call } = await takeOver();
    world.api.latencyMs = 40;
    const error = await failureOf(other.fresh(owner));
    expect(error).toMatchObject(LATER);
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(30 * SECOND);
    expect((await valueOf(call)).refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges).toHaveLength(2);
    expect((await valueOf(other.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('I7: "unknown refresh token" kills nothing even after another error in between', async () => {
    const { world, owner, other } = await takeOver();
    world.storeFault = { calls: ['commit'], fault: 'hang' };
    world.api.latencyMs = 40;
    world.api.faults.push({ status: 503 });
    expect(await failureOf(other.fresh(owner))).toMatchObject({ code: 'BERBIX_SERVER' });
    await advance(2 * SECOND);
    expect(await failureOf(other.fresh(owner))).toMatchObject(LATER);
    expect(world.api.exchanges).toHaveLength(3);
  });

  it('a refresh token that stays unknown is dead when the other replica’s lease has ended', async () => {
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

describe('a machine that was suspended, so that its monotonic clock stood still', () => {
  const the = eachWorld();

  it.each(['by transaction', 'by customer', 'passed in'])(
    'I1: hands out no tokens from memory that have expired meanwhile: %s',
    async (where) => {
      const { world } = the;
      // The store of this world is on the same machine, as is the memory of tokens that are passed in.
      const replica = await world.start();
      const created = world.api.create('1');
      const owner = where === 'by customer' ? ADA : ONE;
      const ref = where === 'passed in' ? created.refreshToken : owner;
      if (ref === owner) await valueOf(replica.remember(created, ADA.customerUid));
      const { accessToken } = await valueOf(replica.fresh(ref));
      setHostClock(2 * HOUR);
      const after = await valueOf(replica.fresh(ref));
      expect(after.accessToken).not.toBe(accessToken);
      // Once: then the clocks agree again.
      const { length } = world.api.exchanges;
      for (let minute = 0; minute < 10; minute++) {
        await advance(MINUTE);
        await valueOf(replica.fresh(ref));
      }
      expect(world.api.exchanges).toHaveLength(length);
    },
  );

  it.each([
    ['half a minute', HOUR, 30 * SECOND],
    ['a twentieth of the lifetime', 4 * MINUTE, 12 * SECOND],
  ])('asks the store again after a suspension of more than %s', async (_, lifetimeMs, limitMs) => {
    const { world } = the;
    world.api.lifetimeMs = lifetimeMs;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    const before = world.storeCalls.length;
    setHostClock(limitMs);
    await valueOf(replica.fresh(owner));
    expect(world.storeCalls.length).toBe(before);
    setHostClock(1);
    await valueOf(replica.fresh(owner));
    expect(world.storeCalls.length).toBe(before + 1);
  });

  it('a host clock that was only set forward costs one read of the store', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    // The store's clock does not change.
    setHostClock(2 * HOUR);
    setStoreClock(-2 * HOUR);
    const before = world.storeCalls.length;
    await valueOf(replica.fresh(owner));
    await valueOf(replica.fresh(owner));
    expect(world.storeCalls.length).toBe(before + 1);
  });
});
