import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { STORES, describeEachOn, type OpenedStore } from '../support/servers.js';
import { createTransaction, startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';
import { allKeys } from '../token-store/support/steps.js';
import {
  creations,
  deletions,
  handOver,
  holdBack,
  replica,
  suspended,
  type Replica,
} from './support/verification.js';

quietNest();

describeEachOn(STORES)('while tokens are remembered, on $name', ({ open }) => {
  let opened: OpenedStore;
  let sandbox: BerbixSandbox;

  beforeEach(async () => {
    opened = await open();
    sandbox = await startSandbox();
  });

  const begin = ({ verifications }: Replica): Promise<unknown> =>
    firstValueFrom(verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk }));

  /** The names of the records with a value. */
  const records = (): Promise<string[]> => allKeys(opened.store);

  /** A replica whose commits wait, from the first one of a transaction on, until they are let go. */
  async function heldReplica() {
    let [isHeld, mayGoOn] = [false, false];
    const store = changed(opened.another, {
      commit: async (key, ...step) => {
        isHeld ||= key.startsWith('default/transaction/');
        if (isHeld) await until(() => mayGoOn);
        return opened.another.commit(key, ...step);
      },
    });
    const held = await replica(sandbox, { store, storeTimeoutMs: 60_000 });
    return { held, untilHeld: () => until(() => isHeld), letGo: () => void (mayGoOn = true) };
  }

  it('deletes tokens that are remembered while a customer is erased', async () => {
    const { http, arrived, letGo } = holdBack('delete');
    const one = await replica(sandbox, { store: opened.store, http });
    const two = await replica(sandbox, { store: opened.another });
    await begin(one);
    const erasing = firstValueFrom(one.verifications.erase('ada'));
    await arrived;
    const transactionId = await handOver(sandbox, two);
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
        if (key === 'default/customer/ada') handed ??= await handOver(sandbox, two);
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

  it('leaves no tokens behind whose reference the erased customer already had', async () => {
    const { store } = opened;
    const { held, untilHeld, letGo } = await heldReplica();
    const handingOver = handOver(sandbox, held);
    await untilHeld();
    const late = changed(store, {
      forget: async (key, expected) => {
        if (key === 'default/customer/ada') {
          letGo();
          await handingOver;
        }
        return store.forget(key, expected);
      },
    });
    const one = await replica(sandbox, { store: late, storeTimeoutMs: 60_000 });
    await firstValueFrom(one.verifications.erase('ada'));
    expect(await records()).toEqual([]);
  });

  it('erases either all of a transaction that is being remembered, or nothing', async () => {
    const { held, untilHeld, letGo } = await heldReplica();
    const one = await replica(sandbox, { store: opened.store });
    const handingOver = handOver(sandbox, held);
    await untilHeld();
    await firstValueFrom(one.verifications.erase('ada'));
    letGo();
    const transactionId = await handingOver;
    const tokens = await firstValueFrom(one.tokens.fresh({ customerUid: 'ada' }));
    expect([tokens.transactionId, deletions(sandbox)]).toEqual([transactionId, 0]);
    await firstValueFrom(one.verifications.erase('ada'));
    expect([await records(), deletions(sandbox)]).toEqual([[], 1]);
  });

  describe.each([
    ['are new', false],
    ['were forgotten before', true],
  ])('if the tokens of a transaction %s', (_, wasForgotten) => {
    it.each([1, 2, 3, 4, 5, 6, 7, 8])(
      'erases all of it if they are saved right before look %i',
      async (look) => {
        const { store } = opened;
        const services = await replica(sandbox, { store });
        const tokens = await createTransaction(sandbox, services);
        const remember = (by: Replica): Promise<unknown> =>
          firstValueFrom(by.tokens.remember({ customerUid: 'ada', tokens }));
        if (wasForgotten) {
          await remember(services);
          await firstValueFrom(services.tokens.forget({ customerUid: 'ada' }));
        }
        const { held, untilHeld, letGo } = await heldReplica();
        const remembering = remember(held);
        await untilHeld();
        let count = 0;
        const late = changed(store, {
          load: async (key) => {
            if (key.startsWith('default/transaction/') && ++count === look) {
              letGo();
              await remembering;
            }
            return store.load(key);
          },
        });
        const one = await replica(sandbox, { store: late, storeTimeoutMs: 60_000 });
        await firstValueFrom(one.verifications.erase('ada'));
        letGo();
        await remembering;
        const kept = (await records()).filter((key) => key.startsWith('default/transaction/'));
        const existing = await sandbox.transactions.list();
        expect(kept).toEqual(existing.map(({ id }) => `default/transaction/${id}`));
      },
    );
  });

  it.each([
    ['begins', begin],
    ['takes in tokens', (one: Replica) => handOver(sandbox, one)],
  ])(
    'forget() leaves no tokens of a process that %s, and dies after they arrive',
    async (_, add) => {
      const { store, another } = opened;
      let [hasReference, mayGoOn, isDead] = [false, false, false];
      const { resumed, resume } = suspended();
      const dying = changed(another, {
        commit: async (key, ...step) => {
          if (isDead) await resumed;
          if (!key.startsWith('default/transaction/')) return another.commit(key, ...step);
          hasReference = true;
          await until(() => mayGoOn);
          const version = await another.commit(key, ...step);
          isDead = true;
          await resumed;
          return version;
        },
      });
      const services = await replica(sandbox, { store: dying, storeTimeoutMs: 60_000 });
      closeAfterTest(resume);
      add(services).catch(() => {});
      await until(() => hasReference);
      const one = await replica(sandbox, { store });
      await firstValueFrom(one.tokens.forget({ customerUid: 'ada' }));
      mayGoOn = true;
      await until(() => isDead);
      expect(await records()).toEqual([]);
    },
  );
});
