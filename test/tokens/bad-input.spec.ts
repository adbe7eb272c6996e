import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, InMemoryTokenStore } from 'nestjs-berbix';
import { errorOf } from '../support/errors.js';
import { firstValueFrom } from 'rxjs';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

const NO_DIGITS = 'transactionId must be the digits of the id, as a string.';
const NO_UID =
  'customerUid must be a non-empty string. If it is undefined, check where it comes from.';
const TOO_LONG = 'customerUid has more than 256 characters. Use a shorter id of the customer.';
const BOTH_MISSING = 'Both are missing. If a value is undefined, check where it comes from.';

describe('an invalid id or uid', () => {
  it.each([
    ['an empty transaction id', { transactionId: '' }, NO_DIGITS],
    ['a number', { transactionId: 12 as never }, NO_DIGITS],
    ['an empty uid', { customerUid: '' }, NO_UID],
    ['a uid that is a number', { customerUid: 7 as never }, NO_UID],
    [
      'half of an emoji',
      { customerUid: 'ada \ud83d' },
      'customerUid cannot be sent: it contains half of a surrogate pair, for example of a truncated emoji.',
    ],
    ['more letters than a key can hold', { customerUid: 'a'.repeat(257) }, TOO_LONG],
    ['more than a key can hold', { customerUid: '€'.repeat(257) }, TOO_LONG],
  ])('%s: fails with a clear error', async (_what, owner, message) => {
    const { tokens } = await servicesFor(await startSandbox());
    for (const call of [tokens.fresh(owner), tokens.forget(owner)]) {
      const error = await errorOf(call);
      expect(error).toMatchObject({ code: 'BERBIX_INPUT', message });
    }
  });

  it.each([
    ['both', { customerUid: 'ada', transactionId: '1' }, 'Only one of them is allowed.'],
    ['neither', { customerUid: undefined }, BOTH_MISSING],
    ['a null for either', { customerUid: null, transactionId: null }, BOTH_MISSING],
    ['another name', { customer: 'ada' }, BOTH_MISSING],
  ])('%s of uid and transaction id: is refused', async (_what, owner, message) => {
    const { tokens } = await servicesFor(await startSandbox());
    for (const call of [tokens.fresh(owner as never), tokens.forget(owner as never)]) {
      const error = await errorOf(call);
      expect(error).toMatchObject({
        code: 'BERBIX_INPUT',
        message: `Pass { transactionId } or { customerUid }. ${message}`,
      });
    }
  });

  it('null for one of them counts as missing, and is not passed on', async () => {
    const asked: unknown[] = [];
    const { tokens } = await servicesFor(await startSandbox(), {
      loadTokens: async (owner) => void asked.push(owner),
    });
    const owner = { transactionId: null, customerUid: 'ada', row: 1 } as never;
    expect((await errorOf(tokens.fresh(owner))).code).toBe('BERBIX_NOT_FOUND');
    expect(asked).toStrictEqual([{ customerUid: 'ada' }]);
  });

  it('the longest uid is found again', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const customerUid = '€'.repeat(256);
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid, tokens: created }));
    const { transactionId } = await firstValueFrom(services.tokens.fresh({ customerUid }));
    expect(transactionId).toBe(created.transactionId);
  });
});

