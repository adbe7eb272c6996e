import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Limiter, NoTurn } from '../../lib/concurrency/index.js';

const hang = (): Promise<never> => new Promise(() => {});
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A limiter of one with calls, of which each lasts until `endAt`, by `performance.now()`. */
function queueOf(calls: number) {
  const now = jest.spyOn(performance, 'now').mockReturnValue(0);
  const limiter = new Limiter(1);
  const ends: (() => void)[] = [];
  const work = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  for (let n = 0; n < calls; n++) void limiter.run(work);
  const endAt = async (ms: number): Promise<void> => {
    now.mockReturnValue(ms);
    ends.at(-1)?.();
    await settle();
  };
  return { limiter, work, endAt };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a limiter', () => {
  it('runs as many functions at a time as allowed, and the others in order of arrival', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 30 }),
        async (maxRunning, steps) => {
          const limiter = new Limiter(maxRunning);
          const begun: number[] = [];
          let [running, maximum] = [0, 0];
          await Promise.all(
            steps.map((count, index) =>
              limiter.run(async () => {
                begun.push(index);
                maximum = Math.max(maximum, ++running);
                for (let step = 0; step < count; step++) await settle();
                running--;
              }),
            ),
          );
          expect(begun).toEqual(steps.map((_, index) => index));
          expect(maximum).toBe(Math.min(maxRunning, steps.length));
        },
      ),
    ));

  it('passes on what a function returns or throws, and continues after it', async () => {
    const limiter = new Limiter(1);
    const failing = limiter.run(() => {
      throw new TypeError('of the function');
    });
    const next = limiter.run(() => 'value');
    await expect(failing).rejects.toThrow('of the function');
    expect(await next).toBe('value');
  });

  it('frees a place as soon as a caller leaves, at any position in the queue', () =>
    fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 9 })), async (leavers) => {
        const limiter = new Limiter(1, 10);
        let end = (): void => {};
        const first = limiter.run(() => new Promise<void>((resolve) => (end = resolve)));
        const leaves: ((error: unknown) => boolean)[] = [];
        const begun: number[] = [];
        const waiting = Array.from({ length: 10 }, (_, index) =>
          limiter
            .run(() => begun.push(index), {
              deadline: Infinity,
              onWait: (leave) => leaves.push(leave),
            })
            .catch((error: unknown) => error),
        );
        await expect(limiter.run(hang)).rejects.toMatchObject({ reason: 'full' });
        // Leaving twice frees one place.
        for (const isFirst of [true, false]) {
          for (const index of leavers) expect(leaves[index]?.(`left ${index}`)).toBe(isFirst);
        }
        const newcomers = leavers.map((index) => limiter.run(() => begun.push(100 + index)));
        await expect(limiter.run(hang)).rejects.toMatchObject({ reason: 'full' });
        end();
        await Promise.all([first, ...waiting, ...newcomers]);
        const stayers = [...Array(10).keys()].filter((index) => !leavers.includes(index));
        expect(begun).toEqual([...stayers, ...leavers.map((index) => 100 + index)]);
        for (const index of leavers) expect(await waiting[index]).toBe(`left ${index}`);
        // A caller whose function runs cannot leave any more.
        for (const leave of leaves) expect(leave('too late')).toBe(false);
        expect(await limiter.run(() => 'free')).toBe('free');
      }),
      { numRuns: 30 },
    ));

  it('does not start a function whose caller no longer needs it', async () => {
    const limiter = new Limiter(1);
    let end = (): void => {};
    const first = limiter.run(() => new Promise<void>((resolve) => (end = resolve)));
    const work = jest.fn();
    const late = limiter.run(work, { deadline: performance.now() - 1 });
    const inTime = limiter.run(() => 'in time', { deadline: performance.now() + 60_000 });
    end();
    await first;
    await expect(late).rejects.toEqual(new NoTurn('expired'));
    expect(await inTime).toBe('in time');
    expect(work).not.toHaveBeenCalled();
  });

  it('refuses callers whose turn would come too late, and says when to try again', async () => {
    const { limiter, work, endAt } = queueOf(14);
    for (let second = 1; second <= 4; second++) await endAt(second * 1_000);
    // One ends per second, and nine are before this one, which takes a second too.
    const late = limiter.run(work, { deadline: 4_000 + 10_000 });
    await expect(late).rejects.toEqual(new NoTurn('late', 1_000));
    let left: unknown;
    limiter.run(work, { deadline: 4_000 + 11_000 }).catch((error: unknown) => (left = error));
    await settle();
    expect(left).toBeUndefined();
    // The next takes five seconds: at that pace, this one comes too late as well.
    await endAt(9_000);
    expect(left).toMatchObject({ reason: 'late' });
  });

  it('counts earlier measurements half after a while, so that a new pace shows', async () => {
    const { limiter, work, endAt } = queueOf(75);
    for (let n = 1; n <= 65; n++) await endAt(n * 1_000);
    for (let n = 1; n <= 4; n++) await endAt(65_000 + n * 10_000);
    // 32.5 of one second and 4 of ten are 1,986 ms on average; six others and this one take seven.
    const late = limiter.run(work, { deadline: 105_000 + 12_000 });
    await expect(late).rejects.toEqual(new NoTurn('late', 1_905));
  });

  it('has its place free again after everyone in the queue came too late', async () => {
    const { limiter, endAt } = queueOf(1);
    const late = limiter.run(hang, { deadline: 10 }).catch((error: unknown) => error);
    await endAt(20);
    expect(await late).toMatchObject({ reason: 'expired' });
    expect(await Promise.race([limiter.run(() => 'run'), settle()])).toBe('run');
  });

  it('measures the pace of each queue anew', async () => {
    const { limiter, work, endAt } = queueOf(6);
    for (let n = 1; n <= 6; n++) await endAt(n * 10_000);
    // The functions of the queue before took ten seconds each.
    void limiter.run(work);
    const next = limiter.run(() => 'in time', { deadline: 61_000 });
    await endAt(60_000);
    expect(await next).toBe('in time');
  });

  it('rejects all waiting callers on request, and serves later ones', async () => {
    const limiter = new Limiter(1);
    let end = (): void => {};
    const first = limiter.run(() => new Promise<void>((resolve) => (end = resolve)));
    const waiting = [1, 2, 3].map(() => limiter.run(hang).catch((error: unknown) => error));
    limiter.dismiss('over');
    expect(await Promise.all(waiting)).toEqual(['over', 'over', 'over']);
    end();
    await first;
    expect(await limiter.run(() => 'after')).toBe('after');
  });
});
