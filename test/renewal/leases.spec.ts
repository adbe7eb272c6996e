import { describe, expect, it } from '@jest/globals';
import type { BerbixTokens } from 'nestjs-berbix';
import { eachWorld } from './support/world.js';
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

  it('is not requested while another replica has it: those who wait only read', async () => {
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

  it('callers who wait for another replica get the tokens soon after they are saved, however long that takes', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = 9 * SECOND;
    const first = outcomeOf(replica.fresh(owner));
    await advance(100);
    const second = outcomeOf(other.fresh(owner));
    const [{ afterMs: savedMs }, { afterMs: waitedMs }] = [await first, await second];
    expect(100 + waitedMs - savedMs).toBeLessThanOrEqual(250);
  });

  it('I12: callers who wait for a killed replica get an error in time, and one replica takes over when the lease ends', async () => {
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

  it('I5: the result of an exchange does not replace the result of a later one', async () => {
    const { world } = the;
    const [slow, other] = [await world.start({ storeTimeoutMs: 60 * SECOND }), await world.start()];
    const owner = await world.remembered(slow!);
    await advance(HOUR);
    // It takes longer than the lease; the caller has an error by then, but the commit still arrives.
    world.storeFaults.push({ call: 'commit', fault: { thereMs: 40 * SECOND } });
    await failureOf(slow.fresh(owner));
    await advance(16 * SECOND);
    const { accessToken } = await valueOf(other.fresh(owner));
    await advance(30 * SECOND);
    expect((await world.stored()).tokens.accessToken).toBe(accessToken);
    expect((await valueOf(slow.fresh(owner))).accessToken).toBe(accessToken);
  });

  it('I5: a release that arrives late does not end the lease of another replica', async () => {
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

  it('is not used if it comes so late that the exchange might outlast it', async () => {
    const { world } = the;
    const freshness = { leaseMs: 16 * SECOND };
    const replica = await world.start({ freshness, storeTimeoutMs: 60 * SECOND });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFaults.push({ call: 'lease', fault: { backMs: 5 * SECOND } });
    let released: Record<string, unknown> | undefined;
    world.storeGate = async (what) => {
      if (what === 'release back') released = (await world.stored()).note;
    };
    const begun = performance.now();
    await valueOf(replica.fresh(owner));
    // Nothing was sent, so the note names no attempt.
    expect(released).toEqual({});
    expect(world.storeCalls.filter(({ call }) => call === 'lease')).toHaveLength(3);
    expect(world.storeCalls.filter(({ call }) => call === 'release')).toHaveLength(1);
    const { leasedForMs } = await world.stored();
    expect(leasedForMs).toBe(0);
    expect(world.api.exchanges[0]!.at - begun).toBeGreaterThan(5 * SECOND);
  });

  it('is for the record as it was read: a replica that read it before another’s failed attempt obeys the note of that attempt', async () => {
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

  it('is for the record as it was read: a refresh token that was replaced meanwhile is not presented', async () => {
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

  it('I11: is recognized if the answer to the request for it was lost', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica!);
    await advance(HOUR);
    world.storeFaults.push({ call: 'lease', fault: 'lost' });
    await valueOf(replica.fresh(owner));
    await valueOf(other.fresh(owner));
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('I2: is not taken for its own if the request failed while another replica took it', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica!);
    await advance(HOUR);
    world.api.latencyMs = 5 * SECOND;
    world.storeFaults.push({ call: 'lease', fault: 'fail' });
    world.storeGate = async (what, from) => {
      if (from !== replica || what !== 'lease there') return;
      await new Promise((resolve) => setTimeout(resolve, SECOND));
    };
    const failing = outcomeOf(replica.fresh(owner));
    await settle();
    const inFlight = other.fresh(owner);
    expect((await failing).error).toMatchObject({ code: 'BERBIX_STORE' });
    await valueOf(inFlight);
    expect(world.api.exchanges).toHaveLength(1);
  });
});
