import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SandboxClock } from 'nestjs-berbix/sandbox';
import { Timers } from '../../lib/sandbox/clock.js';

describe('SandboxClock', () => {
  it('is the real time until it is moved, and after a reset', () => {
    const clock = new SandboxClock();
    const real = Date.now();
    expect(clock.now()).toBeGreaterThanOrEqual(real);
    clock.advance(-3_600_000);
    expect(clock.now()).toBeLessThan(real);
    clock.reset();
    expect(clock.now()).toBeGreaterThanOrEqual(real);
  });

  it('adds up advances, and accepts dates and numbers', () => {
    const clock = new SandboxClock();
    const start = Date.UTC(2030, 0, 1);
    clock.set(new Date(start));
    expect(clock.now()).toBeGreaterThanOrEqual(start);
    clock.set(start);
    clock.advance(86_400_000);
    clock.advance(86_400_000);
    expect(new Date(clock.now()).toISOString()).toMatch(/^2030-01-03/);
  });

  it('refuses what is not a time, and does not change', () => {
    const clock = new SandboxClock();
    // What is added to the time has room below 8.64e15, the end of a Date.
    for (const time of [NaN, Infinity, 8.1e15, -8.1e15, new Date('x')]) {
      expect(() => clock.set(time)).toThrow(RangeError);
    }
    clock.set(7.9e15);
    clock.set(-7.8e15);
    clock.reset();
    clock.advance(7.9e15);
    expect(() => clock.advance(1)).toThrow('at most 7900000000000000 milliseconds');
    clock.reset();
    expect(() => clock.advance(NaN)).toThrow(RangeError);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
  });
});

describe('Timers', () => {
  it('do not keep the process alive', () => {
    const before = process.getActiveResourcesInfo();
    const timers = new Timers();
    const wait = timers.wait(3_600_000);
    expect(process.getActiveResourcesInfo()).toEqual(before);
    timers.clear();
    return expect(wait).rejects.toThrow('aborted');
  });

  it('end all their waits, of which there may be many', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    const timers = new Timers();
    const waits = Array.from({ length: 20 }, () => timers.wait(3_600_000));
    timers.clear();
    const ends = await Promise.allSettled([...waits, timers.wait(3_600_000)]);
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['rejected']));
    await setImmediate();
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});
