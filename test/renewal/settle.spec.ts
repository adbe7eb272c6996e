import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import {
  mergeOnto,
  recordAfter,
  recordRemembered,
  united,
  withSuccessor,
} from '../../lib/records/settle.js';
import { withSuperseded, type TokenRecord } from '../../lib/records/token-record.js';

const NOW = 1_000_000_000;

function record(refreshToken: string, more: Partial<TokenRecord> = {}): TokenRecord {
  return { refreshToken, exchangedAt: NOW, ...more };
}

/** Hashes of superseded refresh tokens. */
const after = (...tokens: string[]) => ({
  supersededHashes: withSuperseded(record(''), tokens),
});
const UNDATED = { exchangedAt: undefined };
const [EARLIER, LATER] = [{ exchangedAt: NOW - 1 }, { exchangedAt: NOW + 1 }];

/** The refresh token that is written over the current record, or why nothing is written. */
function merged(next: TokenRecord, there: TokenRecord, version = 2): string {
  const seen = { version: 1, value: record('rt_1', EARLIER) };
  const result = mergeOnto({ version, value: there }, seen, next);
  return typeof result === 'object' ? result.refreshToken : result;
}

describe('mergeOnto', () => {
  const [same, rotated] = [record('rt_1'), record('rt_2', after('rt_1'))];

  it.each<[string, TokenRecord, TokenRecord, string, number?]>([
    ['the same refresh token', same, record('rt_1', EARLIER), 'rt_1'],
    ['the same refresh token, exchanged since', same, record('rt_1', LATER), 'moved on'],
    ['the same refresh token, exchanged at the same time', same, record('rt_1'), 'rt_1'],
    ['the same refresh token, never exchanged', same, record('rt_1', UNDATED), 'rt_1'],
    [
      'the same refresh token, exchanged with a usable answer',
      record('rt_1', UNDATED),
      same,
      'moved on',
    ],
    ['the superseded one', rotated, record('rt_1', EARLIER), 'rt_2'],
    ['the superseded one, exchanged since', rotated, record('rt_1', LATER), 'rt_2'],
    [
      'one that was superseded earlier',
      record('rt_2', after('rt_0', 'rt_1')),
      record('rt_0', EARLIER),
      'rt_2',
    ],
    ['the new one', rotated, record('rt_2', LATER), 'moved on'],
    ['the successor of the new one', rotated, record('rt_3', after('rt_1', 'rt_2')), 'moved on'],
    [
      'another successor, of a later exchange',
      rotated,
      record('rt_3', { ...LATER, ...after('rt_1') }),
      'moved on',
    ],
    [
      'another successor, of an earlier exchange',
      rotated,
      record('rt_3', { ...EARLIER, ...after('rt_1') }),
      'conflict',
    ],
    [
      'another successor, of an exchange at the same time',
      rotated,
      record('rt_3', after('rt_1')),
      'conflict',
    ],
    [
      'another successor, neither with a usable answer',
      { ...rotated, ...UNDATED },
      record('rt_3', { ...UNDATED, ...after('rt_1') }),
      'conflict',
    ],
    ['an unrelated one', rotated, record('rt_9'), 'conflict'],
    ['an unrelated one of a later exchange', rotated, record('rt_9', LATER), 'conflict'],
    ['an unrelated one, without a rotation', same, record('rt_9'), 'moved on'],
    [
      'an unrelated one after the record was lost, without a rotation',
      same,
      record('rt_9'),
      'conflict',
      1,
    ],
  ])('the record has %s', (_what, next, there, ...[expected, version]) => {
    expect(merged(next, there, version)).toBe(expected);
  });

  it('keeps the customer, the template and the URL of the newer record', () => {
    const more = { templateKey: 'tpk', hostedUrl: 'https://hosted/1' };
    const [ada, ben] = [{ customerUid: 'ada' }, { customerUid: 'ben', ...more }];
    const names = (version: number): unknown => {
      const seen = { version: 2, value: record('rt_1', { ...EARLIER, ...ada }) };
      const current = { version, value: record('rt_1', { ...EARLIER, ...ben }) };
      const { customerUid, templateKey, hostedUrl } = mergeOnto(current, seen, same) as TokenRecord;
      return { customerUid, templateKey, hostedUrl };
    };
    expect(names(3)).toEqual(ben);
    expect(names(2)).toEqual({ ...ada, ...more });
    expect(names(1)).toEqual({ ...ada, ...more });
  });

  it('does not replace a reference to another record', () => {
    const current = { version: 2, value: { see: 'anonymous/1' } };
    const seen = { version: 1, value: record('rt_1', EARLIER) };
    expect(mergeOnto(current, seen, rotated)).toBe('moved on');
  });

  it('I8: a lost record is saved again, a forgotten one is not', () => {
    const seen = { version: 1, value: record('rt_1', EARLIER) };
    expect(mergeOnto({ version: 0, value: undefined }, seen, rotated)).toBe(rotated);
    expect(mergeOnto({ version: 2, value: undefined }, seen, rotated)).toBe('moved on');
  });
});

