import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixModuleOptions, type BerbixRotatedTokens } from 'nestjs-berbix';
import type { Habit } from './support/fake-api.js';
import { advance, failureOf, outcomeOf, valueOf } from './support/virtual-time.js';
import { inRecord } from './support/watch.js';
import { eachWorld } from './support/world.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const GRACE = { graceMs: 5 * MINUTE };
const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];

type Freshness = NonNullable<BerbixModuleOptions['freshness']>;

describe('a transaction with two names, neither of which leads to the other', () => {
  const the = eachWorld();

  /** The application's table has a bare refresh token; the second replica is a moment later. */
  async function exchanging(habit: Habit, freshness: Freshness) {
    const { world } = the;
    world.api.habit = habit;
    let table = world.api.create('1').refreshToken;
    const options = {
      freshness,
      loadTokens: () => Promise.resolve(table),
      onRotation: ({ tokens }: BerbixRotatedTokens) => void (table = tokens.refreshToken),
    };
    const [first, second] = [await world.start(options), await world.start(options)];
    const byCustomer = first.fresh(ADA);
    await advance(20);
    const byTransaction = second.fresh(ONE);
    for (const call of [byCustomer, byTransaction]) call.catch(() => {});
    return { world, replicas: [first, second], byCustomer, byTransaction };
  }

  async function storedAt(prefix: string): Promise<object> {
    const { memory } = the.world;
    const [key = ''] = (await memory.keys(`default/${prefix}`)).keys;
    return inRecord((await memory.load(key))?.value);
  }

  /** The names of the records that have tokens. */
  async function storedTokens(): Promise<string[]> {
    const { memory } = the.world;
    const { keys } = await memory.keys('');
    const records = await Promise.all(keys.map((key) => memory.load(key)));
    return keys.filter((_, index) => 'refreshToken' in inRecord(records[index]?.value));
  }

  it.each<[string, Habit, Freshness['rotation']]>([
    ['omits it', 'omit', 'none'],
    ['replaces it with a grace', GRACE, GRACE],
    ['replaces it immediately', 'strict', 'strict'],
  ])(
    'I12: two replicas that exchange the refresh token get the same one, with an API that %s',
    async (_, habit, rotation) => {
      const { world, replicas, ...calls } = await exchanging(habit, { rotation });
      for (const call of [calls.byCustomer, calls.byTransaction]) {
        const { value, afterMs } = await outcomeOf(call);
        expect(value?.refreshToken).toBe(world.api.currentOf('1'));
        expect(afterMs).toBeLessThan(SECOND);
      }
      const count = world.storeCalls.length;
      await advance(MINUTE);
      expect(world.storeCalls).toHaveLength(count);
      await advance(HOUR);
      for (const replica of replicas) {
        for (const owner of [ONE, ADA]) {
          const { refreshToken } = await valueOf(replica.fresh(owner));
          expect(refreshToken).toBe(world.api.currentOf('1'));
        }
      }
      expect(world.api.exchanges).toHaveLength(3);
      expect(world.logged).toEqual([]);
    },
  );

  it('I4: if the API gives each replica another refresh token, the later one becomes a spare', async () => {
    const refreshToken = 'canary-refresh-later';
    const body = { access_token: 'at', refresh_token: refreshToken, transaction_id: 1 };
    the.world.api.faults.push(undefined, { status: 200, body: { ...body, expires_in: 3600 } });
    const { world, byCustomer, byTransaction } = await exchanging(GRACE, { rotation: GRACE });
    expect(await failureOf(byTransaction)).toMatchObject({
      code: 'BERBIX_STORE',
      tokens: { refreshToken },
    });
    await valueOf(byCustomer);
    expect(await storedAt('anonymous')).toMatchObject({
      refreshToken: world.api.currentOf('1'),
      spares: [refreshToken],
    });
    expect(await storedAt('transaction')).toHaveProperty('see');
  });

  it('one leads to the other before the application has been notified of a new refresh token', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const slow = { now: true };
    const onRotation = async (): Promise<void> => {
      if (slow.now) await new Promise((resolve) => setTimeout(resolve, 2 * SECOND));
    };
    const options = { freshness: { rotation: 'strict' }, onRotation } as const;
    const [first, second] = [await world.start(options), await world.start(options)];
    await world.remembered(first);
    await advance(HOUR);
    const byTransaction = first.fresh(ONE);
    await advance(SECOND);
    slow.now = false;
    await valueOf(second.remember(world.api.currentOf('1'), 'ada'));
    await valueOf(second.fresh(ADA));
    expect(await storedAt('transaction')).toHaveProperty('see');
    expect((await valueOf(byTransaction)).refreshToken).toBe(world.api.currentOf('1'));
  });

  it('I4: a record stays until the application has been notified of its refresh token', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const notified: string[] = [];
    const down = { now: true };
    const onRotation = ({ tokens }: BerbixRotatedTokens): void => {
      if (down.now) throw new Error('down');
      notified.push(tokens.refreshToken);
    };
    const replica = await world.start({ freshness: { rotation: 'strict' }, onRotation });
    await world.remembered(replica);
    const first = world.api.currentOf('1');
    await advance(HOUR);
    await failureOf(replica.fresh(ONE));
    const pending = { refreshToken: world.api.currentOf('1'), pendingRotation: first };
    down.now = false;
    await valueOf(replica.remember(world.api.reissue('1').refreshToken, 'ada'));
    await valueOf(replica.fresh(ADA));
    expect(await storedAt('transaction')).toMatchObject(pending);
    await advance(MINUTE);
    await valueOf(replica.fresh(ONE));
    expect(notified).toEqual([world.api.currentOf('1'), pending.refreshToken]);
  });

  it('I3: the refresh token of a record that a customer has by reference makes no second record', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    const BOB = { customerUid: 'bob' };
    await valueOf(replica.remember(world.api.create('1'), 'ada'));
    await valueOf(replica.remember(world.api.currentOf('1'), 'bob'));
    await valueOf(replica.fresh(BOB));
    await valueOf(replica.remember(world.api.currentOf('1'), 'ada'));
    await advance(HOUR);
    await valueOf(replica.fresh(BOB));
    const { refreshToken } = await valueOf(replica.fresh(ADA));
    expect(refreshToken).toBe(world.api.currentOf('1'));
    expect((await world.memory.keys('default/anonymous')).keys).toHaveLength(1);
  });

  it.each([
    ['another customer', 'bob'],
    ['the same customer', 'ada'],
  ])(
    'a second bare refresh token of it, remembered for %s, ends in the same record',
    async (_, uid) => {
      const { world } = the;
      const replica = await world.start();
      await valueOf(replica.remember(world.api.create('1').refreshToken, 'ada'));
      await valueOf(replica.fresh(ADA));
      await valueOf(replica.remember(world.api.reissue('1').refreshToken, uid));
      await valueOf(replica.fresh({ customerUid: uid }));
      await valueOf(replica.forget(ONE));
      const other = await world.start();
      expect(await failureOf(other.fresh(ADA))).toMatchObject({ code: 'BERBIX_GONE' });
      expect(await storedTokens()).toEqual([]);
    },
  );

  it('I2: while another refresh token of it is being exchanged, its record stays as it is', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const { refreshToken } = world.api.create('2');
    await valueOf(replica.remember(world.api.create('1').refreshToken, 'ada'));
    await valueOf(replica.remember(new BerbixTokens({ refreshToken, transactionId: '1' })));
    world.api.faults.push('hang-before');
    const exchanged = other.fresh(ONE);
    exchanged.catch(() => {});
    await advance(SECOND);
    await valueOf(replica.fresh(ADA));
    const { version, tokens, leasedForMs } = await world.stored();
    expect([version, tokens.refreshToken]).toEqual([1, refreshToken]);
    expect(leasedForMs).toBeGreaterThan(28 * SECOND);
    expect(await failureOf(exchanged)).toMatchObject({ code: 'BERBIX_TIMEOUT' });
    // The next exchange unites the two.
    await advance(HOUR);
    await valueOf(replica.fresh(ADA));
    expect(await storedAt('transaction')).toHaveProperty('see');
    expect(await storedAt('anonymous')).toMatchObject({ spares: [refreshToken] });
  });

  it('a second bare refresh token of it ends in the same record, even if its own changes meanwhile', async () => {
    const { world } = the;
    const replica = await world.start();
    await valueOf(replica.remember(world.api.create('1').refreshToken, 'ada'));
    await valueOf(replica.fresh(ADA));
    const [first = ''] = (await world.memory.keys('default/anonymous')).keys;
    await valueOf(replica.remember(world.api.reissue('1').refreshToken, 'bob'));
    const second = (await storedTokens()).find((key) => key !== first) ?? '';
    let commits = 0;
    world.storeGate = async (what) => {
      // First the result of the exchange, then its tokens in the first record, then the reference.
      if (what !== 'commit there' || ++commits !== 3) return;
      const { version, value } = (await world.memory.load(second))!;
      await world.memory.commit(second, version, value!);
    };
    await valueOf(replica.fresh({ customerUid: 'bob' }));
    expect(await storedTokens()).toEqual([first]);
  });

  it.each([
    ['', false, true],
    [' and the transaction was forgotten before', true, true],
    [' and nothing else', false, false],
  ])(
    'has both names if its refresh token is remembered alone and then with its id%s',
    async (_, wasForgotten, hasAccessToken) => {
      const { world } = the;
      const [replica, other] = [await world.start(), await world.start()];
      const created = world.api.create('1');
      const { refreshToken } = created;
      if (wasForgotten) {
        await valueOf(replica.remember(created));
        await valueOf(replica.forget(ONE));
      }
      await valueOf(replica.remember(refreshToken, 'ada'));
      const known = new BerbixTokens({ refreshToken, transactionId: '1' });
      await valueOf(replica.remember(hasAccessToken ? created : known, 'ada'));
      expect(await valueOf(other.fresh(ONE))).toHaveProperty('transactionId', '1');
      await valueOf(replica.forget(ONE));
      expect(await storedTokens()).toEqual([]);
    },
  );

  it.each([
    ['its id', ONE],
    ['another customer', { customerUid: 'bob' }],
  ])(
    'I3: a refresh token that was also remembered alone is not presented once %s has got its successor',
    async (_, first) => {
      const { world } = the;
      world.api.habit = 'strict';
      const replica = await world.start({ freshness: { rotation: 'strict' } });
      await valueOf(replica.remember(world.api.create('1'), 'bob'));
      await valueOf(replica.remember(world.api.currentOf('1'), 'ada'));
      await advance(HOUR);
      await valueOf(replica.fresh(first));
      const { refreshToken } = await valueOf(replica.fresh(ADA));
      expect(refreshToken).toBe(world.api.currentOf('1'));
      expect(world.api.exchanges).toHaveLength(1);
      await valueOf(replica.forget(ADA));
      expect((await world.memory.keys('default/anonymous')).keys).toEqual([]);
    },
  );

  it('a bare refresh token that loadTokens() has in place of a dead one ends in the same record', async () => {
    const { world } = the;
    const loadTokens = () => Promise.resolve(world.api.currentOf('1'));
    const replica = await world.start({ loadTokens });
    await valueOf(replica.remember(world.api.create('1'), 'ada'));
    world.api.reissue('1');
    await advance(HOUR);
    await valueOf(replica.fresh(ADA));
    await valueOf(replica.forget(ONE));
    const other = await world.start();
    expect(await failureOf(other.fresh(ADA))).toMatchObject({ code: 'BERBIX_GONE' });
    expect(await storedTokens()).toEqual([]);
  });

  it('I3: customers who share its refresh token share the successors too', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const notified: string[] = [];
    const replica = await world.start({
      freshness: { rotation: 'strict' },
      onRotation: ({ tokens }) => void notified.push(tokens.refreshToken),
    });
    await valueOf(replica.remember(world.api.create('1').refreshToken, 'ada'));
    for (const uid of ['bob', 'eve', 'ada', 'bob']) {
      await valueOf(replica.remember(world.api.currentOf('1'), uid));
      expect(await valueOf(replica.fresh({ customerUid: uid }))).toHaveProperty('transactionId');
      await advance(HOUR);
    }
    for (const uid of ['ada', 'bob', 'eve']) {
      const { refreshToken } = await valueOf(replica.fresh({ customerUid: uid }));
      expect(refreshToken).toBe(world.api.currentOf('1'));
    }
    expect(notified.at(-1)).toBe(world.api.currentOf('1'));
    expect(notified).toHaveLength(world.api.exchanges.length);
  });
});