describe('remember()', () => {
  const NAMELESS = 'remember() needs a customerUid, or tokens whose transactionId is known';
  const known = new BerbixTokens({ refreshToken: 'rt', transactionId: '1' });
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'remember() takes { tokens, customerUid }.'],
    ['a bare refresh token without a customer', { tokens: 'rt' }, NAMELESS],
    [
      'tokens without a transaction and a customer',
      { tokens: BerbixTokens.fromRefresh('rt') },
      NAMELESS,
    ],
    ['an empty uid', { tokens: 'rt', customerUid: '' }, 'non-empty string'],
    ['a null for the uid', { tokens: known, customerUid: null }, 'non-empty string'],
    ['a number for the uid', { tokens: known, customerUid: 7 }, 'non-empty string'],
    ['half of an emoji', { tokens: known, customerUid: 'ada \ud83d' }, 'surrogate'],
    [
      'more letters than a key can hold',
      { tokens: known, customerUid: 'a'.repeat(257) },
      'more than 256 characters',
    ],
  ])('refuses %s, and saves nothing', async (_what, remembered, message) => {
    const store = new InMemoryTokenStore();
    const { tokens } = await servicesFor(await startSandbox(), { store });
    const error = await errorOf(tokens.remember(remembered as never));
    expect(error).toMatchObject({ code: 'BERBIX_INPUT' });
    expect(error.message).toContain(message);
    expect(await store.keys('')).toMatchObject({ keys: [] });
  });
});

describe('forget()', () => {
  it('refuses arguments without a customer or transaction, and removes nothing', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { tokens } = services;
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    for (const owner of ['ada', null, created.refreshToken, created, { refreshToken: 'rt' }]) {
      const error = await errorOf(tokens.forget(owner as never));
      expect(error).toMatchObject({
        code: 'BERBIX_INPUT',
        message:
          'Pass { transactionId } or { customerUid }. Tokens or a refresh token are not accepted.',
      });
      expect(error.message).not.toContain(created.refreshToken);
    }
    const { refreshToken } = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(refreshToken).toBe(created.refreshToken);
  });
});

describe('the options of fresh()', () => {
  it.each([
    [60_000, 'The options of fresh() are'],
    [null, 'The options of fresh() are'],
    [{ leewayMs: '60000' }, 'leewayMs must be a number'],
    [{ leewayMs: -1 }, 'leewayMs must be a number'],
    [{ refused: 1n }, 'refused must be the access token'],
    [{ refused: 0 }, 'refused must be the access token'],
  ])('are validated: %p', async (options, message) => {
    const { tokens } = await servicesFor(await startSandbox());
    const error = await errorOf(tokens.fresh({ customerUid: 'ada' }, options as never));
    expect(error).toMatchObject({ code: 'BERBIX_INPUT' });
    expect(error.message).toContain(message);
  });
});

const UNUSABLE: [string, unknown, string][] = [
  ['empty', '', 'is empty'],
  ['undefined', undefined, 'is missing'],
  ['null', null, 'is missing'],
  ['a number', 42, 'is of type number, not a string'],
  ['an object whose token is null', { refreshToken: null }, 'is missing'],
  ['with a line break', 'rt_abc\n', 'contains a line break or another control character'],
  ['with a null byte', 'rt_\u0000abc', 'contains a line break or another control character'],
  ['with a C1 control', 'rt_\u0085abc', 'contains a line break or another control character'],
];

describe('a refresh token that cannot be sent', () => {
  it.each(UNUSABLE)(
    '%s: fails with a clear error, and nothing is sent',
    async (_what, value, problem) => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox, { retry: 2 });
      const error = await errorOf(tokens.refresh(value as string));
      expect(error).toMatchObject({ code: 'BERBIX_INVALID_REFRESH_TOKEN', retryable: false });
      expect(error.message).toBe(
        `The refresh token ${problem}. Load it from where it was stored when the transaction was created. Nothing was sent.`,
      );
      expect(sandbox.requests.length).toBe(0);
    },
  );

  it.each(UNUSABLE.filter(([what]) => !what.includes('object')))(
    '%s: fromRefresh throws immediately',
    (_what, value, problem) => {
      expect(() => BerbixTokens.fromRefresh(value as string)).toThrow(problem);
    },
  );

  it('is not refused because it is long or has unusual characters', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const unusual = `"\\ ü€😀${'x'.repeat(5000)}`;
    const error = await errorOf(tokens.refresh(unusual));
    expect(error).toMatchObject({ code: 'BERBIX_INVALID_REFRESH_TOKEN', status: 401 });
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toMatchObject({ refresh_token: unusual });
  });
});
