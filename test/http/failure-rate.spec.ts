import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FailureRate } from '../../lib/http/failure-rate.js';

const SECOND = 1_000;

describe('the rate of failures', () => {
  let now = 0;

  beforeEach(() => {
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Failures of one subject. */
  function fail(rate: FailureRate, subject: string | undefined, times: number): void {
    for (let n = 0; n < times; n++) rate.failed(subject);
  }

  it('is too high from half of ten attempts on', () => {
    const rate = new FailureRate();
    fail(rate, undefined, 4);
    for (let n = 0; n < 5; n++) rate.succeeded();
    expect(rate.isTooHigh).toBe(false);
    fail(rate, undefined, 1);
    expect(rate.isTooHigh).toBe(true);
    rate.succeeded();
    expect(rate.isTooHigh).toBe(false);
  });

  it('counts two failures of a subject, and two more when those have expired', () => {
    const rate = new FailureRate();
    for (const subject of ['a', 'b', 'c', 'd']) fail(rate, subject, 5);
    expect(rate.isTooHigh).toBe(false);
    fail(rate, 'e', 5);
    expect(rate.isTooHigh).toBe(true);
    now += 11 * SECOND;
    expect(rate.isTooHigh).toBe(false);
    for (const subject of ['a', 'b', 'c', 'd']) fail(rate, subject, 5);
    expect(rate.isTooHigh).toBe(false);
    fail(rate, 'e', 5);
    expect(rate.isTooHigh).toBe(true);
  });

  it('forgets a second at a time', () => {
    const rate = new FailureRate();
    fail(rate, undefined, 5);
    now += 5 * SECOND;
    fail(rate, undefined, 5);
    expect(rate.isTooHigh).toBe(true);
    now += 7 * SECOND;
    expect(rate.isTooHigh).toBe(false);
    fail(rate, undefined, 5);
    expect(rate.isTooHigh).toBe(true);
  });

  it.each([
    { failuresAt: 0, countUntil: 11_000 },
    { failuresAt: 999, countUntil: 11_000 },
    { failuresAt: 1_000, countUntil: 12_000 },
    { failuresAt: 2_500, countUntil: 13_500 },
  ])(
    'counts failures after $failuresAt ms until $countUntil ms, since they expire by the second',
    ({ failuresAt, countUntil }) => {
      const rate = new FailureRate();
      rate.succeeded();
      now = failuresAt;
      fail(rate, undefined, 10);
      now = countUntil - 1;
      expect(rate.isTooHigh).toBe(true);
      now = countUntil;
      expect(rate.isTooHigh).toBe(false);
    },
  );

  it('forgets successes as it forgets failures', () => {
    const rate = new FailureRate();
    for (let n = 0; n < 20; n++) rate.succeeded();
    now = 5 * SECOND;
    fail(rate, undefined, 10);
    expect(rate.isTooHigh).toBe(false);
    now = 11 * SECOND;
    expect(rate.isTooHigh).toBe(true);
    for (let n = 0; n < 11; n++) rate.succeeded();
    expect(rate.isTooHigh).toBe(false);
  });

  it('counts a failure of a subject for each of its two that has expired', () => {
    const rate = new FailureRate();
    for (let n = 0; n < 9; n++) rate.succeeded();
    fail(rate, 'a', 1);
    now = SECOND;
    fail(rate, 'a', 1);
    now = 11 * SECOND;
    // One of the two still counts, and the successes do not.
    fail(rate, 'a', 2);
    for (const subject of ['b', 'c', 'd', 'e']) fail(rate, subject, 1);
    for (let n = 0; n < 4; n++) rate.succeeded();
    expect(rate.isTooHigh).toBe(true);
    rate.succeeded();
    rate.succeeded();
    rate.succeeded();
    expect(rate.isTooHigh).toBe(false);
  });

  it('begins anew after a reset', () => {
    const rate = new FailureRate();
    fail(rate, undefined, 10);
    rate.reset();
    expect(rate.isTooHigh).toBe(false);
    fail(rate, undefined, 9);
    expect(rate.isTooHigh).toBe(false);
    fail(rate, undefined, 1);
    expect(rate.isTooHigh).toBe(true);
    for (const subject of ['a', 'b']) fail(rate, subject, 2);
    rate.reset();
    for (const subject of ['a', 'b', 'c', 'd', 'e']) fail(rate, subject, 2);
    expect(rate.isTooHigh).toBe(true);
    now = 11 * SECOND;
    expect(rate.isTooHigh).toBe(false);
    fail(rate, undefined, 10);
    expect(rate.isTooHigh).toBe(true);
  });
});
