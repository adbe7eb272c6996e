import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import { usualOrLong } from '../support/long.js';
import type { Habit } from './support/fake-api.js';
import { advance, failureOf, outcomeOf, settle } from './support/virtual-time.js';
import { World, type Replica } from './support/world.js';

const [SECOND, HOUR] = [1_000, 3_600_000];
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
            world.storeGate = (what, { name }) =>
              scheduler.schedule(Promise.resolve(), `${name}: ${what}`);
            world.api.gate = (what) => scheduler.schedule(Promise.resolve(), `API: ${what}`);
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
            const all = Promise.allSettled(doing);
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
});
