import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { VerificationStartDto } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { FakeClock } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { STORES, describeEachOn, type OpenedStore } from '../support/servers.js';
import { createTransaction, startSandbox } from '../support/services.js';
import { everyViewOf } from '../support/sinks.js';
import { until } from '../support/until.js';
import { creations, deletions, holdBack, replica, type Replica } from './verification.support.js';

describeEachOn(STORES)('at the same time, on $name', ({ open }) => {
  let opened: OpenedStore;
  let sandbox: BerbixSandbox;
  /** How often the other replica has looked at something in the store. */
  let looks: number;

  beforeEach(async () => {
    opened = await open();
    sandbox = await startSandbox();
    looks = 0;
  });
  afterEach(() => opened.close());

  /** Two replicas; one of them with calls that are held back. */
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

  /** Hands over a transaction that was created elsewhere; gives its id. */
  async function handOver(services: Replica): Promise<string> {
    const tokens = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens }));
    return tokens.transactionId as string;
  }

  /** Names of the records that have a value. */
  async function records(): Promise<string[]> {
    return (await opened.store.keys('')).keys.toSorted();
  }

  /** Once the other replica waits, or has not waited. */
  async function waitingOrDone(call: Promise<unknown>): Promise<void> {
    let isDone = false;
    const done = (): void => void (isDone = true);
    call.then(done, done);
    await until(() => isDone || looks >= 6);
  }

  it('knows what it has begun, where the driver of the store does every commit twice', async () => {
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

  it('deletes what is handed over while a customer is forgotten', async () => {
    const { http, arrived, letGo } = holdBack('delete');
    const [one, two] = await replicas(http);
    await begin(one);
    const forgetting = firstValueFrom(one.verifications.forget('ada'));
    await arrived;
    const transactionId = await handOver(two);
    letGo();
    await forgetting;
    expect(deletions(sandbox)).toBe(3);
    const error = await errorOf(two.tokens.fresh({ transactionId }));
    expect(error.code).toBe('BERBIX_GONE');
    expect(await records()).toEqual([]);
  });

  it('deletes what is handed over while the tokens are removed', async () => {
    const { store, another } = opened;
    const two = await replica(sandbox, { store: another });
    let handed: string | undefined;
    const late = changed(store, {
      forget: async (key, seen) => {
        if (key === 'default/customer/ada') handed ??= await handOver(two);
        return store.forget(key, seen);
      },
    });
    const one = await replica(sandbox, { store: late });
    await begin(one);
    await firstValueFrom(one.verifications.forget('ada'));
    expect([creations(sandbox), deletions(sandbox)]).toEqual([2, 2]);
    expect(handed).toBeDefined();
    expect(await records()).toEqual([]);
  });

  it('begins nothing before a customer is forgotten', async () => {
    const { http, arrived, letGo } = holdBack('delete');
    const [one, two] = await replicas(http);
    await begin(one);
    const forgetting = firstValueFrom(one.verifications.forget('ada'));
    await arrived;
    const options = { templateKey: sandbox.templateKeys.sdk };
    const beginning = firstValueFrom(two.verifications.reverify('ada', options));
    await waitingOrDone(beginning);
    letGo();
    await forgetting;
    const { transactionId } = await beginning;
    expect(await firstValueFrom(one.verifications.history('ada'))).toEqual([transactionId]);
    expect((await firstValueFrom(one.verifications.result('ada'))).status).toBe('in_progress');
    expect([creations(sandbox), deletions(sandbox)]).toEqual([2, 1]);
  });

  it('forgets what is just being begun', async () => {
    const { http, arrived, letGo } = holdBack('post');
    const [one, two] = await replicas(http);
    const beginning = begin(one);
    await arrived;
    const forgetting = firstValueFrom(two.verifications.forget('ada'));
    await waitingOrDone(forgetting);
    letGo();
    await beginning;
    await forgetting;
    expect([creations(sandbox), deletions(sandbox)]).toEqual([1, 1]);
    expect(await records()).toEqual([]);
  });

  it.each([
    ['and deletes the other', false],
    ['also if the other cannot be deleted', true],
  ])('keeps what is handed over while one is created, %s', async (_, isDown) => {
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

it('the lease on a customer lasts as long as freshness.leaseMs says', async () => {
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
  await firstValueFrom(verifications.forget('ada'));
  expect(leases).toEqual([7_000, 7_000]);
});

it('a lease on a customer that is longer than any replica takes is not waited for', async () => {
  const store = new InMemoryTokenStore();
  // As the store shows it once its clock was set back.
  await store.lease('default/customer/ada', { version: 0, fence: 0 }, 3_600_000, '{}');
  const sandbox = await startSandbox();
  const { verifications } = await replica(sandbox, { store });
  const options = { templateKey: sandbox.templateKeys.sdk };
  const begun = await firstValueFrom(verifications.reverify('ada', options));
  expect(begun.isResumed).toBe(false);
});

describe('a store that fails once a transaction was created', () => {
  let clock: FakeClock | undefined;
  afterEach(() => clock?.uninstall());

  /** A replica whose store fails at the commits with these numbers, from one on. */
  async function failingAt(...numbers: number[]): Promise<[Replica, BerbixSandbox]> {
    const store = new InMemoryTokenStore();
    let commits = 0;
    const failing = changed(store, {
      commit: async (...args) => {
        commits++;
        if (!numbers.includes(commits)) return store.commit(...args);
        clock?.advance(60_000);
        throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
      },
    });
    const sandbox = await startSandbox();
    return [await replica(sandbox, { store: failing }), sandbox];
  }

  it.each([[[1]], [[2]], [[1, 3, 4]]])('is asked again: commits %j', async (numbers) => {
    const [{ verifications }, sandbox] = await failingAt(...numbers);
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = await firstValueFrom(verifications.begin('ada', options));
    const resumed = await firstValueFrom(verifications.begin('ada', options));
    expect(resumed).toMatchObject({ isResumed: true, transactionId: begun.transactionId });
    expect(creations(sandbox)).toBe(1);
  });

  it.each([1, 2])(
    'does not keep others away when it fails for good, at commit %i',
    async (number) => {
      clock = FakeClock.install();
      const [{ verifications, tokens }, sandbox] = await failingAt(number);
      const options = { templateKey: sandbox.templateKeys.sdk };
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
    },
  );
});
