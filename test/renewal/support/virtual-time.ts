import { jest } from '@jest/globals';

const nextTurn = setImmediate;

/** Far more timers than any test needs. */
const MAX_STEPS = 50_000;

/** Stops time, so that only {@link advance} and {@link outcomeOf} move it on, and makes chance repeatable. */
export function stopTime(seed: number): void {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
    now: Date.UTC(2030, 0, 1),
  });
  jest.spyOn(Math, 'random').mockImplementation(chance(seed));
}

export function letTimeRun(): void {
  jest.clearAllTimers();
  jest.useRealTimers();
  jest.restoreAllMocks();
}

/** Lets everything happen that takes no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Lets milliseconds pass, with the timers that are due in them. */
export async function advance(ms: number): Promise<void> {
  const end = { isOver: false };
  const timer = setTimeout(() => (end.isOver = true), ms);
  await settle();
  for (let step = 0; !end.isOver; step++) await next(step);
  clearTimeout(timer);
}

/** Runs the timer that is due next. A loop in which time hardly passes is an error. */
async function next(step: number): Promise<void> {
  if (step > MAX_STEPS) throw new Error('a loop keeps setting timers');
  jest.advanceTimersToNextTimer();
  await settle();
}

/** Sets the wall clock of the host; the monotonic clock does not change. */
export function setHostClock(stepMs: number): void {
  jest.setSystemTime(Date.now() + stepMs);
}

/** Sets the clock of the store, which is the monotonic clock plus an origin of its own. */
export function setStoreClock(stepMs: number): void {
  const value = performance.timeOrigin + stepMs;
  Object.defineProperty(performance, 'timeOrigin', { value, configurable: true });
}

/** How a promise settled, and after how many milliseconds. */
export interface Outcome<T> {
  value?: T;
  error?: unknown;
  afterMs: number;
}

/** Lets time pass until the promise has settled. */
export async function outcomeOf<T>(promise: Promise<T>, limitMs = 120_000): Promise<Outcome<T>> {
  const begun = performance.now();
  const end: { outcome?: Outcome<T> } = {};
  const note = (how: { value: T } | { error: unknown }): void => {
    end.outcome = { ...how, afterMs: performance.now() - begun };
  };
  promise.then(
    (value) => note({ value }),
    (error: unknown) => note({ error }),
  );
  // Some timer must be due, or time does not pass.
  const pulse = setInterval(() => {}, 1_000);
  await settle();
  for (let step = 0; end.outcome === undefined && performance.now() - begun < limitMs; step++) {
    await next(step);
  }
  clearInterval(pulse);
  if (end.outcome === undefined) throw new Error(`did not settle within ${limitMs} ms`);
  return end.outcome;
}

/** What the promise resolved to; its error is thrown. */
export async function valueOf<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
  const { value, error } = await outcomeOf(promise, limitMs);
  if (error !== undefined) throw error;
  return value as T;
}

/** The error of a promise that must not resolve. */
export async function failureOf(promise: Promise<unknown>, limitMs?: number): Promise<never> {
  const { value, error } = await outcomeOf(promise, limitMs);
  if (error === undefined) throw new Error(`expected an error, got ${String(value)}`);
  return error as never;
}

/** Mulberry32: random enough for tests, and the same numbers for the same seed. */
function chance(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
