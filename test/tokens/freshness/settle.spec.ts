import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import {
  mergeOnto,
  recordAfter,
  recordRemembered,
  withSuccessor,
} from '../../../lib/tokens/freshness/settle.js';
import { withSuperseded, type TokenRecord } from '../../../lib/tokens/freshness/token-record.js';

const NOW = 1_000_000_000;

function record(refreshToken: string, more: Partial<TokenRecord> = {}): TokenRecord {
  return { refreshToken, exchangedAt: NOW, ...more };
}

/** Hashes of refresh tokens that were replaced. */
const after = (...tokens: string[]) => ({
  supersededHashes: withSuperseded(record(''), tokens),
});
const [EARLIER, LATER] = [{ exchangedAt: NOW - 1 }, { exchangedAt: NOW + 1 }];

/** The refresh token of what is written over the record that is there, or why it is not. */
function merged(next: TokenRecord, there: TokenRecord, version = 2): string {
  const seen = { version: 1, value: record('rt_1', EARLIER) };
  const result = mergeOnto({ version, value: there }, seen, next);
  return typeof result === 'object' ? result.refreshToken : result;
}

describe('mergeOnto', () => {
  const [same, rotated] = [record('rt_1'), record('rt_2', after('rt_1'))];

  it.each<[string, TokenRecord, TokenRecord, string, number?]>([
    ['the same refresh token', same, record('rt_1', EARLIER), 'rt_1'],
    ['the same, exchanged since', same, record('rt_1', LATER), 'moved on'],
    ['the one that was replaced', rotated, record('rt_1', EARLIER), 'rt_2'],
    ['the one that was replaced, exchanged since', rotated, record('rt_1', LATER), 'rt_2'],
    [
      'one before the one that was replaced',
      record('rt_2', after('rt_0', 'rt_1')),
      record('rt_0', EARLIER),
      'rt_2',
    ],
    ['the new one', rotated, record('rt_2', LATER), 'moved on'],
    ['one after the new one', rotated, record('rt_3', after('rt_1', 'rt_2')), 'moved on'],
    [
      'another in place of the same, later',
      rotated,
      record('rt_3', { ...LATER, ...after('rt_1') }),
      'moved on',
    ],
    [
      'another in place of the same, earlier',
      rotated,
      record('rt_3', { ...EARLIER, ...after('rt_1') }),
      'conflict',
    ],
    ['an unrelated one', rotated, record('rt_9'), 'conflict'],
    ['an unrelated one of a later exchange', rotated, record('rt_9', LATER), 'conflict'],
    ['an unrelated one, nothing was replaced', same, record('rt_9'), 'moved on'],
    [
      'an unrelated one in a record that was lost, nothing was replaced',
      same,
      record('rt_9'),
      'conflict',
      1,
    ],
  ])('finds %s', (_what, next, there, ...[expected, version]) => {
    expect(merged(next, there, version)).toBe(expected);
  });

  it('keeps whose the tokens are, as the newer record says', () => {
    const [ada, ben] = [{ customerUid: 'ada' }, { customerUid: 'ben', templateKey: 'tpk' }];
    const names = (version: number): unknown => {
      const seen = { version: 2, value: record('rt_1', { ...EARLIER, ...ada }) };
      const current = { version, value: record('rt_1', { ...EARLIER, ...ben }) };
      const { customerUid, templateKey } = mergeOnto(current, seen, same) as TokenRecord;
      return { customerUid, templateKey };
    };
    expect(names(3)).toEqual(ben);
    expect(names(1)).toEqual({ ...ada, templateKey: 'tpk' });
  });

  it('finds no record: one that was lost is saved again, one that was forgotten is not (I8)', () => {
    const seen = { version: 1, value: record('rt_1', EARLIER) };
    expect(mergeOnto({ version: 0, value: undefined }, seen, rotated)).toBe(rotated);
    expect(mergeOnto({ version: 2, value: undefined }, seen, rotated)).toBe('moved on');
  });
});