it('after a conflict, the new refresh token becomes a spare, and the superseded one leaves the spares', () => {
  const there = record('rt_9', { accessToken: 'at_9', spares: ['rt_1', 'rt_0'] });
  expect(withSuccessor(there, record('rt_1'), record('rt_2', { rotates: true }))).toEqual({
    ...there,
    rotates: true,
    ...after('rt_1'),
    spares: ['rt_2', 'rt_0'],
  });
  // Without a rotation, nothing is superseded.
  expect(withSuccessor(there, record('rt_1'), record('rt_1'))).toEqual(there);
  const rotating = { ...there, rotates: true as const, spares: undefined };
  expect(withSuccessor(rotating, record('rt_1'), record('rt_1'))).toEqual({
    ...rotating,
    spares: ['rt_1'],
  });
});

it('two records of a transaction are united: the other refresh token is a spare, unless it is superseded', () => {
  const there = record('rt_2', after('rt_1'));
  const names = { customerUid: 'ada', templateKey: 'tpk', hostedUrl: 'https://hosted/1' };
  const other = record('rt_4', { ...after('rt_3'), rotates: true, ...names });
  expect(united(there, other)).toEqual({
    ...record('rt_2', after('rt_3', 'rt_1')),
    rotates: true,
    ...names,
    spares: ['rt_4'],
  });
  expect(united(there, record('rt_1')).spares).toBeUndefined();
  const own = { ...there, customerUid: 'ben', templateKey: 'own', hostedUrl: 'https://hosted/2' };
  expect(
    united({ ...own, rotates: true, spares: ['rt_5'] }, { ...record('rt_5'), ...names }),
  ).toEqual({ ...own, rotates: true, spares: ['rt_5'] });
});

const TIMES = { expiresAt: NOW + 3_600_000, lifetimeMs: 3_600_000, exchangedAt: NOW };
const tokens = (refreshToken: string): BerbixTokens =>
  new BerbixTokens({ refreshToken, accessToken: 'at_new', transactionId: '1' });

describe('recordAfter', () => {
  const before = record('rt_1', {
    ...EARLIER,
    accessToken: 'at_old',
    customerUid: 'ada',
    spares: ['rt_0'],
  });

  it('has the new access token, and the customer as before', () => {
    const exchanged = { tokens: tokens('rt_1'), presented: 'rt_1', times: TIMES };
    const next = recordAfter(before, exchanged, true);
    expect(next).toMatchObject({ refreshToken: 'rt_1', accessToken: 'at_new', ...TIMES });
    expect(next).toMatchObject({ customerUid: 'ada', spares: undefined });
    for (const field of ['pendingRotation', 'rotates', 'supersededHashes'] as const) {
      expect(next[field]).toBeUndefined();
    }
  });

  it.each([true, false])('notes a new refresh token; there is an onRotation: %s', (notifies) => {
    const exchanged = { tokens: tokens('rt_2'), presented: 'rt_1', times: TIMES };
    const next = recordAfter(before, exchanged, notifies);
    expect(next).toMatchObject({ refreshToken: 'rt_2', rotates: true });
    expect(next.pendingRotation).toBe(notifies ? 'rt_1' : undefined);
    expect(next.supersededHashes).toEqual(after('rt_1', 'rt_0').supersededHashes);
  });

  it('notes a replaced refresh token that the record did not have', () => {
    const exchanged = { tokens: tokens('rt_2'), presented: 'rt_of_the_caller', times: TIMES };
    const { supersededHashes } = recordAfter(before, exchanged, false);
    expect(supersededHashes).toEqual(after('rt_1', 'rt_of_the_caller', 'rt_0').supersededHashes);
  });

  it('lists the latest thousand superseded refresh tokens', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `rt_old_${n}`);
    const exchanged = { tokens: tokens('rt_2'), presented: 'rt_1', times: TIMES };
    const { supersededHashes } = recordAfter(record('rt_1', after(...many)), exchanged, false);
    expect(supersededHashes).toHaveLength(1_000);
    expect(supersededHashes).toEqual(after(...many.slice(1), 'rt_1').supersededHashes);
  });

  it('does not count a spare as a rotation if the API did not replace it', () => {
    const exchanged = { tokens: tokens('rt_0'), presented: 'rt_0', times: TIMES };
    const next = recordAfter(before, exchanged, true);
    expect(next).toMatchObject({ refreshToken: 'rt_0', pendingRotation: 'rt_1' });
    expect(next.rotates).toBeUndefined();
  });

  it('keeps the access token and the times if only the refresh token of an answer is usable', () => {
    const exchanged = { tokens: tokens('rt_2'), presented: 'rt_1', times: undefined };
    const next = recordAfter(before, exchanged, false);
    expect(next).toMatchObject({ refreshToken: 'rt_2', accessToken: 'at_old', ...EARLIER });
  });
});

