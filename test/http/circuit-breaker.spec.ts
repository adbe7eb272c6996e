import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventBus } from '../../lib/events/index.js';
import { CircuitBreaker, type Judged, type Verdict } from '../../lib/http/circuit-breaker.js';

/** Milliseconds until an open circuit is half open, and until it no longer counts as open. */
const [HALF_OPEN_MS, OUTDATED_MS] = [5_000, 35_000];

describe('the circuit breaker, to the millisecond', () => {
  let now = 0;
  let heard: string[] = [];
  let breaker: CircuitBreaker;

  beforeEach(() => {
    now = 1_000_000;
    const kinds: string[] = [];
    heard = kinds;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const events = new EventBus('default');
    events.listen(({ kind }) => kinds.push(kind));
    breaker = new CircuitBreaker(events);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** What the events say has happened. */
  async function changes(): Promise<string[]> {
    await setImmediate();
    return heard;
  }

  async function attempt(verdict: Verdict, isLong = false): Promise<void> {
    await breaker.run(
      async () => ({ verdict }),
      (probe) => probe,
      isLong,
    );
  }

  async function open(): Promise<void> {
    for (let n = 0; n < 10; n++) await attempt('unhealthy');
  }

  /** An attempt that ends when it is told to. */
  class Running {
    isBegun = false;
    readonly #run: Promise<Judged>;
    #end: ((result: Judged) => void) | undefined;

    constructor(isLong = false) {
      const work = (): Promise<Judged> => {
        this.isBegun = true;
        return new Promise((resolve) => (this.#end = resolve));
      };
      this.#run = breaker.run(work, (probe) => probe, isLong);
      // It may be refused after it has waited.
      this.#run.catch(() => {});
    }

    async end(verdict: Verdict): Promise<void> {
      this.#end?.({ verdict });
      await this.#run;
    }
  }

  it('is closed until ten attempts have failed', async () => {
    for (let n = 0; n < 9; n++) await attempt('unhealthy');
    expect(() => breaker.check()).not.toThrow();
    expect(breaker.isOpen).toBe(false);
    await attempt('unhealthy');
    expect(breaker.isOpen).toBe(true);
    expect(await changes()).toEqual(['circuit.opened']);
  });

  it.each([
    { after: 0, retryAfterMs: HALF_OPEN_MS },
    { after: 0.5, retryAfterMs: HALF_OPEN_MS },
    { after: HALF_OPEN_MS - 0.5, retryAfterMs: 1 },
  ])('blocks attempts $after ms later, for $retryAfterMs ms', async ({ after, retryAfterMs }) => {
    await open();
    now += after;
    const refusal = { code: 'BERBIX_UNAVAILABLE', retryable: true, retryAfterMs };
    const made = jest.fn(async () => ({ verdict: 'healthy' as const }));
    expect(() => breaker.check()).toThrow(expect.objectContaining(refusal));
    expect(() => breaker.run(made, (probe) => probe, false)).toThrow(
      expect.objectContaining(refusal),
    );
    expect(made).not.toHaveBeenCalled();
  });

  it('is half open after five seconds, and a healthy attempt closes it', async () => {
    await open();
    now += HALF_OPEN_MS;
    expect(() => breaker.check()).not.toThrow();
    expect(breaker.isOpen).toBe(true);
    await attempt('healthy');
    expect(breaker.isOpen).toBe(false);
    expect(await changes()).toEqual(['circuit.opened', 'circuit.closed']);
    await attempt('healthy');
    expect(await changes()).toHaveLength(2);
  });

  it.each([false, true])(
    'blocks attempts for another five seconds after an unhealthy one (long: %s)',
    async (isLong) => {
      await open();
      now += HALF_OPEN_MS;
      await attempt('unhealthy', isLong);
      now += HALF_OPEN_MS - 1;
      expect(() => breaker.check()).toThrow(expect.objectContaining({ retryAfterMs: 1 }));
      now += 1;
      expect(() => breaker.check()).not.toThrow();
      expect(await changes()).toEqual(['circuit.opened']);
    },
  );

  it('is known to be open for half a minute after it last blocked attempts', async () => {
    await open();
    now += OUTDATED_MS - 1;
    expect(breaker.isOpen).toBe(true);
    now += 1;
    expect(breaker.isOpen).toBe(false);
    expect(await changes()).toEqual(['circuit.opened']);
    // It still lets one attempt through after the other.
    const first = new Running();
    const second = new Running();
    expect([first.isBegun, second.isBegun]).toEqual([true, false]);
    await first.end('healthy');
    expect(await changes()).toEqual(['circuit.opened', 'circuit.closed']);
  });

  it('waits for the attempt that probes, and goes on as that one ends', async () => {
    await open();
    now += HALF_OPEN_MS;
    const probe = new Running();
    const upload = new Running(true);
    const waiting = breaker.run(
      async () => ({ verdict: 'healthy' }),
      (ended) => ended,
      false,
    );
    expect([probe.isBegun, upload.isBegun]).toEqual([true, false]);
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ code: 'BERBIX_UNAVAILABLE' }),
      probe.end('unhealthy'),
    ]);
  });

  it('lets the next one probe after an inconclusive attempt', async () => {
    await open();
    now += HALF_OPEN_MS;
    await attempt('inconclusive');
    expect(breaker.isOpen).toBe(true);
    const [first, second] = [new Running(), new Running()];
    expect([first.isBegun, second.isBegun]).toEqual([true, false]);
  });

  it('lets attempts through beside an upload', async () => {
    await open();
    now += HALF_OPEN_MS;
    const upload = new Running(true);
    const probe = new Running();
    expect([upload.isBegun, probe.isBegun]).toEqual([true, true]);
  });

  it.each<Verdict>(['healthy', 'unhealthy'])(
    'is not changed by an attempt (%s) that began before it opened',
    async (verdict) => {
      const before = new Running();
      await open();
      now += HALF_OPEN_MS - 1;
      await before.end(verdict);
      expect(() => breaker.check()).toThrow(expect.objectContaining({ retryAfterMs: 1 }));
      expect(await changes()).toEqual(['circuit.opened']);
    },
  );

  it('counts from zero once it has closed', async () => {
    await open();
    now += HALF_OPEN_MS;
    await attempt('healthy');
    for (let n = 0; n < 19; n++) await attempt('healthy');
    for (let n = 0; n < 19; n++) await attempt('unhealthy');
    expect(breaker.isOpen).toBe(false);
    await attempt('unhealthy');
    expect(breaker.isOpen).toBe(true);
  });
});
