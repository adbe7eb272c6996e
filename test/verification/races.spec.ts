import { randomBytes } from 'node:crypto';
import { beforeEach, expect, it } from '@jest/globals';
import { BerbixTokens, type VerificationStartDto } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import { STORES, describeEachOn, type OpenedStore } from '../support/servers.js';
import { startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';
import { allKeys } from '../token-store/support/steps.js';
import {
  creations,
  deletions,
  handOver,
  holdBack,
  replica,
  type Replica,
} from './support/verification.js';

quietNest();

describeEachOn(STORES)('concurrently, on $name', ({ open }) => {
  let opened: OpenedStore;
  let sandbox: BerbixSandbox;
  /** How often the other replica has read from the store. */
  let looks: number;

  beforeEach(async () => {
    opened = await open();
    sandbox = await startSandbox();
    looks = 0;
  });

  /** Two replicas; the calls of one can be held back. */
  async function replicas(http: ReturnType<typeof holdBack>['http']): Promise<[Replica, Replica]> {
    const { store, another } = opened;
    const counted = changed(another, {
      load: (key) => {
        looks++;
        return another.load(key);
      },
    });
    return [await replica(sandbox, { store, http }), await replica(sandbox, { store: counted })];
  }

  const begin = ({ verifications }: Replica): Promise<VerificationStartDto> =>
    firstValueFrom(verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk }));

  /** The names of the records with a value. */
  const records = (): Promise<string[]> => allKeys(opened.store);

  /** Resolves when the other replica waits, or has finished without waiting. */
  async function waitingOrDone(call: Promise<unknown>): Promise<void> {
    let isDone = false;
    const done = (): void => void (isDone = true);
    call.then(done, done);
    await until(() => isDone || looks >= 6);
  }

  it('recognizes its own attempt if the driver of the store repeats every commit', async () => {
    const { store } = opened;
    const twice = changed(store, {
      commit: async (...step) => {
        await store.commit(...step);
        return store.commit(...step);
      },
    });
    const one = await replica(sandbox, { store: twice });
    expect(await begin(one)).toMatchObject({ isResumed: false });
    expect(await begin(one)).toMatchObject({ isResumed: true });
    expect([creations(sandbox), deletions(sandbox)]).toEqual([1, 0]);
  });

  it('reverifies once', async () => {
    const { http, arrived, letGo } = holdBack('post');
    const [one, two] = await replicas(http);
    const first = await begin(two);
    const options = { templateKey: sandbox.templateKeys.sdk };
    looks = 0;
    const calls = [firstValueFrom(one.verifications.reverify('ada', options))];
    await arrived;
    calls.push(firstValueFrom(two.verifications.reverify('ada', options)));
    await waitingOrDone(calls[1] as Promise<unknown>);
    letGo();
    const ids = new Set((await Promise.all(calls)).map(({ transactionId }) => transactionId));
    expect(ids.size).toBe(1);
    expect(ids).not.toContain(first.transactionId);
    expect(creations(sandbox)).toBe(2);
  });

  it('keeps what another call has saved of a transaction that is not used', async () => {
    const { store, another } = opened;
    const two = await replica(sandbox, { store: another });
    let [handedOver, unused]: (string | undefined)[] = [];
    const late = changed(store, {
      commit: async (key, version, value) => {
        const committed = await store.commit(key, version, value);
        if (unused === undefined && key.startsWith('default/transaction/')) {
          unused = key;
          await another.commit(key, 1, value);
          handedOver = await handOver(sandbox, two);
        }
        return committed;
      },
    });
    const one = await replica(sandbox, { store: late });
    expect(await begin(one)).toMatchObject({ isResumed: true, transactionId: handedOver });
    expect(deletions(sandbox)).toBe(1);
    expect(await records()).toContain(unused);
  });

  it.each([
    ['another call begins', (two: Replica) => begin(two)],
    [
      'the customer is erased',
      (two: Replica) => firstValueFrom(two.verifications.erase('ada')).then(() => begin(two)),
    ],
  ])('ends with one transaction if %s while it saves the tokens', async (_, meanwhile) => {
    const { store, another } = opened;
    const two = await replica(sandbox, { store: another });
    let other: VerificationStartDto | undefined;
    const late = changed(store, {
      commit: async (key, ...step) => {
        if (key.startsWith('default/transaction/')) other ??= await meanwhile(two);
        return store.commit(key, ...step);
      },
    });
    const one = await replica(sandbox, { store: late });
    const { transactionId } = await begin(one);
    expect(transactionId).toBe(other?.transactionId);
    expect([creations(sandbox), deletions(sandbox)]).toEqual([2, 1]);
    expect(await records()).toEqual([
      'default/customer/ada',
      `default/transaction/${transactionId}`,
    ]);
  });

  it('saves the tokens even if the store already has a record of the transaction', async () => {
    const { store, another } = opened;
    const two = await replica(sandbox, { store: another });
    let isThere = false;
    const late = changed(store, {
      commit: async (key, ...step) => {
        const [, kind, transactionId] = key.split('/');
        if (kind === 'transaction' && !isThere) {
          isThere = true;
          const tokens = new BerbixTokens({
            refreshToken: 'rt_of_another_database',
            transactionId,
          });
          await firstValueFrom(two.tokens.remember({ tokens }));
        }
        return store.commit(key, ...step);
      },
    });
    const one = await replica(sandbox, { store: late });
    const { transactionId } = await begin(one);
    const { refreshToken } = await firstValueFrom(two.tokens.fresh({ customerUid: 'ada' }));
    expect(refreshToken).not.toBe('rt_of_another_database');
    expect(await begin(two)).toMatchObject({ transactionId, isResumed: true });
  });

  it('keeps the refresh token that another call has got for the new one meanwhile', async () => {
    const { store, another } = opened;
    const rotating = await startSandbox({ refreshToken: 'rotate' });
    const two = await replica(rotating, { store: another });
    let current: string | undefined;
    const late = changed(store, {
      commit: async (key, ...step) => {
        const [, kind, transactionId = ''] = key.split('/');
        if (kind === 'transaction' && current === undefined) {
          current = '';
          const { refreshToken } = await rotating.transactions.find(transactionId);
          const tokens = new BerbixTokens({ refreshToken, transactionId });
          await firstValueFrom(two.tokens.remember({ tokens }));
          ({ refreshToken: current } = await firstValueFrom(two.tokens.fresh({ transactionId })));
        }
        return store.commit(key, ...step);
      },
    });
    const one = await replica(rotating, { store: late });
    const options = { templateKey: rotating.templateKeys.sdk };
    const { transactionId = '' } = await firstValueFrom(one.verifications.begin('ada', options));
    expect((await rotating.transactions.find(transactionId)).refreshToken).toBe(current);
    const { refreshToken } = await firstValueFrom(two.tokens.fresh({ customerUid: 'ada' }));
    expect(refreshToken).toBe(current);
  });

  it('does not begin another one while a call saves the tokens of its own', async () => {
    const { store, another } = opened;
    const counted = changed(another, { load: (key) => (looks++, another.load(key)) });
    const two = await replica(sandbox, { store: counted });
    let other: Promise<VerificationStartDto> | undefined;
    const late = changed(store, {
      commit: async (key, ...step) => {
        if (key.startsWith('default/transaction/')) {
          other = begin(two);
          // The customer, the transaction, and the customer again.
          await until(() => looks >= 3 || creations(sandbox) > 1);
        }
        return store.commit(key, ...step);
      },
    });
    const one = await replica(sandbox, { store: late });
    const { transactionId } = await begin(one);
    expect(await other).toMatchObject({ transactionId, isResumed: true });
    expect(creations(sandbox)).toBe(1);
  });

  it('keeps a transaction that another call has resumed while an earlier one is forgotten', async () => {
    const { store, another } = opened;
    const encryption = { keys: { k1: randomBytes(32) }, current: 'k1' };
    const two = await replica(sandbox, { store: another, encryption });
    const { transactionId: earlier = '' } = await begin(two);
    let [commits, isSaved, mayGoOn] = [0, false, false];
    const late = changed(store, {
      commit: async (key, ...step) => {
        if (key === 'default/customer/ada') isSaved ||= ++commits === 2;
        if (isSaved) await until(() => mayGoOn);
        return store.commit(key, ...step);
      },
    });
    const one = await replica(sandbox, { store: late, encryption, storeTimeoutMs: 60_000 });
    const options = { templateKey: sandbox.templateKeys.sdk };
    const beginning = firstValueFrom(one.verifications.reverify('ada', options));
    await until(() => isSaved);
    const resumed = await begin(two);
    await firstValueFrom(two.tokens.forget({ transactionId: earlier }));
    mayGoOn = true;
    expect((await beginning).transactionId).toBe(resumed.transactionId);
    expect(deletions(sandbox)).toBe(0);
  });

  it('begins nothing until a customer is erased', async () => {
    const { http, arrived, letGo } = holdBack('delete');
    const [one, two] = await replicas(http);
    await begin(one);
    const erasing = firstValueFrom(one.verifications.erase('ada'));
    await arrived;
    const options = { templateKey: sandbox.templateKeys.sdk };
    const beginning = firstValueFrom(two.verifications.reverify('ada', options));
    await waitingOrDone(beginning);
    letGo();
    await erasing;
    const { transactionId } = await beginning;
    expect(await firstValueFrom(one.verifications.history('ada'))).toEqual([transactionId]);
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('in_progress');
    expect([creations(sandbox), deletions(sandbox)]).toEqual([2, 1]);
  });

  it('deletes all transactions of a customer at the same time, within its lease', async () => {
    const { http, letGo, held } = holdBack('delete');
    const [one] = await replicas(http);
    await begin(one);
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(one.verifications.reverify('ada', options));
    const erasing = firstValueFrom(one.verifications.erase('ada'));
    await until(() => held() === 2);
    letGo();
    await erasing;
    expect([await records(), await sandbox.transactions.list()]).toEqual([[], []]);
  });

  it('erases a verification that is just beginning', async () => {
    const { http, arrived, letGo } = holdBack('post');
    const [one, two] = await replicas(http);
    const beginning = begin(one);
    await arrived;
    const erasing = firstValueFrom(two.verifications.erase('ada'));
    await waitingOrDone(erasing);
    letGo();
    await beginning;
    await erasing;
    // It begins another one if the first one was erased before it was handed out.
    const left = (await sandbox.transactions.list()).map(({ id }) => `default/transaction/${id}`);
    expect(left).toHaveLength(creations(sandbox) - 1);
    expect(await records()).toEqual(left.length > 0 ? ['default/customer/ada', ...left] : []);
  });

  it.each([
    ['and deletes the other', false],
    ['even if the other cannot be deleted', true],
  ])('keeps tokens that are remembered during a creation, %s', async (_, isDown) => {
    if (isDown) sandbox.faults.add({ kind: 'status', status: 503, method: 'DELETE' });
    const { http, arrived, letGo } = holdBack('post');
    const [one, two] = await replicas(http);
    const beginning = begin(one);
    await arrived;
    const transactionId = await handOver(sandbox, two);
    letGo();
    expect(await beginning).toMatchObject({ isResumed: true, transactionId });
    expect([creations(sandbox), deletions(sandbox)]).toEqual([2, 1]);
    expect(await records()).toEqual([
      'default/customer/ada',
      `default/transaction/${transactionId}`,
    ]);
  });
});

