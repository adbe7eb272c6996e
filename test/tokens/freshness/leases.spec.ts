import { describe, expect, it } from '@jest/globals';
import type { BerbixTokens } from 'nestjs-berbix';
import { eachWorld } from './support/each-world.js';
import { advance, failureOf, outcomeOf, settle, valueOf } from './support/virtual-time.js';

const [SECOND, HOUR] = [1_000, 3_600_000];

describe('the lease of fresh()', () => {
  const the = eachWorld();

  it('I2, I11: three replicas with fifty callers each make one exchange per expiry, one at a time', async () => {
    const { world } = the;
    const replicas = [await world.start(), await world.start(), await world.start()];
    const owner = await world.remembered(replicas[0]!);
    for (let expiry = 1; expiry <= 3; expiry++) {
      await advance(HOUR);
      const calls = replicas.flatMap((replica) =>
        Array.from({ length: 50 }, () => replica.fresh(owner)),
      );
      const all: BerbixTokens[] = await valueOf(Promise.all(calls));
      expect(new Set(all.map(({ accessToken }) => accessToken)).size).toBe(1);
      expect(world.api.exchanges).toHaveLength(expiry);
    }
  });

  it('is not even tried for while another has it: who waits only reads', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = 5 * SECOND;
    const first = outcomeOf(replica.fresh(owner));
    await advance(SECOND);
    const second = outcomeOf(other.fresh(owner));
    expect((await first).value?.accessToken).toBe((await second).value?.accessToken);
    const tried = world.storeCalls.filter(({ call, from }) => call === 'lease' && from === other);
    expect(tried).toHaveLength(0);
  });

  it('I12: who waits for a replica that was killed is told so in time, and one takes over once the lease ends', async () => {
    const { world } = the;
    const [killed, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(killed!);
    await advance(HOUR);
    world.api.latencyMs = SECOND;
    void killed.fresh(owner).catch(() => {});
    await advance(SECOND / 2);
    killed.kill();
    const { error, afterMs } = await outcomeOf(other.fresh(owner));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
    expect(afterMs).toBeLessThanOrEqual(15 * SECOND);
    await advance(15 * SECOND);
    const calls = await valueOf(Promise.all([other.fresh(owner), other.fresh(owner)]));
    expect(world.api.leftOf(calls[0].accessToken)).toBeGreaterThan(0);
    expect(world.api.exchanges).toHaveLength(2);
  });

  it('I5: a commit that arrives late changes nothing', async () => {
    const { world } = the;
    const [slow, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(slow!);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], from: slow, fault: { thereMs: 40 * SECOND } };
    await valueOf(slow.fresh(owner));
    await advance(31 * SECOND);
    const { accessToken } = await valueOf(other.fresh(owner));
    await advance(20 * SECOND);
    expect(world.storeCalls.some(({ call, from }) => call === 'commit' && from === slow)).toBe(
      true,
    );
    expect((await world.stored()).tokens.accessToken).toBe(accessToken);
    expect((await world.stored()).version).toBe(2);
  });

  it('I5: what an exchange has brought does not take the place of what a later one has', async () => {
    const { world } = the;
    const [slow, other] = [await world.start({ storeTimeoutMs: 60 * SECOND }), await world.start()];
    const owner = await world.remembered(slow!);
    await advance(HOUR);
    // Longer than its lease, and its caller waits no longer; the commit itself does.
    world.storeFaults.push({ call: 'commit', fault: { thereMs: 40 * SECOND } });
    await failureOf(slow.fresh(owner));
    await advance(16 * SECOND);
    const { accessToken } = await valueOf(other.fresh(owner));
    await advance(30 * SECOND);
    expect((await world.stored()).tokens.accessToken).toBe(accessToken);
    expect((await valueOf(slow.fresh(owner))).accessToken).toBe(accessToken);
  });

  it('I5: a release that arrives late does not end the lease of another', async () => {
    const { world } = the;
    const [slow, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(slow!);
    await advance(HOUR);
    world.storeFault = { calls: ['release'], from: slow, fault: { thereMs: 31 * SECOND } };
    world.api.faults.push({ status: 500 });
    await failureOf(slow.fresh(owner));
    await advance(29 * SECOND);
    world.api.latencyMs = 8 * SECOND;
    const call = outcomeOf(other.fresh(owner));
    await advance(4 * SECOND);
    expect((await world.stored()).leasedForMs).toBeGreaterThan(20 * SECOND);
    expect((await world.stored()).note).not.toHaveProperty('notBefore');
    expect((await call).error).toBeUndefined();
  });

  it('does not exchange under a lease that came so late that the exchange might outlast it', async () => {
    const { world } = the;
    const freshness = { leaseMs: 16 * SECOND };
    const replica = await world.start({ freshness, storeTimeoutMs: 60 * SECOND });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFaults.push({ call: 'lease', fault: { backMs: 5 * SECOND } });
    const begun = performance.now();
    await valueOf(replica.fresh(owner));
    expect(world.storeCalls.filter(({ call }) => call === 'lease')).toHaveLength(3);
    expect(world.storeCalls.filter(({ call }) => call === 'release')).toHaveLength(1);
    const { leasedForMs } = await world.stored();
    expect(leasedForMs).toBe(0);
    expect(world.api.exchanges[0]!.at - begun).toBeGreaterThan(5 * SECOND);
  });

  it('is of the record as it was read: who read it before another’s failed attempt heeds what that one noted', async () => {
    const { world } = the;
    const [slow, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(slow!);
    await advance(HOUR);
    world.storeFault = { calls: ['lease'], from: slow, fault: { thereMs: SECOND } };
    const late = slow.fresh(owner).catch(() => {});
    await settle();
    world.api.fault = { status: 503, headers: { 'retry-after': '30' } };
    await failureOf(other.fresh(owner));
    await advance(5 * SECOND);
    await late;
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('is of the record as it was read: a refresh token that was replaced meanwhile is not presented', async () => {
    const { world } = the;
    const [slow, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(slow!);
    await advance(HOUR);
    const before = world.api.currentOf('1');
    world.storeFault = { calls: ['lease'], from: slow, fault: { thereMs: SECOND } };
    const late = slow.fresh(owner);
    await settle();
    await valueOf(other.remember(world.api.reissue('1')));
    await valueOf(late);
    expect(world.api.exchanges.map(({ refreshToken }) => refreshToken)).not.toContain(before);
  });

  it('I11: a lost answer of the store to the lease costs no second exchange', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica!);
    await advance(HOUR);
    world.storeFaults.push({ call: 'lease', fault: 'lost' });
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_STORE' });
    await advance(31 * SECOND);
    await valueOf(Promise.all([replica.fresh(owner), other.fresh(owner)]));
    expect(world.api.exchanges).toHaveLength(1);
  });
});
