import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixRotatedTokens } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { eachWorld, type Replica, type World } from './support/world.js';
import { advance, failureOf, outcomeOf, settle, valueOf } from './support/virtual-time.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const STRICT = { freshness: { rotation: 'strict' } } as const;

describe('a call that has ended', () => {
  const the = eachWorld();
  const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];

  /** What happens before the call. */
  type Prepare = (world: World, replica: Replica, other: Replica) => Promise<unknown>;
  type Call = (replica: Replica, world: World) => Promise<unknown>;
  const strict = (world: World): void => void (world.api.habit = 'strict');
  const known: Prepare = (world, replica) => world.remembered(replica, '1', 'ada');
  const bareToken: Prepare = (world, replica) =>
    replica.remember(world.api.create('1').refreshToken, 'ada');
  const fresh: Call = (replica) => replica.fresh(ADA);

  const onRotation = (): void => {};
  it.each<[string, Prepare, Call, object?]>([
    ['fresh()', known, fresh],
    ['fresh() of a bare refresh token', bareToken, fresh],
    [
      'fresh() of one that is replaced, with onRotation',
      (...at) => (strict(the.world), bareToken(...at)),
      fresh,
      { onRotation },
    ],
    [
      'fresh() of one with a record of its own',
      async (world, replica) => {
        strict(world);
        await replica.remember(world.api.create('1'));
        await replica.remember(world.api.currentOf('1'), 'ada');
      },
      (replica) => replica.fresh(ONE),
    ],
    [
      'fresh() of a second bare refresh token',
      async (world, replica, other) => {
        await bareToken(world, replica, other);
        await valueOf(replica.fresh(ADA));
        await replica.remember(world.api.reissue('1').refreshToken, 'bob');
      },
      (replica) => replica.fresh({ customerUid: 'bob' }),
    ],
    [
      'fresh() whose record is lost',
      async (world, ...replicas) => {
        await known(world, ...replicas);
        world.api.gate = (what) => (what === 'back' ? world.failOver() : Promise.resolve());
      },
      fresh,
    ],
    [
      'fresh() that fails',
      async (world, ...replicas) => {
        await known(world, ...replicas);
        world.api.fault = { status: 503 };
      },
      fresh,
    ],
    [
      'fresh() that presents a spare',
      async (world, replica) => {
        await world.remembered(replica, '1', 'ada');
        const refreshToken = 'canary-unknown';
        await replica.remember(new BerbixTokens({ refreshToken, transactionId: '1' }));
      },
      fresh,
    ],
    [
      'fresh() of a dead refresh token',
      async (world, ...replicas) => {
        await known(world, ...replicas);
        world.api.reissue('1');
      },
      fresh,
    ],
    ['remember()', async () => {}, (replica, world) => world.remembered(replica, '1', 'ada')],
    [
      'remember() of what is stored',
      known,
      (replica, world) => replica.remember(world.api.tokensOf('1'), 'ada'),
    ],
    [
      'remember() that fails',
      async (world, replica) => {
        await world.remembered(replica, '1', 'ada');
        world.storeFaults.push({ call: 'commit', fault: 'fail' });
      },
      (replica, world) => replica.remember(world.api.tokensOf('1'), 'ada'),
    ],
    ['forget() of a transaction', known, (replica) => replica.forget(ONE)],
    ['forget() of a customer', known, (replica) => replica.forget(ADA)],
  ])('has made all its steps in the store: %s', async (_what, prepare, call, ...[options]) => {
    const { world } = the;
    const [replica, other] = [await world.start(options), await world.start()];
    await prepare(world, replica, other);
    await advance(HOUR);
    const steps: string[] = [];
    world.storeFault = { fault: { thereMs: 10 } };
    world.storeGate = async (step) => void steps.push(step);
    let made = 0;
    await outcomeOf(call(replica, world).finally(() => (made = steps.length)));
    expect(made).toBeGreaterThan(0);
    await advance(SECOND);
    expect(steps.slice(made)).toEqual([]);
  });
});

