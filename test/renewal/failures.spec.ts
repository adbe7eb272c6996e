import { describe, expect, it } from '@jest/globals';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import { eachWorld } from './support/world.js';
import { advance, failureOf, outcomeOf, settle, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const INVALID = { code: 'BERBIX_INVALID_REFRESH_TOKEN' };

const hangInInterceptor: NonNullable<BerbixModuleOptions['http']>['configureAxios'] = (axios) =>
  void axios.interceptors.request.use(() => new Promise(() => {}));

describe('fresh() when an exchange fails', () => {
  const the = eachWorld();

  /** The first replica makes an exchange and is slow to commit it; the second takes over. */
  async function race(commitMs: number) {
    const { world } = the;
    world.api.habit = 'strict';
    const freshness = { rotation: 'strict' as const, leaseMs: 16 * SECOND };
    const options = { freshness, storeTimeoutMs: 30 * SECOND };
    const [winner, loser] = [await world.start(options), await world.start(options)];
    const owner = await world.remembered(winner);
    await advance(HOUR);
    world.api.latencyMs = 2 * SECOND;
    world.storeFault = { calls: ['commit'], from: winner, fault: { thereMs: commitMs } };
    const won = outcomeOf(winner.fresh(owner));
    await advance(16.1 * SECOND);
    const lost = outcomeOf(loser.fresh(owner));
    return { world, owner, winner, loser, won, lost };
  }

  it('I7: "unknown refresh token" after another replica’s commit kills nothing, and the committed tokens are handed out', async () => {
    const { world, lost } = await race(15 * SECOND);
    expect((await lost).value?.refreshToken).toBe(world.api.currentOf('1'));
    expect(world.api.exchanges).toHaveLength(2);
    expect((await world.stored()).note).toEqual({});
  });

  it('I7: a commit after "unknown refresh token" revives the record', async () => {
    const { world, owner, loser, lost } = await race(19 * SECOND);
    expect((await lost).error).toMatchObject({ code: 'BERBIX_UNAVAILABLE', retryable: true });
    await advance(5 * SECOND);
    expect((await valueOf(loser.fresh(owner))).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('I7: an answer about a refresh token that was replaced meanwhile does not affect the new one', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.latencyMs = SECOND;
    const good = world.api.reissue('1');
    const call = outcomeOf(replica.fresh(owner));
    await advance(SECOND / 2);
    await valueOf(other.remember(good));
    expect((await call).value?.refreshToken).toBe(good.refreshToken);
    expect((await world.stored()).note).toEqual({});
  });

  it('all replicas wait out a failure together: Retry-After, at most a minute', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await advance(HOUR);
    for (const [asked, waited] of [
      [20, 20],
      [600, 60],
    ] as const) {
      world.api.exchanges.length = 0;
      world.api.fault = { status: 429, headers: { 'retry-after': `${asked}` } };
      await failureOf(replica.fresh(owner));
      await advance((waited - 1) * SECOND);
      const error = await failureOf(other.fresh(owner));
      expect(error).toMatchObject({ code: 'BERBIX_UNAVAILABLE', retryable: true });
      expect((error as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(SECOND);
      expect(world.api.exchanges).toHaveLength(1);
      await advance(2 * SECOND);
    }
    world.api.fault = undefined;
    await valueOf(other.fresh(owner));
  });

  it.each<[string, Partial<BerbixModuleOptions>]>([
    ['of the HTTP client', { http: { connections: 1 } }],
    ['of an interceptor', { http: { configureAxios: hangInInterceptor } }],
    ['of the API secret', { apiSecret: () => new Promise<string>(() => {}) }],
  ])('an exchange that times out in the queue %s does not count as sent', async (_, options) => {
    const { world } = the;
    const replica = await world.start({ ...options, freshness: { rotation: 'strict' } });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    // If there is one connection, this call occupies it until its timeout.
    world.api.fault = 'hang-before';
    replica.tokens.refresh(world.api.create('2')).subscribe({ error: () => {} });
    await settle();
    expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    expect(world.api.exchanges.filter(({ id }) => id === '1')).toEqual([]);
    // The caller does not wait until the note is written.
    await advance(SECOND);
    expect((await world.stored()).note).not.toHaveProperty('startedAt');
  });

  it.each([
    ['refused', false],
    [{ status: 429 }, false],
    [{ status: 401 }, false],
    [{ status: 422 }, false],
    [{ status: 408 }, true],
    [{ status: 500 }, true],
    [{ status: 302 }, true],
    ['bad-answer', true],
    ['reset-after', true],
    ['hang-after', true],
  ] as const)(
    'after %j, the note says whether the API may have acted: %s',
    async (fault, mayHave) => {
      const { world } = the;
      const replica = await world.start({ freshness: { rotation: 'strict' } });
      const owner = await world.remembered(replica);
      await advance(HOUR);
      world.api.faults.push(fault);
      await failureOf(replica.fresh(owner));
      await advance(SECOND);
      expect('startedAt' in (await world.stored()).note).toBe(mayHave);
    },
  );

  it('waits longer after each consecutive failure', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.fault = { status: 500 };
    for (let n = 0; n < 600; n++) {
      await failureOf(replica.fresh(owner));
      await advance(SECOND);
    }
    const asked = world.api.exchanges.length;
    expect(asked).toBeGreaterThan(8);
    expect(asked).toBeLessThan(60);
  });

  it('a dead refresh token is presented again only after 1, 2, 4 ... 60 minutes, by all replicas together', async () => {
    const { world } = the;
    const replicas = [await world.start(), await world.start()];
    const owner = await world.remembered(replicas[0]!);
    await advance(HOUR);
    world.api.reissue('1');
    const begun = performance.now();
    for (let minute = 0; minute < 260; minute++) {
      expect(await failureOf(replicas[minute % 2]!.fresh(owner))).toMatchObject(INVALID);
      await advance(MINUTE);
    }
    const asked = world.api.exchanges.map(({ at }) => Math.round((at - begun) / MINUTE));
    for (const [n, minute] of [0, 1, 3, 7, 15, 31, 63, 123, 183].entries()) {
      expect(asked[n]! - minute).toBeGreaterThanOrEqual(0);
      expect(asked[n]! - minute).toBeLessThanOrEqual(n);
    }
  });

  it('a dead refresh token is dead until it is replaced', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    const good = world.api.reissue('1');
    expect(await failureOf(replica.fresh(owner))).toMatchObject(INVALID);
    expect(await failureOf(replica.fresh(owner))).toMatchObject(INVALID);
    expect(world.api.exchanges).toHaveLength(1);
    await valueOf(replica.remember(good));
    await advance(HOUR);
    await valueOf(replica.fresh(owner));
    expect(world.api.exchanges).toHaveLength(2);
  });

  it('a transaction that is gone at Berbix is gone, however long its tokens are still valid', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    world.api.purge('1');
    await advance(59 * MINUTE + 30 * SECOND);
    for (let n = 0; n < 2; n++) {
      expect(await failureOf(replica.fresh(owner))).toMatchObject({ code: 'BERBIX_GONE' });
    }
    expect(world.api.exchanges).toHaveLength(1);
  });

  it('a refused API secret kills no refresh token, and no transaction waits long once it is corrected', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.fault = { status: 401, body: { readable: 'invalid_api_secret', message: 'no' } };
    for (let n = 0; n < 60; n++) {
      const error = await failureOf(replica.fresh(owner));
      expect(error).toMatchObject({ code: expect.stringMatching(/AUTHENTICATION|UNAVAILABLE/) });
      await advance(SECOND);
    }
    expect((await world.stored()).note).not.toHaveProperty('dead');
    world.api.fault = undefined;
    await advance(5 * SECOND);
    await valueOf(replica.fresh(owner));
  });

  it('a failed exchange releases its lease', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.faults.push('refused');
    await failureOf(replica.fresh(owner));
    await advance(2 * SECOND);
    expect((await outcomeOf(other.fresh(owner))).afterMs).toBeLessThan(SECOND);
  });

  describe('an access token that the API refuses', () => {
    it('is replaced once: other callers who report it get the new one', async () => {
      const { world } = the;
      const replicas = [await world.start(), await world.start()];
      const owner = await world.remembered(replicas[0]!);
      const [first, same] = await valueOf(Promise.all(replicas.map((one) => one.fresh(owner))));
      expect(same!.accessToken).toBe(first!.accessToken);
      const refused = first!.accessToken;
      const calls = replicas.flatMap((one) => [1, 2].map(() => one.fresh(owner, { refused })));
      const all = await valueOf(Promise.all(calls));
      for (const { accessToken } of all) expect(accessToken).not.toBe(refused);
      expect(world.api.exchanges).toHaveLength(1);
    });

    it('is not replaced within ten seconds of its exchange, but is after that', async () => {
      const { world } = the;
      const [replica, other] = [await world.start(), await world.start()];
      const owner = await world.remembered(replica);
      const { accessToken } = await valueOf(replica.fresh(owner));
      const next = await valueOf(replica.fresh(owner, { refused: accessToken }));
      await advance(9 * SECOND);
      for (const one of [replica, other]) {
        const error = await failureOf(one.fresh(owner, { refused: next.accessToken }));
        expect(error).toMatchObject({ code: 'BERBIX_INVALID_ACCESS_TOKEN', retryable: true });
      }
      await advance(2 * SECOND);
      await valueOf(other.fresh(owner, { refused: next.accessToken }));
      expect(world.api.exchanges).toHaveLength(2);
    });

    it('is not served again, not even as stale-if-error', async () => {
      const { world } = the;
      const replica = await world.start();
      const owner = await world.remembered(replica);
      const { accessToken } = await valueOf(replica.fresh(owner));
      world.api.fault = { status: 503 };
      for (let n = 0; n < 2; n++) await failureOf(replica.fresh(owner, { refused: accessToken }));
      await settle();
      expect(world.api.exchanges).toHaveLength(1);
    });

    it('is replaced even while a call that does not report it is in flight', async () => {
      const { world } = the;
      const [replica] = [await world.start()];
      const owner = await world.remembered(replica);
      const { accessToken } = await valueOf((await world.start()).fresh(owner));
      const calls = [replica.fresh(owner), replica.fresh(owner, { refused: accessToken })];
      const [plain, forced] = await valueOf(Promise.all(calls));
      expect(plain!.accessToken).toBe(accessToken);
      expect(forced!.accessToken).not.toBe(accessToken);
    });
  });

  describe('callers who share a failed run each get what satisfies them', () => {
    it('one reports the access token as refused, and one does not', async () => {
      const { world } = the;
      const [replica, other] = [await world.start(), await world.start()];
      const owner = await world.remembered(replica);
      const { accessToken: refused } = await valueOf(other.fresh(owner));
      const next = await valueOf(other.fresh(owner, { refused }));
      const { accessToken } = next;
      const reporting = outcomeOf(replica.fresh(owner, { refused: accessToken }));
      const plain = outcomeOf(replica.fresh(owner));
      expect((await reporting).error).toMatchObject({ code: 'BERBIX_INVALID_ACCESS_TOKEN' });
      expect((await plain).value?.accessToken).toBe(accessToken);
    });

    it('the API is down, and only one can use the stale tokens', async () => {
      const { world } = the;
      const [replica, other] = [await world.start(), await world.start()];
      const owner = await world.remembered(replica);
      const { accessToken } = await valueOf(other.fresh(owner));
      await advance(59 * MINUTE + 20 * SECOND);
      world.watch.isTroubled = true;
      world.api.fault = { status: 503 };
      const reporting = outcomeOf(replica.fresh(owner, { refused: accessToken }));
      const plain = outcomeOf(replica.fresh(owner));
      expect((await reporting).error).toMatchObject({ code: 'BERBIX_SERVER' });
      expect((await plain).value?.accessToken).toBe(accessToken);
      expect(world.api.exchanges).toHaveLength(1);
    });
  });
});
