import { describe, expect, it } from '@jest/globals';
import type { BerbixError } from 'nestjs-berbix';
import { eachWorld, type Replica, type World } from './support/world.js';
import { advance, outcomeOf, valueOf, type Outcome } from './support/virtual-time.js';
import { TOTAL_TIMEOUT_MS } from './support/watch.js';

const [SECOND, HOUR] = [1_000, 3_600_000];

/** Two exchanges a second: thirty within the time limit of a call. */
const CONNECTIONS = 2;
const IN_TIME = (CONNECTIONS * TOTAL_TIMEOUT_MS) / SECOND;

const NEWCOMER = '999';

/** A replica, and many transactions with expired tokens. */
async function manyExpired(world: World): Promise<{ replica: Replica; ids: string[] }> {
  const replica = await world.start({ http: { connections: CONNECTIONS } });
  const ids = Array.from({ length: 10 * IN_TIME }, (_, index) => `${index + 1}`);
  for (const id of [...ids, NEWCOMER]) await world.remembered(replica, id);
  await advance(HOUR);
  world.api.latencyMs = SECOND;
  return { replica, ids };
}

/** A replica that makes one exchange at a time; its two transactions have expired. */
async function rotatingOneByOne(world: World): Promise<{ replica: Replica; notified: string[] }> {
  world.api.habit = 'strict';
  const notified: string[] = [];
  const replica = await world.start({
    http: { connections: 1 },
    freshness: { rotation: 'strict' },
    onRotation: ({ tokens }) => void notified.push(tokens.refreshToken),
  });
  for (const id of ['1', '2']) await world.remembered(replica, id);
  await advance(HOUR);
  return { replica, notified };
}