describe('fresh() when something happens at a bad moment', () => {
  const the = eachWorld();

  it('I4: notifies the application of a new refresh token that comes during the shutdown', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const notified: BerbixRotatedTokens[] = [];
    const replica = await world.start({
      ...STRICT,
      onRotation: (rotated) => void notified.push(rotated),
    });
    world.api.latencyMs = 7 * SECOND;
    const call = outcomeOf(replica.refresh(world.api.create('1').refreshToken));
    await settle();
    await valueOf(replica.stop());
    await call;
    await advance(MINUTE);
    const { refreshToken } = notified[0]?.tokens ?? {};
    expect(refreshToken).toBe(world.api.currentOf('1'));
  });

  it('I4: notifies the application of a new refresh token whose answer comes after the run has timed out', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const notified: BerbixRotatedTokens[] = [];
    const replica = await world.start({
      ...STRICT,
      http: { connections: 1 },
      onRotation: (rotated) => void notified.push(rotated),
    });
    world.api.latencyMs = 9 * SECOND;
    const [one, two] = ['1', '2'].map((id) => world.api.create(id).refreshToken);
    void outcomeOf(replica.refresh(one as string));
    await settle();
    await outcomeOf(replica.refresh(two as string));
    await advance(MINUTE);
    const refreshTokens = notified.map(({ tokens }) => tokens.refreshToken);
    expect(refreshTokens).toContain(world.api.currentOf('2'));
  });

  it.each([true, false])(
    'does not store the tokens of loadTokens as those of another transaction, if a replica died in remember() (the customer had them before: %s)',
    async (wasStored) => {
      const { world } = the;
      const [first, second] = [world.api.create('1'), world.api.create('2')];
      const options = { loadTokens: async () => first };
      const [replica, other] = [await world.start(options), await world.start(options)];
      if (wasStored) await valueOf(replica.remember(first, 'ada'));
      world.storeGate = async (what, from) => {
        if (from === replica && what === 'commit back') replica.kill();
      };
      replica.remember(second, 'ada').catch(() => {});
      await advance(SECOND);
      expect((await valueOf(other.fresh({ customerUid: 'ada' }))).transactionId).toBe('1');
      const { value } = await outcomeOf(firstValueFrom(other.tokens.fresh({ transactionId: '2' })));
      expect(value?.transactionId).not.toBe('1');
    },
  );

  it('has tokens for a customer after several replicas have died in remember()', async () => {
    const { world } = the;
    await world.remembered(await world.start(), '1', 'ada');
    for (const id of ['2', '3']) {
      const replica = await world.start();
      world.storeGate = async (what) => (what === 'commit back' ? replica.kill() : undefined);
      replica.remember(world.api.create(id), 'ada').catch(() => {});
      await advance(SECOND);
    }
    world.storeGate = () => Promise.resolve();
    const { transactionId } = await valueOf((await world.start()).fresh({ customerUid: 'ada' }));
    expect(transactionId).toBe('1');
  });

  it('has tokens for a customer while remember() gives them another transaction', async () => {
    const { world } = the;
    const [replica, other] = [await world.start(), await world.start()];
    await world.remembered(replica, '1', 'ada');
    world.storeFault = { calls: ['commit'], from: replica, fault: { backMs: 100 } };
    const remembered = outcomeOf(replica.remember(world.api.create('2'), 'ada'));
    await advance(50);
    const { error } = await outcomeOf(other.fresh({ customerUid: 'ada' }));
    await remembered;
    expect(error).toBeUndefined();
  });

  it('I8: hands out no tokens that were forgotten during the wait', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await advance(59 * MINUTE + 10 * SECOND);
    world.api.fault = 'hang-before';
    const call = outcomeOf(replica.fresh(owner));
    await advance(SECOND);
    await valueOf(replica.forget(owner));
    expect((await call).value).toBeUndefined();
  });

  it('I8: does not keep forgotten tokens because loadTokens fails for others', async () => {
    const { world } = the;
    const replica = await world.start({ loadTokens: () => Promise.reject(new Error('down')) });
    const other = await world.start();
    const owner = await world.remembered(replica);
    await valueOf(replica.fresh(owner));
    await valueOf(other.forget(owner));
    let found: unknown;
    for (let n = 0; n < 30; n++) {
      await advance(4 * SECOND);
      await failureOf(replica.fresh({ customerUid: 'nobody' }));
      found = (await outcomeOf(replica.fresh(owner))).value;
    }
    expect(found).toBeUndefined();
  });

  it('does not serve a refused token after a recheck of the store', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    const { accessToken: refused } = await valueOf(replica.fresh(owner));
    await advance(20 * SECOND);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    await valueOf(replica.fresh(owner, { refused }));
    world.storeFault = undefined;
    await advance(31 * SECOND);
    const { accessToken } = await valueOf(replica.fresh(owner, { refused }));
    expect(accessToken).not.toBe(refused);
  });

  it('I1: counts the lifetime from the exchange, if that began before the lease', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.gate = async (what) => {
      if (what === 'back') await new Promise((resolve) => setTimeout(resolve, 13 * SECOND));
    };
    void outcomeOf(replica.refresh(world.api.currentOf('1')));
    await advance(12 * SECOND);
    const { accessToken } = await valueOf(replica.fresh(owner));
    world.api.gate = () => Promise.resolve();
    world.api.fault = { status: 500 };
    await advance(world.api.leftOf(accessToken) + 2 * SECOND);
    expect((await outcomeOf(replica.fresh(owner))).value).toBeUndefined();
  });

  it('I4: keeps a new refresh token, if the store loses the record before onRotation is called', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({ ...STRICT, onRotation: () => {} });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    let isLost = false;
    world.storeGate = async (what) => {
      if (what !== 'commit back' || isLost) return;
      isLost = true;
      await world.failOver();
    };
    await outcomeOf(replica.fresh(owner));
    expect((await world.stored()).tokens.refreshToken).toBe(world.api.currentOf('1'));
  });

  it('does not wait for the lease of a remember() that failed', async () => {
    const { world } = the;
    const replica = await world.start();
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    await failureOf(replica.remember(world.api.tokensOf('1')));
    world.storeFault = undefined;
    expect((await outcomeOf(replica.fresh(owner))).error).toBeUndefined();
  });

  it.each([
    ['fails', 0],
    ['is cut off by the end of its process', 14 * SECOND],
  ])('I3: an exchange in doubt stays in doubt if remember() %s', async (what, leasedForMs) => {
    const { world } = the;
    const [killed, other] = [await world.start(), await world.start()];
    const owner = await world.remembered(killed);
    await advance(HOUR);
    world.api.latencyMs = 5 * SECOND;
    killed.fresh(owner).catch(() => {});
    await advance(SECOND);
    killed.kill();
    await advance(30 * SECOND);
    const { startedAt } = (await world.stored()).note;
    if (what === 'fails') world.storeFault = { calls: ['commit'], fault: 'fail' };
    else world.storeGate = async (step) => (step === 'commit there' ? other.kill() : undefined);
    other.remember(world.api.tokensOf('1')).catch(() => {});
    await advance(SECOND);
    const stored = await world.stored();
    expect(stored.note).toMatchObject({ startedAt, isUnreported: true });
    expect([typeof startedAt, stored.version, stored.leasedForMs]).toEqual([
      'number',
      1,
      leasedForMs,
    ]);
  });

  it('names onRotation in the error even if the store cannot note its failure', async () => {
    const { world } = the;
    world.api.habit = 'strict';
    const replica = await world.start({
      ...STRICT,
      onRotation: () => Promise.reject(new Error('no')),
    });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.storeFault = { calls: ['release'], fault: 'fail' };
    expect(String(await failureOf(replica.fresh(owner)))).toContain('onRotation');
  });

  it('is not in doubt about a request that was refused with 429 before a shutdown', async () => {
    const { world } = the;
    const replica = await world.start({ ...STRICT, retry: 3 });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.fault = { status: 429, headers: { 'retry-after': '12' } };
    const call = outcomeOf(replica.fresh(owner));
    await settle();
    await advance(SECOND);
    await valueOf(replica.stop());
    await call;
    await advance(SECOND);
    expect((await world.stored()).note).not.toHaveProperty('startedAt');
  });

  it('hands out no tokens of a transaction that is gone, however slow the store is', async () => {
    const { world } = the;
    const replica = await world.start({ storeTimeoutMs: 15 * SECOND });
    const owner = await world.remembered(replica);
    await advance(59 * MINUTE + 10 * SECOND);
    world.api.purge('1');
    world.storeFault = { calls: ['release'], fault: { thereMs: 15 * SECOND } };
    expect((await outcomeOf(replica.fresh(owner))).value).toBeUndefined();
  });

  it('continues the count of failures of a dead token after an attempt that was not sent', async () => {
    const { world } = the;
    let isBroken = false;
    const replica = await world.start({
      apiSecret: () => {
        if (isBroken) throw new Error('vault');
        return 'canary-secret';
      },
    });
    const owner = await world.remembered(replica);
    await advance(HOUR);
    world.api.reissue('1');
    for (const minutes of [1, 2, 4, 8, 16, 32]) {
      await failureOf(replica.fresh(owner));
      await advance(minutes * MINUTE + SECOND);
    }
    isBroken = true;
    await failureOf(replica.fresh(owner));
    await advance(SECOND);
    isBroken = false;
    await failureOf(replica.fresh(owner));
    expect((await world.stored()).note['failures']).toBeGreaterThan(6);
  });
});