it.each([
  ['sees no tokens to delete', 1],
  ['sees no tokens to remove', 2],
])('erases a verification whose tokens are saved after erase() %s', async (_, look) => {
  const memory = new InMemoryTokenStore();
  const sandbox = await startSandbox();
  const isOfTransaction = (key: string): boolean => key.startsWith('default/transaction/');
  let [isSaving, mayGoOn, references, looks] = [false, false, 0, 0];
  const late = changed(memory, {
    commit: async (key, ...step) => {
      if (!isOfTransaction(key)) {
        return memory.commit(key, ...step).finally(() => references++);
      }
      isSaving = true;
      await until(() => mayGoOn);
      return memory.commit(key, ...step);
    },
  });
  const one = await replica(sandbox, { store: late, storeTimeoutMs: 60_000 });
  const options = { templateKey: sandbox.templateKeys.sdk };
  const beginning = firstValueFrom(one.verifications.begin('ada', options));
  await until(() => isSaving);
  const slow = changed(memory, {
    load: async (key) => {
      const found = await memory.load(key);
      if (isOfTransaction(key) && ++looks === look) {
        mayGoOn = true;
        await until(() => references === 2 || deletions(sandbox) > 0);
      }
      return found;
    },
  });
  const two = await replica(sandbox, { store: slow, storeTimeoutMs: 60_000 });
  await firstValueFrom(two.verifications.erase('ada'));
  await beginning;
  // It begins another one if the first one was erased before it was handed out.
  const left = (await sandbox.transactions.list()).map(({ id }) => `default/transaction/${id}`);
  expect(left).toHaveLength(creations(sandbox) - 1);
  expect((await allKeys(memory)).filter(isOfTransaction)).toEqual(left);
});

it('the lease on a customer lasts for freshness.leaseMs', async () => {
  const store = new InMemoryTokenStore();
  const leases: number[] = [];
  const noting = changed(store, {
    lease: (key, seen, ttlMs, note) => {
      if (key === 'default/customer/ada') leases.push(ttlMs);
      return store.lease(key, seen, ttlMs, note);
    },
  });
  const sandbox = await startSandbox();
  const options = { store: noting, totalTimeoutMs: 5_000, freshness: { leaseMs: 7_000 } };
  const { verifications } = await replica(sandbox, options);
  await firstValueFrom(verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk }));
  await firstValueFrom(verifications.erase('ada'));
  expect(leases).toEqual([7_000, 7_000]);
});

it('a lease on a customer that is longer than any replica takes does not block', async () => {
  const store = new InMemoryTokenStore();
  // This is how the store shows a lease after its clock was set back.
  await store.lease('default/customer/ada', { version: 0, leaseEpoch: 0 }, 3_600_000, '{}');
  const sandbox = await startSandbox();
  const { verifications } = await replica(sandbox, { store });
  const options = { templateKey: sandbox.templateKeys.sdk };
  const begun = await firstValueFrom(verifications.reverify('ada', options));
  expect(begun.isResumed).toBe(false);
});