describe('more exchanges than can be made in time', () => {
  const the = eachWorld();

  it('callers who cannot be served get retryAfterMs, and newcomers are served', async () => {
    const { world } = the;
    const { replica, ids } = await manyExpired(world);
    const ends = ids.map((id) => settled(replica.fresh({ transactionId: id })));
    await advance(5 * SECOND);
    const newcomer = await outcomeOf(replica.fresh({ transactionId: NEWCOMER }));
    expect(newcomer.error).toBeUndefined();
    const outcomes = await Promise.all(ends);
    const served = outcomes.filter(({ error }) => error === undefined);
    const refused = outcomes.filter(({ error }) => error !== undefined);
    expect(served.length).toBeGreaterThanOrEqual(IN_TIME - 2 * CONNECTIONS);
    expect(world.api.exchanges.length).toBeLessThanOrEqual(served.length + 1 + CONNECTIONS);
    const waits = refused.map(({ error, afterMs }) => {
      const { code, retryable, retryAfterMs = 0 } = error as BerbixError;
      expect({ code, retryable }).toEqual({ code: 'BERBIX_UNAVAILABLE', retryable: true });
      // As soon as the speed of the queue is known, not at the end of their time.
      expect(afterMs).toBeLessThan(5 * SECOND);
      return retryAfterMs;
    });
    // Their retries are spread out: the last one comes when all before it can have been served.
    const lastMs = (ids.length / CONNECTIONS) * SECOND - TOTAL_TIMEOUT_MS;
    expect(Math.max(...waits)).toBeGreaterThan(0.8 * lastMs);
    expect(Math.max(...waits)).toBeLessThan(1.5 * lastMs);
  });

  it('no exchange starts for callers who have left, and newcomers do not wait for them', async () => {
    const { world } = the;
    const { replica, ids } = await manyExpired(world);
    const calls = ids.map((id) => replica.tokens.fresh({ transactionId: id }).subscribe());
    await advance(SECOND / 2);
    for (const call of calls) call.unsubscribe();
    const newcomer = await outcomeOf(replica.fresh({ transactionId: NEWCOMER }));
    expect(newcomer.error).toBeUndefined();
    expect(newcomer.afterMs).toBeLessThan(3 * SECOND);
    await advance(10 * SECOND);
    expect(world.api.exchanges.length).toBe(CONNECTIONS + 1);
  });

  it('I4: the application is notified of a new refresh token, even if the callers leave in the queue', async () => {
    const { world } = the;
    const { replica, notified } = await rotatingOneByOne(world);
    world.api.latencyMs = SECOND;
    const call = replica.tokens.fresh({ transactionId: '1' }).subscribe();
    const other = settled(replica.fresh({ transactionId: '2' }));
    await advance(1.5 * SECOND);
    // The new refresh token is saved, and the other exchange has the only turn.
    expect(world.api.exchanges).toHaveLength(2);
    call.unsubscribe();
    await advance(SECOND);
    expect((await other).error).toBeUndefined();
    expect(notified).toContain(world.api.currentOf('1'));
  });

  it('I4: a shutdown notifies the application of a new refresh token that waits behind a silent API', async () => {
    const { world } = the;
    const { replica, notified } = await rotatingOneByOne(world);
    world.api.faults.push(undefined, 'hang-before');
    for (const id of ['1', '2']) replica.fresh({ transactionId: id }).catch(() => {});
    await advance(SECOND);
    expect(world.api.exchanges).toHaveLength(2);
    await valueOf(replica.stop());
    expect(notified).toEqual([world.api.currentOf('1')]);
  });

  it('a caller does not join a run that was given up because its callers left', async () => {
    const { world } = the;
    const { replica, ids } = await manyExpired(world);
    const [first = '', ...others] = ids.slice(0, CONNECTIONS + 1).toReversed();
    const stayers = others.map((id) => settled(replica.fresh({ transactionId: id })));
    await advance(100);
    const call = replica.tokens.fresh({ transactionId: first }).subscribe();
    await advance(100);
    call.unsubscribe();
    const again = await outcomeOf(replica.fresh({ transactionId: first }));
    expect(again.error).toBeUndefined();
    for (const { error } of await Promise.all(stayers)) expect(error).toBeUndefined();
    expect(world.api.exchanges.length).toBe(CONNECTIONS + 1);
  });

  it('if one of several waiting callers leaves, the others keep their place in the queue', async () => {
    const { world } = the;
    const { replica, ids } = await manyExpired(world);
    const before = ids.slice(1, 1 + 2 * CONNECTIONS);
    const stayers = before.map((id) => settled(replica.fresh({ transactionId: id })));
    await advance(100);
    const leaver = replica.tokens.fresh({ transactionId: '1' }).subscribe();
    const stayer = settled(replica.fresh({ transactionId: '1' }));
    await advance(100);
    leaver.unsubscribe();
    await advance(4 * SECOND);
    for (const { error } of await Promise.all([...stayers, stayer])) expect(error).toBeUndefined();
    expect(world.api.exchanges.length).toBe(before.length + 1);
  });

  it('a caller who times out leaves their place in the queue to a later one', async () => {
    const { world } = the;
    const { replica } = await manyExpired(world);
    // Two rounds of exchanges, which end after the first caller times out.
    world.api.latencyMs = 8 * SECOND;
    const ids = Array.from({ length: 2 * CONNECTIONS }, (_, index) => `${index + 2}`);
    for (const id of ids) void settled(replica.fresh({ transactionId: id }));
    await advance(SECOND / 10);
    const owner = { transactionId: '1' };
    const first = settled(replica.fresh(owner));
    await advance(5 * SECOND);
    const second = settled(replica.fresh(owner));
    await advance(8 * SECOND);
    world.api.latencyMs = SECOND;
    await advance(5 * SECOND);
    expect((await first).error).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect((await second).error).toBeUndefined();
  });

  it('a renewal in the background waits for its turn', async () => {
    const { world } = the;
    const replica = await world.start({ http: { connections: 1 } });
    // So short that the store need not be asked again before they are stale.
    world.api.lifetimeMs = 30 * SECOND;
    for (const id of ['1', '2']) await world.remembered(replica, id);
    await valueOf(replica.fresh({ transactionId: '2' }));
    await advance(25 * SECOND);
    world.api.latencyMs = 2 * SECOND;
    const { accessToken: refused } = (await world.stored()).tokens;
    const first = settled(replica.fresh({ transactionId: '1' }, { refused }));
    await advance(SECOND / 2);
    // They are stale, and still served.
    await valueOf(replica.fresh({ transactionId: '2' }));
    expect(world.api.exchanges.map(({ id }) => id)).toEqual(['1']);
    await advance(4 * SECOND);
    expect((await first).error).toBeUndefined();
    expect(world.api.exchanges.map(({ id }) => id)).toEqual(['1', '2']);
  });

  it('a caller with a short time limit does not shorten the wait of others for the same tokens', async () => {
    const { world } = the;
    const { replica, ids } = await manyExpired(world);
    const before = ids.slice(1, 1 + 2 * CONNECTIONS);
    const earlier = before.map((id) => settled(replica.fresh({ transactionId: id })));
    const patient = settled(replica.fresh({ transactionId: '1' }));
    const hurried = settled(replica.fresh({ transactionId: '1' }, { timeoutMs: SECOND / 2 }));
    await advance(4 * SECOND);
    expect((await hurried).error).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect((await patient).error).toBeUndefined();
    for (const { error } of await Promise.all(earlier)) expect(error).toBeUndefined();
  });
});

describe('more calls to the store than it answers in time', () => {
  const the = eachWorld();

  it('are refused, and newcomers are served', async () => {
    const { world } = the;
    const replica = await world.start();
    // A second for each call, 32 at a time: 480 within the time limit of a call, and each customer needs one or two.
    world.storeGate = () => new Promise((resolve) => setTimeout(resolve, SECOND / 2));
    const ids = Array.from({ length: 1_000 }, (_, index) => `${index}`);
    const ends = ids.map((id) => settled(replica.fresh({ customerUid: id })));
    await advance(5 * SECOND);
    const newcomer = await outcomeOf(replica.fresh({ customerUid: NEWCOMER }));
    expect(newcomer.error).toMatchObject({ code: 'BERBIX_NOT_FOUND' });
    const refused = (await Promise.all(ends)).filter(
      ({ error }) => (error as BerbixError).code === 'BERBIX_STORE',
    );
    expect(refused.length).toBeGreaterThan(400);
    expect(refused.length).toBeLessThan(800);
    for (const { error, afterMs } of refused) {
      expect(error).toMatchObject({ reason: 'BUSY', retryAfterMs: expect.any(Number) });
      expect(afterMs).toBeLessThan(3 * SECOND);
    }
  });
});

/** The outcome of a promise while the test goes on. */
async function settled(promise: Promise<unknown>): Promise<Outcome<unknown>> {
  const begun = performance.now();
  try {
    return { value: await promise, afterMs: performance.now() - begun };
  } catch (error) {
    return { error, afterMs: performance.now() - begun };
  }
}
