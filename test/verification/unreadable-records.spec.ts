import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BerbixEvents, InMemoryTokenStore, type BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, installClock, startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { newKey } from '../token-store/support/encryption.js';
import { allKeys } from '../token-store/support/steps.js';
import { creations, deletions, replica } from './support/verification.js';

const encryption = { keys: { k1: newKey() }, current: 'k1' };
const ADA = { customerUid: 'ada' };
const ofAnotherKey = { keys: { k2: newKey() }, current: 'k2' };

describe('a customer with a record that cannot be read', () => {
  let sandbox: BerbixSandbox;
  let store: InMemoryTokenStore;
  let templateKey: string;

  beforeEach(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    sandbox = await startSandbox();
    store = new InMemoryTokenStore();
    templateKey = sandbox.templateKeys.sdk;
    const { verifications } = await replica(sandbox, { store, encryption });
    await firstValueFrom(verifications.begin('ada', { templateKey }));
    await firstValueFrom(verifications.reverify('ada', { templateKey }));
  });

  afterEach(() => void jest.restoreAllMocks());

  const using = (options: Partial<BerbixModuleOptions>) => replica(sandbox, { store, ...options });

  /** Alters the first record whose key has this part. */
  async function alter(part: string): Promise<void> {
    const key = (await allKeys(store)).find((one) => one.includes(part)) as string;
    const { value = '' } = (await store.load(key)) ?? {};
    await store.compareAndSwap(key, value, `${value.slice(0, -4)}AAAA`);
  }

  it.each([
    ['of the customer', 'customer/', 2],
    ['of a transaction', 'transaction/', 0],
  ])('can begin again after forget(): the one %s', async (_, part, left) => {
    await alter(part);
    const { tokens, verifications } = await using({ encryption });
    await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
    expect(await allKeys(store)).toHaveLength(left);
    expect(Logger.prototype.warn).toHaveBeenCalledWith(expect.stringContaining('removed unread'));
    const begun = await firstValueFrom(verifications.begin('ada', { templateKey }));
    expect(begun.isResumed).toBe(false);
  });

  it('can begin again after forget() if the key is lost', async () => {
    const { tokens, verifications } = await using({ encryption: ofAnotherKey });
    expect(await errorOf(verifications.begin('ada', { templateKey }))).toMatchObject({
      code: 'BERBIX_STORE',
      retryable: false,
    });
    await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
    await firstValueFrom(verifications.begin('ada', { templateKey }));
    expect(creations(sandbox)).toBe(3);
  });

  it.each(['begun', 'remembered'])(
    'has no current transaction after forget() of the unreadable one: it was %s',
    async (how) => {
      const clock = installClock();
      const services = await using({ encryption });
      const { tokens, transactions, verifications } = services;
      await firstValueFrom(transactions.override(ADA, { responsePayload: 'us-dl' }));
      let transactionId: string | undefined;
      if (how === 'begun') {
        const begun = await firstValueFrom(verifications.reverify('ada', { templateKey }));
        ({ transactionId } = begun);
      } else {
        const created = await createTransaction(sandbox, services);
        ({ transactionId } = created);
        await firstValueFrom(tokens.remember({ ...ADA, tokens: created }));
      }
      await alter(transactionId as string);
      await firstValueFrom(tokens.forget({ transactionId: transactionId as string }));
      for (let day = 0; day < 2; day++) {
        expect((await firstValueFrom(verifications.result('ada'))).status).toBe('gone');
        clock.advance(25 * 3_600_000);
        // Old records go when others are written.
        await firstValueFrom(verifications.begin('eve', { templateKey }));
      }
      expect((await errorOf(tokens.fresh(ADA))).code).toBe('BERBIX_GONE');
    },
  );

  it.each([
    ['of the customer', 'customer/', () => ADA],
    ['of a transaction', 'transaction/', (transactionId: string) => ({ transactionId })],
  ])('has an event for the removal: the one %s', async (_, part, owner) => {
    await alter(part);
    const { tokens, module } = await using({ encryption });
    const kinds: string[] = [];
    module.get(BerbixEvents).events$.subscribe(({ kind }) => kinds.push(kind));
    const id = (await allKeys(store))
      .find((key) => key.includes(part))!
      .split('/')
      .at(-1)!;
    await firstValueFrom(tokens.forget(owner(id)));
    await until(() => kinds.length > 0);
    expect(kinds).toEqual(['token.forgotten']);
    expect(Logger.prototype.warn).toHaveBeenCalledTimes(1);
  });

  it('is not erased as long as a transaction cannot be deleted; the others are', async () => {
    await alter('transaction/');
    const { verifications } = await using({ encryption });
    expect((await errorOf(verifications.erase('ada'))).code).toBe('BERBIX_STORE');
    expect(deletions(sandbox)).toBe(1);
    expect(await allKeys(store)).toHaveLength(3);
  });

  it('is not erased if Berbix refuses, and the error is the first one', async () => {
    const { verifications } = await using({ encryption });
    sandbox.faults.add({ kind: 'status', status: 403, path: '/v0/transactions' });
    sandbox.faults.add({ kind: 'status', status: 404, path: '/v0/transactions' });
    expect((await errorOf(verifications.erase('ada'))).status).toBe(403);
    await firstValueFrom(verifications.erase('ada'));
    expect(await allKeys(store)).toHaveLength(0);
  });

  it('is not removed while the key provider is down', async () => {
    const down = (): never => {
      throw new Error('down');
    };
    const { tokens } = await using({ encryption: { keyProvider: { current: down, byId: down } } });
    expect(await errorOf(tokens.forget({ customerUid: 'ada' }))).toMatchObject({
      code: 'BERBIX_STORE',
      retryable: true,
    });
    expect(await allKeys(store)).toHaveLength(3);
  });
});
