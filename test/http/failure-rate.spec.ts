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

  it('begins anew after a reset', () => {
    const rate = new FailureRate();
    fail(rate, undefined, 10);
    rate.reset();
    expect(rate.isTooHigh).toBe(false);
    fail(rate, undefined, 10);
    expect(rate.isTooHigh).toBe(true);
  });
});
