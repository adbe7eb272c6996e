import { inspect } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BerbixInputError, BerbixTokens } from 'nestjs-berbix';

const SECRETS = ['rt_canary', 'at_canary', 'ct_canary'];

afterEach(() => void jest.restoreAllMocks());

function tokensFor(expiresAt: Date): BerbixTokens {
  return new BerbixTokens({
    refreshToken: 'rt_canary',
    accessToken: 'at_canary',
    clientToken: 'ct_canary',
    transactionId: '1234',
    expiresAt,
  });
}

describe('BerbixTokens from a database row', () => {
  it('accept null for unknown values', () => {
    const tokens = new BerbixTokens({
      refreshToken: 'rt',
      accessToken: null as never,
      clientToken: null as never,
      transactionId: null as never,
      lifetimeMs: null as never,
      expiresAt: new Date(Date.now() + 3_600_000),
    });
    expect(tokens.needsRefresh()).toBe(true);
    for (const name of ['accessToken', 'clientToken', 'transactionId', 'lifetimeMs'] as const) {
      expect([name, tokens[name]]).toEqual([name, undefined]);
    }
  });

  it.each(['', 'null', '12a', 'a12', ' 1', '1\n', '-1', '1'.repeat(21), 12])(
    'refuse an invalid transaction id: %p',
    (transactionId) => {
      const init = { refreshToken: 'rt', transactionId: transactionId as string };
      expect(() => new BerbixTokens(init)).toThrow('transactionId must be the digits');
    },
  );

  it.each(['0', '18446744073709551615'])('accept the transaction id %s', (transactionId) => {
    expect(new BerbixTokens({ refreshToken: 'rt', transactionId })).toMatchObject({
      transactionId,
    });
  });

  it.each([
    [{ expiresAt: 1n }, 'expiresAt must be a Date, or left out.'],
    [{ expiresAt: {} }, 'expiresAt must be a Date'],
    [{ expiresAt: '31.12.2026 10:00' }, 'expiresAt must be a Date'],
    [{ expiresAt: new Date(Number.NaN) }, 'expiresAt must be a Date'],
    [{ lifetimeMs: 1n }, 'lifetimeMs must be a number of milliseconds, or left out.'],
    [{ lifetimeMs: Number.NaN }, 'lifetimeMs must be a number of milliseconds, or left out.'],
    [{ lifetimeMs: -1 }, 'lifetimeMs must be a number of milliseconds, or left out.'],
    [{ accessToken: 7 }, 'accessToken must be a string, or left out.'],
    [{ clientToken: {} }, 'clientToken must be a string, or left out.'],
    [{ accessToken: '[redacted]' }, 'These tokens were converted to JSON or printed'],
    [{ clientToken: 'BerbixTokens(7)' }, 'These tokens were converted to JSON or printed'],
  ])('refuse an invalid part: %p', (part, message) => {
    const make = (): unknown => new BerbixTokens({ refreshToken: 'rt', ...(part as object) });
    expect(make).toThrow(expect.objectContaining({ code: 'BERBIX_INPUT' }));
    expect(make).toThrow(message);
  });

  it('accept empty texts for unknown tokens, and a lifetime that has ended', () => {
    const tokens = new BerbixTokens({
      refreshToken: 'rt',
      accessToken: '',
      clientToken: '',
      lifetimeMs: 0,
    });
    const { accessToken, clientToken, lifetimeMs } = tokens;
    expect({ accessToken, clientToken, lifetimeMs }).toEqual({ lifetimeMs: 0 });
  });

  it('accept times as a database returns them', () => {
    const time = '2030-01-01T00:00:00.000Z';
    for (const expiresAt of [new Date(time), time, Date.parse(time)] as Date[]) {
      const tokens = new BerbixTokens({ refreshToken: 'rt', expiresAt });
      expect(tokens.expiresAt?.toISOString()).toBe(time);
    }
  });

  it('say what is missing if a library creates them without arguments', () => {
    expect(() => new BerbixTokens(undefined as never)).toThrow('The refresh token is missing');
  });
});

