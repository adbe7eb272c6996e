import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BerbixEvents, type BerbixEvent } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { FakeClock } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import { changed } from '../support/changed-store.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { installClock, startSandbox } from '../support/services.js';
import { everyViewOf, quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';
import { allKeys } from '../token-store/support/steps.js';
import { creations, replica, suspended, type Replica } from './support/verification.js';

quietNest();

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
    const first = number < 3 ? 'token.unsaved' : 'verification.begun';
    const told = (): string[] => events.filter((kind) => /unsaved|begun/.test(kind));
    await until(() => told().length > 1);
    expect(told()).toEqual([first, 'verification.begun']);
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
    expect(logged.mock.calls.join()).toContain(`the new transaction ${transactionId} were saved`);
  });
});

describe('the error of Berbix', () => {
  const refused = { kind: 'status', status: 403, path: '/v0/transactions' } as const;

  it('is not replaced by that of a store which cannot end the lease', async () => {
    const store = changed(new InMemoryTokenStore(), {
      release: () => Promise.reject(new Error('down')),
    });
    const sandbox = await startSandbox();
    const { verifications } = await replica(sandbox, { store });
    sandbox.faults.add(refused);
    const begun = verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk });
    expect(await errorOf(begun)).toMatchObject({ code: 'BERBIX_REQUEST', status: 403 });
  });

  it('is in the log if a transaction that is not used cannot be deleted', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const sandbox = await startSandbox();
    const memory = new InMemoryTokenStore();
    const options = { templateKey: sandbox.templateKeys.sdk };
    const two = await replica(sandbox, { store: memory });
    let faster: string | undefined;
    const store = changed(memory, {
      commit: async (key, ...step) => {
        if (key.startsWith('default/transaction/') && faster === undefined) {
          const begun = await firstValueFrom(two.verifications.begin('ada', options));
          faster = begun.transactionId;
          sandbox.faults.add({ ...refused, method: 'DELETE' });
        }
        return memory.commit(key, ...step);
      },
    });
    const one = await replica(sandbox, { store });
    const begun = await firstValueFrom(one.verifications.begin('ada', options));
    expect(begun).toMatchObject({ isResumed: true, transactionId: faster });
    expect(warned.mock.calls.map(([line]) => line)).toEqual([
      expect.stringMatching(/^Transaction \d+ is not used: .*\(403\).*\(BERBIX_REQUEST, see/),
    ]);
    warned.mockRestore();
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
    const { resumed, resume } = suspended();
    const dying = changed(store, {
      commit: async (key, ...step) => {
        if (key.startsWith(commit)) isDead ||= ++count === nth;
        if (isDead) await resumed;
        return store.commit(key, ...step);
      },
    });
    const { verifications } = await replica(sandbox, { store: dying });
    closeAfterTest(resume);
    const options = { templateKey: sandbox.templateKeys.sdk };
    verifications.reverify('ada', options).subscribe({ error: () => {} });
    await until(() => isDead);
  }

  it.each([
    ['before the reference', 'default/customer/', 0],
    ['before the tokens', 'default/transaction/', 1],
  ])('leaves nothing in the store that erase() does not find: %s', async (_, commit, warnings) => {
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const store = new InMemoryTokenStore();
    const sandbox = await startSandbox();
    await diesAt(commit, sandbox, store);
    const options = { store, totalTimeoutMs: 1_000, freshness: { leaseMs: 1_500 } };
    const { verifications } = await replica(sandbox, { ...options, timeoutMs: 1_000 });
    await firstValueFrom(verifications.erase('ada'));
    expect(await allKeys(store)).toEqual([]);
    const [{ id } = { id: '' }, ...others] = await sandbox.transactions.list();
    expect(others).toEqual([]);
    // What the store does not know is left at Berbix.
    const lost = `The store has no tokens of transaction ${id}, so erase() did not delete it at Berbix:`;
    const lines = warned.mock.calls.map(([line]) => String(line));
    warned.mockRestore();
    expect(lines.filter((line) => line.startsWith(lost))).toHaveLength(warnings);
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
