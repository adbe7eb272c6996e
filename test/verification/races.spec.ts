import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  BerbixEvents,
  BerbixTokens,
  type BerbixEvent,
  type VerificationStartDto,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { FakeClock } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { STORES, describeEachOn, type OpenedStore } from '../support/servers.js';
import { createTransaction, installClock, startSandbox } from '../support/services.js';
import { everyViewOf, quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';
import { allKeys } from '../token-store/support/steps.js';
import { creations, deletions, holdBack, replica, type Replica } from './support/verification.js';

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

  /** Remembers a transaction that was created elsewhere; returns its id. */
  async function handOver(services: Replica): Promise<string> {
    const tokens = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens }));
    return tokens.transactionId as string;
  }

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

  it('deletes tokens that are remembered while a customer is erased', async () => {
    const { http, arrived, letGo } = holdBack('delete');
    const [one, two] = await replicas(http);
    await begin(one);
    const erasing = firstValueFrom(one.verifications.erase('ada'));
    await arrived;
    const transactionId = await handOver(two);
    letGo();
    await erasing;
    expect(deletions(sandbox)).toBe(3);
    const error = await errorOf(two.tokens.fresh({ transactionId }));
    expect(error.code).toBe('BERBIX_GONE');
    expect(await records()).toEqual([]);
  });

  it('deletes tokens that are remembered while others are removed', async () => {
    const { store, another } = opened;
    const two = await replica(sandbox, { store: another });
    let handed: string | undefined;
    const late = changed(store, {
      forget: async (key, expected) => {
        if (key === 'default/customer/ada') handed ??= await handOver(two);
        return store.forget(key, expected);
      },
    });
    const one = await replica(sandbox, { store: late });
    await begin(one);
    await firstValueFrom(one.verifications.erase('ada'));
    expect([creations(sandbox), deletions(sandbox)]).toEqual([2, 2]);
    expect(handed).toBeDefined();
    expect(await records()).toEqual([]);
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
          handedOver = await handOver(two);
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

  it('leaves no tokens behind whose reference the erased customer already had', async () => {
    const { store, another } = opened;
    let [hasReference, mayGoOn] = [false, false];
    const slow = changed(another, {
      commit: async (key, ...step) => {
        if (key.startsWith('default/transaction/')) {
          hasReference = true;
          await until(() => mayGoOn);
        }
        return another.commit(key, ...step);
      },
    });
    const two = await replica(sandbox, { store: slow, storeTimeoutMs: 60_000 });
    const handingOver = handOver(two);
    await until(() => hasReference);
    const late = changed(store, {
      forget: async (key, expected) => {
        if (key === 'default/customer/ada') {
          mayGoOn = true;
          await handingOver;
        }
        return store.forget(key, expected);
      },
    });
    const one = await replica(sandbox, { store: late, storeTimeoutMs: 60_000 });
    await firstValueFrom(one.verifications.erase('ada'));
    expect(await records()).toEqual([]);
  });

  it.each([
    ['begins', (one: Replica) => begin(one)],
    ['takes in tokens', (one: Replica) => handOver(one)],
  ])(
    'forget() leaves no tokens of a process that %s, and dies after they arrive',
    async (_, add) => {
      const { store, another } = opened;
      let [hasReference, mayGoOn, isDead] = [false, false, false];
      const dying = changed(another, {
        commit: async (key, ...step) => {
          if (isDead) return new Promise(() => {});
          if (!key.startsWith('default/transaction/')) return another.commit(key, ...step);
          hasReference = true;
          await until(() => mayGoOn);
          await another.commit(key, ...step);
          isDead = true;
          return new Promise(() => {});
        },
      });
      add(await replica(sandbox, { store: dying, storeTimeoutMs: 60_000 })).catch(() => {});
      await until(() => hasReference);
      const one = await replica(sandbox, { store });
      await firstValueFrom(one.tokens.forget({ customerUid: 'ada' }));
      mayGoOn = true;
      await until(() => isDead);
      expect(await records()).toEqual([]);
    },
  );

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
    expect([creations(sandbox), deletions(sandbox)]).toEqual([1, 1]);
    expect(await records()).toEqual([]);
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
    const transactionId = await handOver(two);
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

describe('a store that fails after a transaction was created', () => {
  /** A replica whose store fails at the commits with these numbers, counted from one. */
  async function failingAt(
    numbers: number[],
    clock?: FakeClock,
  ): Promise<[Replica, BerbixSandbox]> {
    const store = new InMemoryTokenStore();
    let commits = 0;
    const failing = changed(store, {
      commit: async (...args) => {
        commits++;
        if (!numbers.includes(commits)) return store.commit(...args);
        // Longer than totalTimeoutMs, and shorter than the lease of a customer.
        clock?.advance(20_000);
        throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
      },
    });
    const sandbox = await startSandbox();
    return [await replica(sandbox, { store: failing }), sandbox];
  }

  it.each([[[1]], [[2]], [[3]], [[1, 3, 4]]])('is called again: commits %j', async (numbers) => {
    const [{ verifications }, sandbox] = await failingAt(numbers);
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = await firstValueFrom(verifications.begin('ada', options));
    const resumed = await firstValueFrom(verifications.begin('ada', options));
    expect(resumed).toMatchObject({ isResumed: true, transactionId: begun.transactionId });
    expect(creations(sandbox)).toBe(1);
  });

  it.each([1, 2, 3])('does not block others if it keeps failing, at commit %i', async (number) => {
    const [{ module, verifications, tokens }, sandbox] = await failingAt([number], installClock());
    const options = { templateKey: sandbox.templateKeys.sdk };
    const events: string[] = [];
    module.get(BerbixEvents).events$.subscribe(({ kind }) => events.push(kind));
    const error = await errorOf(verifications.begin('ada', options));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    const saved = error.tokens as NonNullable<typeof error.tokens>;
    expect(await everyViewOf(error)).not.toContain(saved.refreshToken);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: saved as never }));
    const resumed = await firstValueFrom(verifications.begin('ada', options));
    expect(resumed).toMatchObject({ isResumed: true, transactionId: saved.transactionId });

    const again = await firstValueFrom(verifications.reverify('ada', options));
    expect(again.isResumed).toBe(false);
    expect(creations(sandbox)).toBe(2);
    // The third commit only makes sure of what the others have saved.
    expect(events.includes('token.unsaved')).toBe(number < 3);
  });

  it('is told of in the log and by an event, since the caller may have left', async () => {
    const clock = installClock();
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const memory = new InMemoryTokenStore();
    let hasLeft = false;
    const store = changed(memory, {
      commit: async () => {
        await until(() => hasLeft);
        clock.advance(20_000);
        throw new Error('down');
      },
    });
    const sandbox = await startSandbox();
    const { module, verifications } = await replica(sandbox, { store });
    const events: BerbixEvent[] = [];
    module.get(BerbixEvents).events$.subscribe((event) => events.push(event));
    const begin = { templateKey: sandbox.templateKeys.sdk };
    const error = await errorOf(verifications.begin('ada', begin, { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', tokens: undefined });
    hasLeft = true;
    await until(() => events.some(({ kind }) => kind === 'token.unsaved'));
    const transactionId = (await sandbox.transactions.list())[0]?.id;
    const unsaved = events.find(({ kind }) => kind === 'token.unsaved');
    expect(unsaved).toMatchObject({ customerUid: 'ada', transactionId });
    expect(logged.mock.calls.join()).toContain(
      `new transaction ${transactionId} could not be saved`,
    );
  });
});

describe('a process that dies after it has created a transaction', () => {
  /** Begins in a process that dies right before this commit, the first or a later one. */
  async function diesAt(
    commit: string,
    sandbox: BerbixSandbox,
    store: InMemoryTokenStore,
    nth = 1,
  ): Promise<void> {
    let [isDead, count] = [false, 0];
    const dying = changed(store, {
      commit: (key, ...step) => {
        if (key.startsWith(commit)) isDead ||= ++count === nth;
        return isDead ? new Promise(() => {}) : store.commit(key, ...step);
      },
    });
    const { verifications } = await replica(sandbox, { store: dying });
    void errorOf(verifications.reverify('ada', { templateKey: sandbox.templateKeys.sdk }));
    await until(() => isDead);
  }

  it.each([
    ['before the reference', 'default/customer/'],
    ['before the tokens', 'default/transaction/'],
  ])('leaves nothing that erase() does not find: %s', async (_, commit) => {
    const store = new InMemoryTokenStore();
    const sandbox = await startSandbox();
    await diesAt(commit, sandbox, store);
    const options = { store, totalTimeoutMs: 1_000, freshness: { leaseMs: 1_500 } };
    const { verifications } = await replica(sandbox, { ...options, timeoutMs: 1_000 });
    await firstValueFrom(verifications.erase('ada'));
    expect(await allKeys(store)).toEqual([]);
  });

  it.each([
    ['the one before it is forgotten', 'before'],
    ['it begins after the one before it is forgotten', 'after'],
  ])('brings back no earlier attempt if %s', async (_, when) => {
    const clock = installClock();
    const store = new InMemoryTokenStore();
    const sandbox = await startSandbox();
    const { verifications, tokens } = await replica(sandbox, { store });
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(verifications.begin('ada', options));
    const { transactionId = '' } = await firstValueFrom(verifications.reverify('ada', options));
    const steps = [
      () => diesAt('default/transaction/', sandbox, store),
      () => firstValueFrom(tokens.forget({ transactionId })),
    ];
    for (const step of when === 'before' ? steps : steps.toReversed()) await step();
    for (let day = 0; day < 2; day++) {
      const error = await errorOf(tokens.fresh({ customerUid: 'ada' }));
      expect(error.code).toBe('BERBIX_GONE');
      expect((await firstValueFrom(verifications.result('ada'))).status).toBe('gone');
      clock.advance(25 * 3_600_000);
      // Old records go when others are written.
      await firstValueFrom(verifications.begin('eve', options));
    }
    const begun = await firstValueFrom(verifications.begin('ada', options));
    expect(begun.isResumed).toBe(false);
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('in_progress');
  });

  it('brings back no earlier attempt if its own is forgotten', async () => {
    const clock = installClock();
    const store = new InMemoryTokenStore();
    const sandbox = await startSandbox();
    const { verifications, tokens } = await replica(sandbox, { store });
    const options = { templateKey: sandbox.templateKeys.sdk };
    const first = await firstValueFrom(verifications.begin('ada', options));
    await diesAt('default/customer/', sandbox, store, 2);
    const [before, transactionId = ''] = await firstValueFrom(verifications.history('ada'));
    expect(before).toBe(first.transactionId);
    await firstValueFrom(tokens.forget({ transactionId }));
    clock.advance(25 * 3_600_000);
    // Old records go when others are written.
    await firstValueFrom(verifications.begin('eve', options));
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('gone');
  });

  it('leaves the attempt before it as it was', async () => {
    const store = new InMemoryTokenStore();
    const sandbox = await startSandbox();
    const { verifications, transactions } = await replica(sandbox, { store });
    const { hosted: templateKey } = sandbox.templateKeys;
    const options = { templateKey, kind: 'hosted' as const };
    const { transactionId } = await firstValueFrom(verifications.begin('ada', options));
    await diesAt('default/transaction/', sandbox, store);
    const resumed = await firstValueFrom(verifications.begin('ada', options));
    expect(resumed).toMatchObject({ transactionId, isResumed: true });
    const result = { responsePayload: 'us-dl' as const };
    await firstValueFrom(transactions.override({ transactionId: transactionId as string }, result));
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('accepted');
  });
});
