import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BerbixTokenService, BerbixTransactionService } from 'nestjs-berbix';
import { FakeClock, sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { servicesFor, startSandbox } from '../support/services.js';

const HOUR_MS = 3_600_000;

const [RealDate, realNow] = [Date, performance.now.bind(performance)];
let clock: FakeClock | undefined;
const install = (): FakeClock => (clock = FakeClock.install());
afterEach(() => {
  clock?.uninstall();
  clock = undefined;
});

/** How many hours each clock of the process is ahead of the real time. */
function hoursAhead(): number[] {
  const hours = (ms: number): number => Math.abs(Math.round(ms / HOUR_MS));
  const real = RealDate.now();
  return [
    hours(Date.now() - real),
    hours(new Date().getTime() - real),
    hours(RealDate.parse(Date()) - real),
    hours(performance.now() - realNow()),
  ];
}

describe('FakeClock', () => {
  it('advances every clock of the process, and restores them', () => {
    expect(hoursAhead()).toEqual([0, 0, 0, 0]);
    const fake = install();
    expect(hoursAhead()).toEqual([0, 0, 0, 0]);
    fake.advance(HOUR_MS);
    fake.advance(2 * HOUR_MS);
    expect(hoursAhead()).toEqual([3, 3, 3, 3]);
    fake.uninstall();
    fake.uninstall();
    expect(hoursAhead()).toEqual([0, 0, 0, 0]);
    expect(Date).toBe(RealDate);
    expect(Object.hasOwn(performance, 'now')).toBe(false);
  });

  it('gives back another clock that was there before it', () => {
    const mine = { value: () => 5, configurable: true, enumerable: true, writable: false };
    Object.defineProperty(performance, 'now', mine);
    try {
      const fake = install();
      fake.advance(HOUR_MS);
      expect(performance.now()).toBe(5 + HOUR_MS);
      fake.uninstall();
      expect(Object.getOwnPropertyDescriptor(performance, 'now')).toEqual(mine);
    } finally {
      Reflect.deleteProperty(performance, 'now');
    }
  });

  it('does not uninstall its successor', () => {
    const earlier = install();
    earlier.uninstall();
    const later = install();
    later.advance(HOUR_MS);
    earlier.uninstall();
    expect(hoursAhead()).toEqual([1, 1, 1, 1]);
    later.uninstall();
    expect(hoursAhead()).toEqual([0, 0, 0, 0]);
  });

  it('does not change other properties of dates', () => {
    class Day extends Date {}
    install().advance(HOUR_MS);
    expect(new Date(5).getTime()).toBe(5);
    expect(new Date(2030, 0, 1)).toEqual(new RealDate(2030, 0, 1));
    expect(Date.UTC(2030, 0)).toBe(RealDate.UTC(2030, 0));
    expect(new Date()).toBeInstanceOf(RealDate);
    expect(new RealDate()).toBeInstanceOf(Date);
    expect(new Day(7)).toBeInstanceOf(Day);
    expect(Number.isInteger(Date.now())).toBe(true);
  });

  it.each([0, 0.5, HOUR_MS])('can be advanced by %s ms', (ms) => {
    jest.spyOn(performance, 'now').mockReturnValue(7);
    try {
      install().advance(ms);
      expect(performance.now()).toBe(7 + ms);
    } finally {
      clock?.uninstall();
      jest.restoreAllMocks();
    }
  });

  it.each([-1, NaN, Infinity])('cannot be advanced by %s', (ms) => {
    const fake = install();
    expect(() => fake.advance(ms)).toThrow(RangeError);
    expect(hoursAhead()).toEqual([0, 0, 0, 0]);
  });

  it('can only be installed once at a time', () => {
    install();
    expect(() => FakeClock.install()).toThrow('uninstall()');
    clock?.uninstall();
    expect(() => install()).not.toThrow();
  });

  it('expires tokens on both sides, while connections work', async () => {
    const fake = install();
    const sandbox = await startSandbox();
    const sandboxAhead = (): number => Math.round((sandbox.clock.now() - RealDate.now()) / HOUR_MS);
    const services = await servicesFor(sandbox);
    const tokens: BerbixTokenService = services.tokens;
    const transactions: BerbixTransactionService = services.transactions;
    const templateKey = sandbox.templateKeys.sdk;
    const created = await firstValueFrom(transactions.create({ customerUid: 'ada', templateKey }));
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    const accessToken = async (): Promise<string | undefined> =>
      (await firstValueFrom(tokens.fresh({ customerUid: 'ada' }))).accessToken;
    expect(await accessToken()).toBe(created.accessToken);
    expect(created.needsRefresh()).toBe(false);

    expect(sandboxAhead()).toBe(0);
    fake.advance(HOUR_MS);
    expect(sandboxAhead()).toBe(1);
    expect(created.needsRefresh()).toBe(true);
    const renewed = await accessToken();
    expect(renewed).not.toBe(created.accessToken);
    const { id } = await firstValueFrom(transactions.fetch({ customerUid: 'ada' }));
    expect(id).toBe(created.transactionId);
    expect(await accessToken()).toBe(renewed);
  });
});

describe('sampleTokens', () => {
  it('creates tokens of a new transaction that are valid for an hour', () => {
    const [one, other] = [sampleTokens(), sampleTokens()];
    expect(one.needsRefresh(HOUR_MS - 60_000)).toBe(false);
    expect(one.needsRefresh(HOUR_MS)).toBe(true);
    expect(one.transactionId).toMatch(/^\d+$/);
    for (const part of ['refreshToken', 'accessToken', 'clientToken', 'transactionId'] as const) {
      expect(one[part]).toBeTruthy();
      expect(one[part]).not.toBe(other[part]);
    }
  });

  it('accepts parts', () => {
    const tokens = sampleTokens({ expiresAt: new Date(0), transactionId: '7' });
    expect(tokens.needsRefresh()).toBe(true);
    expect(tokens.transactionId).toBe('7');
    expect(tokens.lifetimeMs).toBe(HOUR_MS);
  });
});