describe('BerbixTokens', () => {
  it('shows its values only in its properties', () => {
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const tokens = tokensFor(expiresAt);
    expect(tokens.refreshToken).toBe('rt_canary');
    expect(tokens.accessToken).toBe('at_canary');
    expect(tokens.clientToken).toBe('ct_canary');
    expect(tokens.transactionId).toBe('1234');
    expect(tokens.expiresAt).toEqual(expiresAt);

    const shown = [
      JSON.stringify(tokens),
      JSON.stringify({ nested: [tokens] }),
      inspect(tokens, { depth: null, showHidden: true }),
      inspect({ tokens }, { depth: null }),
      `${String(tokens)}`,
      inspect({ ...tokens }),
      JSON.stringify(Object.entries(tokens)),
      inspect(structuredClone({ ...tokens })),
    ];
    for (const text of shown) for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(shown[0]).toContain('1234');
  });

  it('is printed with its transaction and its end, and with which tokens it has', () => {
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const whole = tokensFor(expiresAt);
    const shown = {
      transactionId: '1234',
      expiresAt: '2030-01-01T00:00:00.000Z',
      refreshToken: '[redacted]',
      accessToken: '[redacted]',
      clientToken: '[redacted]',
    };
    expect(JSON.parse(JSON.stringify(whole))).toEqual(shown);
    expect(inspect(whole)).toBe(`BerbixTokens ${inspect(shown)}`);
    expect(String(whole)).toBe('BerbixTokens(1234)');
    const bare = BerbixTokens.fromRefresh('rt_canary');
    expect(JSON.parse(JSON.stringify(bare))).toEqual({ refreshToken: '[redacted]' });
    expect(String(bare)).toBe('BerbixTokens(transaction not known yet)');
  });

  it('has a fingerprint of its three tokens and its transaction', () => {
    const init = { refreshToken: 'r', accessToken: 'a', clientToken: 'c', transactionId: '1' };
    const fingerprintOf = (changes: object): unknown =>
      Reflect.get(new BerbixTokens({ ...init, ...changes }), Symbol.for('berbix:tokens'));
    const all = [
      {},
      { refreshToken: 'x' },
      { accessToken: 'x' },
      { clientToken: 'x' },
      { transactionId: '2' },
    ].map(fingerprintOf);
    expect(new Set(all).size).toBe(5);
    for (const each of all) expect(each).toMatch(/^fingerprint [\w-]{16}$/);
    expect(fingerprintOf({ expiresAt: new Date(5), lifetimeMs: 5 })).toBe(all[0]);
  });

  it('cannot be changed', () => {
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const tokens = tokensFor(expiresAt);
    expiresAt.setTime(0);
    tokens.expiresAt?.setTime(0);
    expect(tokens.expiresAt?.getTime()).toBe(Date.parse('2030-01-01T00:00:00Z'));
    expect(() => Object.assign(tokens, { refreshToken: 'other' })).toThrow(TypeError);
    expect(() => Object.assign(tokens, { transactionId: 'other' })).toThrow(TypeError);
  });

  it('needs a refresh without an access token, and from the leeway before it expires', () => {
    expect(BerbixTokens.fromRefresh('rt').needsRefresh()).toBe(true);
    expect(tokensFor(new Date(Date.now() - 1)).needsRefresh(0)).toBe(true);
    expect(tokensFor(new Date(Date.now() + 59_000)).needsRefresh()).toBe(true);
    expect(tokensFor(new Date(Date.now() + 90_000)).needsRefresh()).toBe(false);
    expect(tokensFor(new Date(Date.now() + 90_000)).needsRefresh(120_000)).toBe(true);
  });

  it('needs a refresh if nobody knows when it expires', () => {
    expect(new BerbixTokens({ refreshToken: 'rt', accessToken: 'at' }).needsRefresh(0)).toBe(true);
  });

  it.each(['60000', null, 1n])('says that a leeway of %p is no number', (leewayMs) => {
    const tokens = tokensFor(new Date(Date.now() + 90_000));
    expect(() => tokens.needsRefresh(leewayMs as never)).toThrow(
      new BerbixInputError('leewayMs must be a number of milliseconds, or left out.'),
    );
  });

  it('needs a refresh once it has expired by the clock of the host, which was set forward', () => {
    const tokens = tokensFor(new Date(Date.now() + 120_000));
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 90_000);
    expect(tokens.needsRefresh()).toBe(true);
    expect(tokens.needsRefresh(0)).toBe(false);
  });

  it('needs a refresh once its time has passed, though the clock of the host was set back', () => {
    const tokens = tokensFor(new Date(Date.now() + 120_000));
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
    jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 90_000);
    expect(tokens.needsRefresh()).toBe(true);
  });

  it('lasts for no more than its lifetime, though the clock was set back before it was made', () => {
    const lifetimeMs = 3_600_000;
    const expiresAt = new Date(Date.now() + lifetimeMs);
    const back = Date.now() - lifetimeMs;
    jest.spyOn(Date, 'now').mockReturnValue(back);
    const tokens = new BerbixTokens({ refreshToken: 'r', accessToken: 'a', expiresAt, lifetimeMs });
    expect(tokens.needsRefresh(lifetimeMs - 60_000)).toBe(false);
    jest.spyOn(performance, 'now').mockReturnValue(performance.now() + lifetimeMs);
    expect(tokens.needsRefresh(0)).toBe(true);
  });

  it.each([
    [undefined, 60_000],
    [3_600_000, 60_000],
    [600_000, 60_000],
    [590_000, 59_000],
    [30_000, 3_000],
  ])('with a lifetime of %p ms, needs a refresh %i ms before it expires', (lifetimeMs, leeway) => {
    jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    const init = { refreshToken: 'rt', accessToken: 'at', lifetimeMs };
    const needed = [leeway, leeway + 1].map((ms) =>
      new BerbixTokens({ ...init, expiresAt: new Date(Date.now() + ms) }).needsRefresh(),
    );
    expect(needed).toEqual([true, false]);
  });
});