describe('recordRemembered', () => {
  const LIFE = { expiresAt: NOW + 1_000, lifetimeMs: 3_600_000 };
  const there = record('rt_1', { accessToken: 'at_old', expiresAt: NOW, ...after('rt_0') });

  it.each<[string, TokenRecord | undefined, string, typeof LIFE | undefined, object]>([
    ['no record', undefined, 'rt_1', LIFE, { refreshToken: 'rt_1', accessToken: 'at_new' }],
    [
      'the same refresh token, a newer access token',
      there,
      'rt_1',
      LIFE,
      { accessToken: 'at_new' },
    ],
    [
      'the same refresh token, an older access token',
      there,
      'rt_1',
      { ...LIFE, expiresAt: NOW - 1 },
      { accessToken: 'at_old' },
    ],
    [
      'the same refresh token, an access token that expires at the same time',
      there,
      'rt_1',
      { ...LIFE, expiresAt: NOW },
      { accessToken: 'at_old' },
    ],
    [
      'the same refresh token, the first access token',
      record('rt_1'),
      'rt_1',
      LIFE,
      { accessToken: 'at_new', ...LIFE },
    ],
    [
      'the same refresh token alone',
      there,
      'rt_1',
      undefined,
      { accessToken: 'at_old', expiresAt: NOW },
    ],
    [
      'a superseded refresh token',
      there,
      'rt_0',
      LIFE,
      { refreshToken: 'rt_1', accessToken: 'at_old' },
    ],
    [
      'the latest of very many superseded refresh tokens',
      { ...there, ...after(...Array.from({ length: 1_001 }, (_, n) => `rt_${n + 10}`)) },
      'rt_1010',
      LIFE,
      { refreshToken: 'rt_1', accessToken: 'at_old' },
    ],
    [
      'an unrelated refresh token',
      there,
      'rt_9',
      LIFE,
      {
        refreshToken: 'rt_9',
        accessToken: 'at_new',
        spares: ['rt_1'],
        supersededHashes: undefined,
      },
    ],
    [
      'an unrelated refresh token of a transaction with rotation',
      { ...there, rotates: true },
      'rt_9',
      LIFE,
      { refreshToken: 'rt_9', spares: ['rt_1'], ...after('rt_0') },
    ],
    [
      'a bare refresh token that may have been superseded long ago',
      { ...there, ...after(...Array.from({ length: 1_000 }, (_, n) => `rt_${n + 10}`)) },
      'rt_9',
      undefined,
      { refreshToken: 'rt_1', accessToken: 'at_old', spares: ['rt_9'] },
    ],
    [
      'an unrelated refresh token, as many spares as are kept',
      { ...there, spares: ['rt_2', 'rt_3', 'rt_4'] },
      'rt_9',
      LIFE,
      { refreshToken: 'rt_9', spares: ['rt_1', 'rt_2', 'rt_3'] },
    ],
    [
      'a spare',
      { ...there, spares: ['rt_2', 'rt_9'] },
      'rt_9',
      LIFE,
      { refreshToken: 'rt_9', spares: ['rt_1', 'rt_2'] },
    ],
    [
      'an unrelated refresh token, a pending rotation',
      { ...there, pendingRotation: 'rt_0' },
      'rt_9',
      LIFE,
      { refreshToken: 'rt_9', pendingRotation: undefined },
    ],
  ])('%s', (_what, before, given, times, expected) => {
    expect(recordRemembered(before, tokens(given), times, 'ada')).toMatchObject({
      customerUid: 'ada',
      transactionId: '1',
      ...expected,
    });
  });
});
