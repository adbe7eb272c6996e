import { jest } from '@jest/globals';

const nextTurn = setImmediate;

/** Far more than an hour of any test takes. */
const MOST_STEPS = 50_000;

/** Time stands still from now on, and chance is one of a kind; {@link advance} moves the former on. */
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

/** Lets everything happen that needs no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Lets so many milliseconds pass, with what is due in them. */
export async function advance(ms: number): Promise<void> {
  const end = { isOver: false };
  const timer = setTimeout(() => (end.isOver = true), ms);
  await settle();
  for (let step = 0; !end.isOver; step++) await next(step);
  clearTimeout(timer);
}

/** What is due next happens. Nobody may be so busy that time hardly passes. */
async function next(step: number): Promise<void> {
  if (step > MOST_STEPS) throw new Error('something is done over and over again');
  jest.advanceTimersToNextTimer();
  await settle();
}

/** The clock of the host is set; how much time has passed is another matter. */
export function setHostClock(stepMs: number): void {
  jest.setSystemTime(Date.now() + stepMs);
}

/** The clock of the store is set; it has its own beginning of time. */
export function setStoreClock(stepMs: number): void {
  const value = performance.timeOrigin + stepMs;
  Object.defineProperty(performance, 'timeOrigin', { value, configurable: true });
}

/** How a promise ended, and after how many milliseconds; undefined where it did not within the limit. */
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
  // Something is always due, so that time passes at all.
  const pulse = setInterval(() => {}, 1_000);
  await settle();
  for (let step = 0; end.outcome === undefined && performance.now() - begun < limitMs; step++) {
    await next(step);
  }
  clearInterval(pulse);
  if (end.outcome === undefined) throw new Error(`it did not end within ${limitMs} ms`);
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

/** Mulberry32: as random as needed here, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
