import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BerbixConflictError, BerbixStoreError, InMemoryTokenStore } from 'nestjs-berbix';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { startSandbox } from '../support/services.js';
import { replica } from '../verification/support/verification.js';

/** What the author of a store may throw. */
class TableError extends BerbixStoreError {
  readonly table: string;

  constructor({ table }: { table: string }) {
    super(`${table} is full`, {}, 'FULL');
    this.table = table;
  }
}

const tokens = { refreshToken: 'rt_canary' };

describe('an error that several callers hold', () => {
  it('does not change when it gets tokens or is marked', () => {
    const error = new TableError({ table: 'tokens' });
    const [before, names] = [inspect(error), Reflect.ownKeys(error)];
    error.withTokens(tokens);
    error.withoutEffect();
    expect([error.tokens, error.isWithoutEffect]).toEqual([undefined, false]);
    expect([inspect(error), Reflect.ownKeys(error)]).toEqual([before, names]);
  });

  it.each([
    ['of a subclass', new TableError({ table: 'tokens' })],
    ['with details', new BerbixConflictError('no', { status: 409, requestId: 'r' }, 'upload')],
  ])('has a copy with all that it has: %s', (_, error) => {
    const copy = error.withTokens(tokens).withoutEffect();
    expect(copy).toBeInstanceOf(error.constructor);
    expect(inspect(copy)).toBe(inspect(error.withTokens(tokens)));
    expect({ ...copy.toJSON(), stack: copy.stack }).toEqual({
      ...error.toJSON(),
      stack: error.stack,
    });
    expect([copy.tokens, copy.isWithoutEffect]).toEqual([tokens, true]);
    expect(inspect(copy)).not.toContain('canary');
  });

  it('gives each caller the tokens of their own customer', async () => {
    const full = new BerbixStoreError('full');
    const sandbox = await startSandbox();
    const store = changed(new InMemoryTokenStore(), { commit: () => Promise.reject(full) });
    const limits = { totalTimeoutMs: 1_000, timeoutMs: 1_000, freshness: { leaseMs: 10_000 } };
    const { verifications } = await replica(sandbox, { store, ...limits });
    const options = { templateKey: sandbox.templateKeys.sdk };
    const uids = ['ada', 'bob'];
    const begun = uids.map((uid) => errorOf(verifications.begin(uid, options)));
    const owners: unknown[] = [];
    for (const error of await Promise.all(begun)) {
      const transaction = await sandbox.transactions.find(error.tokens?.transactionId ?? '');
      owners.push(transaction?.customerUid);
    }
    expect(owners).toEqual(uids);
  });
});
