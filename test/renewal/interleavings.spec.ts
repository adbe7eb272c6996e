import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BerbixModuleOptions, BerbixRotatedTokens } from 'nestjs-berbix';
import { usualOrLong } from '../support/long.js';
import type { Habit } from './support/fake-api.js';
import { advance, failureOf, outcomeOf, settle } from './support/virtual-time.js';
import { World, type Replica } from './support/world.js';

const [SECOND, HOUR] = [1_000, 3_600_000];
const GRACE = { graceMs: 300 * SECOND };
const STRICT: Partial<BerbixModuleOptions> = { freshness: { rotation: 'strict' } };

/** What a replica does while the others do something too. */
const action = fc.constantFrom(
  'fresh',
  'fresh',
  'refused',
  'refresh',
  'again',
  'remember',
  'forget',
);

/** From now on, the scheduler decides about each step of the store and the API. */
function schedule(world: World, scheduler: fc.Scheduler): void {
  world.storeGate = (what, { name }) => scheduler.schedule(Promise.resolve(), `${name}: ${what}`);
  world.api.gate = (what) => scheduler.schedule(Promise.resolve(), `API: ${what}`);
}

/** Until all calls have ended, and a while longer. */
async function ended(
  world: World,
  scheduler: fc.Scheduler,
  calls: Promise<unknown>[],
): Promise<void> {
  const all = Promise.allSettled(calls);
  const end = { isOver: false };
  void all.then(() => (end.isOver = true));
  for (let round = 0; !end.isOver && round < 400; round++) {
    // Time passes only when no step is due, so that the waits for a lease exclude no order.
    if (scheduler.count() > 0) await scheduler.waitOne();
    else await advance(20);
    await settle();
  }
  world.storeGate = () => Promise.resolve();
  world.api.gate = () => Promise.resolve();
  await scheduler.waitAll();
  await outcomeOf(all);
  await advance(45 * SECOND);
}

describe('fresh(), in any order of events', () => {
  it.each<[string, Habit, Partial<BerbixModuleOptions>]>([
    ['omits', 'omit', {}],
    ['replaces', 'strict', STRICT],
  ])(
    'I2, I3, I4, I5, I7, I8: keeps its promises with steps of the store and the API in any order, with an API that %s refresh tokens',
    async (_, habit, options) => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(fc.tuple(fc.nat(2), action), { minLength: 2, maxLength: 6 }),
          fc.boolean(),
          fc.integer(),
          async (scheduler, actions, isExpired, seed) => {
            const world = new World(seed);
            const replicas: Replica[] = [];
            for (let n = 0; n < 3; n++) replicas.push(await world.start(options));
            world.api.habit = habit;
            const owner = await world.remembered(replicas[0]!);
            if (isExpired) await advance(HOUR);
            schedule(world, scheduler);
            const refused = (await world.stored()).tokens.accessToken;
            let change: string | undefined;
            const doing = actions.map(async ([who, what]) => {
              const replica = replicas[who]!;
              // Only one of them changes the record: after two changes, either result would be right.
              if (what === 'forget' || what === 'remember') {
                if (change !== undefined) return;
                change = what;
                if (what === 'forget') await replica.forget(owner);
                else await replica.remember(world.api.reissue('1'));
              } else if (what === 'again') {
                // If another action forgets the tokens, this is a change too.
                if (actions.some(([, other]) => other === 'forget')) return;
                await replica.remember(world.api.tokensOf('1'), 'ada');
              } else if (what === 'refresh') {
                await replica.refresh(world.api.tokensOf('1'));
              } else {
                await replica.fresh(owner, what === 'refused' ? { refused } : undefined);
              }
            });
            await ended(world, scheduler, doing);
            for (const replica of replicas) {
              if (change === 'forget') {
                expect(await failureOf(replica.fresh(owner))).toMatchObject({
                  code: 'BERBIX_GONE',
                });
              } else {
                expect((await outcomeOf(replica.fresh(owner))).error).toBeUndefined();
              }
            }
            expect(await world.end()).toEqual([]);
          },
        ),
        { numRuns: usualOrLong(50, 2_000) },
      );
    },
  );

  it.each<[string, Habit, NonNullable<BerbixModuleOptions['freshness']>['rotation']]>([
    ['omits', 'omit', 'none'],
    ['replaces with a grace', GRACE, GRACE],
    ['replaces', 'strict', 'strict'],
  ])(
    'I1, I4, I5, I12: finds the tokens by two names, while the application has a bare refresh token, with an API that %s refresh tokens',
    async (_, habit, rotation) => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(fc.tuple(fc.nat(1), fc.boolean()), { minLength: 2, maxLength: 5 }),
          fc.integer(),
          async (scheduler, calls, seed) => {
            const world = new World(seed);
            world.api.habit = habit;
            world.watch.hasTwoNames = true;
            let table = world.api.create('1').refreshToken;
            const options = {
              freshness: { rotation },
              loadTokens: () => Promise.resolve(table),
              onRotation: ({ tokens }: BerbixRotatedTokens) => void (table = tokens.refreshToken),
            };
            const replicas = [await world.start(options), await world.start(options)];
            const owners = [{ transactionId: '1' }, { customerUid: 'customer 1' }];
            schedule(world, scheduler);
            await ended(
              world,
              scheduler,
              calls.map(([who, byCustomer]) => replicas[who]!.fresh(owners[+byCustomer]!)),
            );
            const count = world.storeCalls.length;
            await advance(10 * SECOND);
            expect(world.storeCalls).toHaveLength(count);
            for (const replica of replicas) {
              for (const owner of owners) {
                const { value, error } = await outcomeOf(replica.fresh(owner));
                expect(error).toBeUndefined();
                expect(value?.refreshToken).toBe(world.api.currentOf('1'));
              }
            }
            expect(await world.end()).toEqual([]);
          },
        ),
        { numRuns: usualOrLong(100, 2_000) },
      );
    },
  );
});
