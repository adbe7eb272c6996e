import assert from 'node:assert';
import { inspect } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import { instanceToPlain } from 'class-transformer';
import { BerbixTokens, HostedTransactionDto, type UploadResultDto } from 'nestjs-berbix';
import { FakeBerbix } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import type { BerbixTokensInit } from '../../lib/values/berbix-tokens.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

const INIT = {
  refreshToken: 'rt_canary',
  accessToken: 'at_canary',
  clientToken: 'ct_canary',
  transactionId: '1234',
} satisfies BerbixTokensInit;

const tokensWith = (parts: Partial<BerbixTokensInit> = {}): BerbixTokens =>
  new BerbixTokens({ ...INIT, ...parts });

/** Each throws if it considers the two values different. */
const COMPARISONS: [string, (one: unknown, other: unknown) => void][] = [
  ['toEqual', (one, other) => expect(one).toEqual(other)],
  ['toStrictEqual', (one, other) => expect(one).toStrictEqual(other)],
  ['toMatchObject', (one, other) => expect({ one }).toMatchObject({ one: other })],
  [
    'toHaveBeenCalledWith',
    (one, other) => {
      const mock = jest.fn();
      mock(one);
      expect(mock).toHaveBeenCalledWith(other);
    },
  ],
  ['assert.deepStrictEqual', (one, other) => assert.deepStrictEqual(one, other)],
];

const messageOf = (compare: () => void): string => {
  try {
    compare();
  } catch (error) {
    return (error as Error).message;
  }
  return 'equal';
};

describe.each(COMPARISONS)('%s', (_name, compare) => {
  it.each([
    ['refresh token', { refreshToken: 'rt_canary_other' }],
    ['access token', { accessToken: 'at_canary_other' }],
    ['client token', { clientToken: 'ct_canary_other' }],
    ['transaction', { transactionId: '1235' }],
    ['access token that is missing', { accessToken: undefined }],
  ])('distinguishes tokens with another %s, and shows no secret', (_what, parts) => {
    const [one, other] = [tokensWith(), tokensWith(parts)];
    for (const [left, right] of [
      [one, other],
      [other, one],
      [{ customer: { tokens: one } }, { customer: { tokens: other } }],
      [[one], [other]],
    ]) {
      const message = messageOf(() => compare(left, right));
      expect(message).not.toBe('equal');
      expect(message).not.toContain('canary');
    }
  });

  it('considers the same tokens equal, even if they were read at another time', () => {
    const one = tokensWith({ expiresAt: new Date(Date.now() + 60_000) });
    const other = tokensWith({ expiresAt: new Date(Date.now() + 60_007) });
    expect(messageOf(() => compare(one, other))).toBe('equal');
    expect(
      messageOf(() => compare(BerbixTokens.fromRefresh('a'), BerbixTokens.fromRefresh('a'))),
    ).toBe('equal');
  });

  it('distinguishes results with the tokens of another transaction', () => {
    const resultOf = (tokens: BerbixTokens): unknown =>
      new HostedTransactionDto('https://hosted.example', tokens);
    const [one, other] = [tokensWith(), tokensWith({ refreshToken: 'rt_canary_other' })];
    expect(messageOf(() => compare(resultOf(one), resultOf(tokensWith())))).toBe('equal');
    const message = messageOf(() => compare(resultOf(one), resultOf(other)));
    expect(message).not.toBe('equal');
    expect(message).not.toContain('canary');
  });
});

describe('tokens of two copies of this package, as ES module and as CommonJS', () => {
  it('are equal if classes are not compared, and different otherwise', async () => {
    const specifier = 'nestjs-berbix?copy';
    const copy = (await import(specifier)) as typeof import('nestjs-berbix');
    expect(copy.BerbixTokens).not.toBe(BerbixTokens);
    expect(new copy.BerbixTokens(INIT)).toEqual(tokensWith());
    const other = new copy.BerbixTokens({ ...INIT, accessToken: 'at_canary_other' });
    expect(other).not.toEqual(tokensWith());
  });
});

describe('the compared property', () => {
  it('is in no JSON, copy, list of keys or serialized form', () => {
    const tokens = tokensWith();
    expect(Object.keys(tokens)).toEqual([]);
    expect(Object.entries({ ...tokens })).toEqual([]);
    expect(structuredClone(tokens)).toEqual({});
    expect(JSON.stringify({ ...tokens })).toBe('{}');
    expect(Object.keys(instanceToPlain(tokens))).toEqual([]);
    expect(Object.keys(JSON.parse(JSON.stringify(tokens)))).toEqual([
      'transactionId',
      'refreshToken',
      'accessToken',
      'clientToken',
    ]);
    expect(inspect(tokens)).not.toContain('fingerprint');
  });

  it('does not reveal a token: it differs in each process, and is shorter than a hash', () => {
    const spread: Record<symbol, unknown> = { ...tokensWith() };
    const values = Object.getOwnPropertySymbols(spread).map((symbol) => spread[symbol]);
    expect(values).toEqual([expect.stringMatching(/^fingerprint [\w-]{16}$/)]);
  });

  it('does not break a proxy, which has no tokens', () => {
    expect({ ...new Proxy(tokensWith(), {}) }).toEqual({});
  });
});

describe('an object with tokens', () => {
  it('is compared by them: uploads and created transactions', async () => {
    const { transactions } = new FakeBerbix();
    const transaction = { customerUid: 'ada', templateKey: 'tpk' };
    const one = await firstValueFrom(transactions.createApiOnly(transaction));
    const other = await firstValueFrom(transactions.createApiOnly(transaction));
    expect(other).not.toEqual(one);
    const upload = (tokens: BerbixTokens): Promise<UploadResultDto> =>
      firstValueFrom(transactions.uploadIdScan(tokens, 'abcd'));
    const result = await upload(one.tokens);
    expect(await upload(one.tokens)).toEqual(result);
    expect(await upload(other.tokens)).not.toEqual(result);
  });

  it('is compared by them: fetched transactions and errors', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox);
    const { transactions, tokens } = services;
    const created = await createTransaction(sandbox, services);
    const first = await firstValueFrom(transactions.fetch(created));
    const again = await firstValueFrom(transactions.fetch(created));
    assert.deepStrictEqual(again, first);
    const rotated = await firstValueFrom(tokens.refresh(created));
    const later = await firstValueFrom(transactions.fetch(rotated));
    assert.throws(() => assert.deepStrictEqual(later, first));
    expect(later).not.toEqual(first);
    expect(JSON.stringify(later)).toBe(JSON.stringify(first));

    const failed = async (refreshToken: string) => {
      sandbox.faults.add({
        kind: 'answer',
        body: { access_token: 'at', refresh_token: refreshToken, expires_in: 0 },
      });
      return errorOf(tokens.refresh('rt'));
    };
    const [one, other, same] = [await failed('a'), await failed('b'), await failed('a')];
    const withoutOrigin = (error: Error): Error =>
      Object.assign(error, { stack: '', requestId: '' });
    for (const error of [one, other, same]) withoutOrigin(error);
    assert.deepStrictEqual(same, one);
    assert.throws(() => assert.deepStrictEqual(other, one));
    expect(JSON.stringify(one)).not.toContain('fingerprint');
  });
});
