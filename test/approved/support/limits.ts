import { BerbixTokens, type BerbixError } from 'nestjs-berbix';
import {
  advance,
  setHostClock,
  setStoreClock,
  settle,
} from '../../renewal/support/virtual-time.js';
import type { Replica, World } from '../../renewal/support/world.js';
import type { Steps } from './steps.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const [ADA, ONE] = [{ customerUid: 'ada' }, { transactionId: '1' }];

type Scenario = (world: World, steps: Steps) => Promise<void>;

/** Calls that reach a limit, or clocks that are set; the steps of each are in a file of its name. */
export const LIMITS: Record<string, Scenario> = {
  'a cache that is full': async (world, steps) => {
    const replica = await world.start({ freshness: { cacheSize: 2 } });
    const owners = ['1', '2', '3', '4'].map((id) => ({ transactionId: id }));
    for (const { transactionId } of owners) {
      await steps.remember(replica, world.api.create(transactionId));
    }
    // What is in memory needs no call to the store.
    for (const index of [0, 1, 0, 1, 2, 1, 0, 2, 0, 0, 3, 0, 2, 3]) {
      await steps.fresh(replica, owners[index]!);
    }
  },

  'more exchanges than may run at a time': async (world, steps) => {
    const replica = await world.start({ http: { connections: 1 } });
    const ids = Array.from({ length: 12 }, (_, index) => `${index + 1}`);
    for (const id of ids) await world.remembered(replica, id);
    await advance(HOUR);
    world.api.latencyMs = 2_500;
    const begun = performance.now();
    const calls = ids.map(async (id) => {
      const error = await replica.fresh({ transactionId: id }).catch((thrown: unknown) => thrown);
      const { code = 'tokens', retryAfterMs } = error as Partial<BerbixError>;
      return `${code} ${retryAfterMs ?? ''} after ${performance.now() - begun} ms`;
    });
    for (const [index, call] of calls.entries()) await steps.of(`fresh() of ${ids[index]}`, call);
  },

  'clocks that are set': async (world, steps) => {
    const replica = await world.start();
    await steps.remember(replica, world.api.create('1'), 'ada');
    await steps.fresh(replica, ONE);
    setHostClock(29 * SECOND);
    await steps.fresh(replica, ONE);
    setHostClock(2 * SECOND);
    await steps.fresh(replica, ONE);
    setHostClock(-10 * MINUTE);
    await steps.fresh(replica, ONE);
    await steps.remember(replica, world.api.create('2'));
    world.api.faults.push({ status: 500 });
    await advance(55 * MINUTE);
    await steps.fresh(replica, ONE, { leewayMs: 30 * MINUTE });
    // Notes and tokens from the future.
    for (const stepMs of [-999, -3_000, -2 * MINUTE, -2 * HOUR]) {
      setStoreClock(stepMs);
      await advance(31 * SECOND);
      await steps.fresh(replica, ADA);
    }
  },

  'hooks that fail': async (world, steps) => {
    const answers: unknown[] = [
      new TypeError('canary of the database'),
      new Promise(() => {}),
      'too short\n',
      42,
      new BerbixTokens({ refreshToken: 'canary-refresh-of-two', transactionId: '2' }),
      null,
      world.api.create('1').refreshToken,
    ];
    const replica = await world.start({
      loadTokens: async () => {
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer as string;
      },
    });
    for (let { length } = answers; length > 0; length--) await steps.fresh(replica, ONE);
  },

  'callers with little time': async (world, steps) => {
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    await steps.remember(replica, world.api.create('1'), 'ada');
    await advance(59 * MINUTE + 50 * SECOND);
    world.api.latencyMs = 5 * SECOND;
    await steps.of('a call of two seconds', within(replica, 2 * SECOND));
    await advance(SECOND);
    await steps.of('a call of one second', within(replica, SECOND));
    await steps.fresh(replica, ONE);
    await steps.fresh(replica, ONE, { leewayMs: 59 * MINUTE });
    const { accessToken } = await replica.fresh(ONE);
    await steps.fresh(replica, ONE, { refused: accessToken });
    await advance(10 * SECOND);
    await steps.fresh(replica, ONE, { refused: accessToken });
  },

  'a process that ends': async (world, steps) => {
    world.api.habit = 'strict';
    const replica = await world.start({ freshness: { rotation: 'strict' } });
    await steps.remember(replica, world.api.create('1'), 'ada');
    await advance(HOUR);
    world.api.latencyMs = 2 * SECOND;
    const call = replica.fresh(ADA);
    call.catch(() => {});
    await advance(SECOND);
    steps.note('the process ends');
    const end = replica.stop();
    await advance(2 * SECOND);
    // The shutdown also takes turns of the event loop, in which no time passes.
    for (let turn = 0; turn < 100; turn++) await settle();
    await steps.of('the end', end);
    await steps.of('the call', call);
    await steps.fresh(replica, ADA);
  },
};

function within({ tokens }: Replica, timeoutMs: number): Promise<BerbixTokens> {
  return new Promise((resolve, reject) => {
    tokens.fresh(ADA, { timeoutMs }).subscribe({ next: resolve, error: reject });
  });
}