it('after a conflict, the new refresh token becomes a spare, and the replaced one is none any more', () => {
  const there = record('rt_9', { accessToken: 'at_9', spares: ['rt_1', 'rt_0'] });
  expect(withSuccessor(there, record('rt_1'), record('rt_2', { rotates: true }))).toEqual({
    ...there,
    rotates: true,
    ...after('rt_1'),
    spares: ['rt_2', 'rt_0'],
  });
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

  it('has the new access token, and the names of before', () => {
    const exchanged = { tokens: tokens('rt_1'), presented: 'rt_1', times: TIMES };
    const next = recordAfter(before, exchanged, true);
    expect(next).toMatchObject({ refreshToken: 'rt_1', accessToken: 'at_new', ...TIMES });
    expect(next).toMatchObject({ customerUid: 'ada', spares: undefined });
    for (const field of ['pendingRotation', 'rotates', 'supersededHashes'] as const) {
      expect(next[field]).toBeUndefined();
    }
  });

  it.each([true, false])(
    'notes a new refresh token; the application is notified: %s',
    (notifies) => {
      const exchanged = { tokens: tokens('rt_2'), presented: 'rt_1', times: TIMES };
      const next = recordAfter(before, exchanged, notifies);
      expect(next).toMatchObject({ refreshToken: 'rt_2', rotates: true });
      expect(next.pendingRotation).toBe(notifies ? 'rt_1' : undefined);
      expect(next.supersededHashes).toEqual(after('rt_1', 'rt_0').supersededHashes);
    },
  );

  it('takes a spare for no rotation where the API left it as it was', () => {
    const exchanged = { tokens: tokens('rt_0'), presented: 'rt_0', times: TIMES };
    const next = recordAfter(before, exchanged, true);
    expect(next).toMatchObject({ refreshToken: 'rt_0', pendingRotation: 'rt_1' });
    expect(next.rotates).toBeUndefined();
  });

  it('keeps access token and times where only the refresh token of an answer is usable', () => {
    const exchanged = { tokens: tokens('rt_2'), presented: 'rt_1', times: undefined };
    const next = recordAfter(before, exchanged, false);
    expect(next).toMatchObject({ refreshToken: 'rt_2', accessToken: 'at_old', ...EARLIER });
  });
});

describe('recordRemembered', () => {
  const LIFE = { expiresAt: NOW + 1_000, lifetimeMs: 3_600_000 };
  const there = record('rt_1', { accessToken: 'at_old', expiresAt: NOW, ...after('rt_0') });

  it.each<[string, TokenRecord | undefined, string, typeof LIFE | undefined, object]>([
    ['nothing there', undefined, 'rt_1', LIFE, { refreshToken: 'rt_1', accessToken: 'at_new' }],
    ['the same with newer tokens', there, 'rt_1', LIFE, { accessToken: 'at_new' }],
    [
      'the same with older tokens',
      there,
      'rt_1',
      { ...LIFE, expiresAt: NOW - 1 },
      { accessToken: 'at_old' },
    ],
    ['the same alone', there, 'rt_1', undefined, { accessToken: 'at_old', expiresAt: NOW }],
    ['one that was replaced', there, 'rt_0', LIFE, { refreshToken: 'rt_1', accessToken: 'at_old' }],
    [
      'an unrelated one',
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
      'an unrelated one of a transaction whose token is replaced',
      { ...there, rotates: true },
      'rt_9',
      LIFE,
      { refreshToken: 'rt_9', spares: ['rt_1'], ...after('rt_0') },
    ],
    [
      'a refresh token alone that may have been replaced long ago',
      { ...there, ...after(...Array.from({ length: 1_000 }, (_, n) => `rt_${n + 10}`)) },
      'rt_9',
      undefined,
      { refreshToken: 'rt_1', accessToken: 'at_old', spares: ['rt_9'] },
    ],
    [
      'an unrelated one, application not notified yet',
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
