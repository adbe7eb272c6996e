import { describe, expect, it } from '@jest/globals';
import { inRecord } from './support/watch.js';
import { eachWorld, type Replica, type World } from './support/world.js';
import { advance, failureOf, outcomeOf, settle, valueOf } from './support/virtual-time.js';

const SECOND = 1_000;
const GONE = { code: 'BERBIX_GONE' };
const ADA = { customerUid: 'ada' };
const ONE = { transactionId: '1' };

/** Pauses a replica at its n-th await of the store, so that the others can act meanwhile. */
async function pausedAt(
  world: World,
  replica: Replica,
  point: number,
  call: () => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  let goOn = (): void => {};
  let awaits = 0;
  world.storeGate = (_, from) =>
    from === replica && ++awaits === point
      ? new Promise<void>((resolve) => (goOn = resolve))
      : Promise.resolve();
  const calling = call();
  await settle();
  await meanwhile();
  goOn();
  await valueOf(calling);
  world.storeGate = () => Promise.resolve();
}

describe('forgetting tokens while other calls are in flight', () => {
  const the = eachWorld();

  it.each([
    ['the tokens', 0],
    ['the customer', 1],
  ])('a delayed removal of %s removes nothing that was saved since', async (_, others) => {
    const { world } = the;
    const replica = await world.start();
    await world.remembered(replica, '1', 'ada');
    for (let n = 0; n < others; n++) world.storeFaults.push({ call: 'forget', fault: {} });
    world.storeFaults.push({ call: 'forget', fault: { thereMs: 4 * SECOND } });
    expect(await failureOf(replica.forget(ADA))).toMatchObject({ code: 'BERBIX_STORE' });
    const next = world.api.reissue('1');
    await valueOf(replica.remember(next, 'ada'));
    await advance(5 * SECOND);
    const other = await world.start();
    for (const owner of [ADA, ONE]) {
      expect((await valueOf(other.fresh(owner))).refreshToken).toBe(next.refreshToken);
    }
  });

  it('a lease that is acquired meanwhile does not keep the tokens', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(replica);
    const { accessToken } = await valueOf(other.fresh(owner));
    await advance(20 * SECOND);
    world.api.fault = 'hang-before';
    for (let point = 1; point <= 4; point++) {
      await pausedAt(
        world,
        replica,
        point,
        () => replica.forget(owner),
        async () => {
          void other.fresh(owner, { refused: accessToken }).catch(() => {});
          await settle();
        },
      );
      expect((await world.stored()).value).toBeUndefined();
      await valueOf(replica.remember(world.api.tokensOf('1')));
    }
  });

  it('I8: tokens that are forgotten during a slow recheck are not handed out', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(31 * SECOND);
    let answer = (): void => {};
    world.storeGate = () => new Promise((resolve) => (answer = resolve));
    const fresh = replica.fresh(owner);
    await settle();
    world.storeGate = () => Promise.resolve();
    await valueOf(replica.forget(owner));
    await advance(SECOND);
    answer();
    expect(await failureOf(fresh)).toMatchObject(GONE);
  });

  it('a transaction that the customer gets meanwhile stays, and nothing else', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    // From the first answer on: before it, the replica knows nothing about the customer.
    for (let point = 2; point < 14; point++) {
      await valueOf(replica.remember(world.api.create('1'), 'ada'));
      await valueOf(replica.remember(world.api.create('2').refreshToken, 'ada'));
      await pausedAt(
        world,
        replica,
        point,
        () => replica.forget(ADA),
        () => other.remember(world.api.create('3'), 'ada'),
      );
      expect(await valueOf(replica.fresh(ADA))).toMatchObject({ transactionId: '3' });
      expect(await failureOf(replica.fresh(ONE))).toMatchObject(GONE);
      const { keys } = await world.memory.keys('');
      expect(keys.toSorted()).toEqual(['default/customer/ada', 'default/transaction/3']);
      const { value } = (await world.memory.load('default/customer/ada')) ?? {};
      expect(inRecord(value)).toMatchObject({ see: 'transaction/3', earlier: [] });
      await valueOf(replica.forget(ADA));
      expect((await world.memory.keys('')).keys).toEqual([]);
    }
  });

  it('tokens that are remembered again meanwhile are found by every name or by none', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const outcomes = new Set<string>();
    for (let point = 1; point < 14; point++) {
      await valueOf(replica.remember(world.api.create('1'), 'ada'));
      await pausedAt(
        world,
        replica,
        point,
        () => replica.forget(ADA),
        () => other.remember(world.api.reissue('1'), 'ada'),
      );
      const found = [await outcomeOf(replica.fresh(ADA)), await outcomeOf(replica.fresh(ONE))];
      const { keys } = await world.memory.keys('');
      const isThere = found.map(({ value }) => value !== undefined);
      expect(isThere).toEqual(keys.length > 0 ? [true, true] : [false, false]);
      outcomes.add(isThere.join());
      await valueOf(replica.forget(ADA));
    }
    expect(outcomes.size).toBe(2);
  });

  it('a refresh token that is exchanged for the first time leaves nothing behind', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    world.watch.isTroubled = true;
    for (let point = 1; point < 24; point++) {
      await valueOf(other.remember(world.api.create(`${point}`).refreshToken, 'ada'));
      await pausedAt(
        world,
        replica,
        point,
        () => outcomeOf(replica.fresh(ADA)),
        async () => {
          await advance(SECOND);
          await other.forget(ADA);
        },
      );
      await valueOf(other.forget(ADA));
      expect((await world.memory.keys('')).keys).toEqual([]);
      await advance(40 * SECOND);
    }
  });

  it('the cleanup after one remember() keeps what a later one has saved', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    const created = world.api.create('1');
    for (let point = 1; point < 20; point++) {
      // The customer is forgotten meanwhile, so remember() saves tokens that no reference leads to.
      await pausedAt(
        world,
        replica,
        point,
        () => replica.remember(created, 'ada'),
        async () => {
          await other.forget(ADA);
          await other.remember(created, 'ada');
        },
      );
      for (const owner of [ADA, ONE]) {
        expect((await valueOf(other.fresh(owner))).refreshToken).toBe(created.refreshToken);
      }
      await valueOf(other.forget(ADA));
      expect((await world.memory.keys('')).keys).toEqual([]);
    }
  });

  it('I8: a customer is forgotten with all tokens that arrive meanwhile, or has them', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    /** Whose call waits at which of its awaits of the store, until it may go on. */
    let held: { from: Replica; awaits: number; goOn?: () => void }[] = [];
    world.storeGate = (_, from) => {
      const hold = held.find((one) => one.from === from);
      if (hold === undefined || --hold.awaits !== 0) return Promise.resolve();
      return new Promise((resolve) => (hold.goOn = resolve));
    };
    for (let saved = 1; saved <= 14; saved++) {
      for (let removed = 1; removed <= 14; removed++) {
        const [saving, removing] = [
          { from: replica, awaits: saved },
          { from: other, awaits: removed },
        ] as typeof held;
        held = [saving!, removing!];
        const calls = [replica.remember(world.api.create('1'), 'ada')];
        await settle();
        calls.push(other.forget(ADA));
        await settle();
        saving!.goOn?.();
        await settle();
        removing!.goOn?.();
        await valueOf(Promise.all(calls));
        held = [];
        const isThere = (await outcomeOf(other.fresh(ADA))).value !== undefined;
        if (isThere) await valueOf(other.forget(ADA));
        expect([saved, removed, (await world.memory.keys('')).keys]).toEqual([saved, removed, []]);
      }
    }
  });
});
