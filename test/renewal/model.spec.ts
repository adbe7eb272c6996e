import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isBerbixError, type BerbixModuleOptions } from 'nestjs-berbix';
import { usualOrLong } from '../support/long.js';
import { IDS, commands, mend, revive, uidOf, type Model, type Real } from './support/commands.js';
import type { Habit } from './support/fake-api.js';
import { advance, outcomeOf } from './support/virtual-time.js';
import { World } from './support/world.js';

const MINUTE = 60_000;
const GRACE_MS = 30 * 24 * 60 * MINUTE;

describe('a fleet in which anything may happen', () => {
  it.each<[string, Habit, NonNullable<BerbixModuleOptions['freshness']>['rotation']]>([
    ['omits them', 'omit', 'none'],
    ['echoes them', 'echo', 'none'],
    ['replaces them with a grace', { graceMs: GRACE_MS }, { graceMs: GRACE_MS }],
    ['replaces them immediately', 'strict', 'strict'],
    ['replaces them unexpectedly', 'strict', 'none'],
  ])(
    'I1 to I12: keeps every promise, and loses no refresh token, with an API that %s',
    async (_, habit, rotation) => {
      await fc.assert(
        fc.asyncProperty(commands(), fc.integer(), async (all, seed) => {
          const world = new World(seed);
          world.api.habit = habit;
          const options = { freshness: { rotation } };
          const slots = [await world.start(options), await world.start(options)];
          for (const id of IDS) await world.remembered(slots[0]!, id);
          const model: Model = { known: new Set(IDS), forgotten: new Set(), customers: new Set() };
          const real: Real = { world, options, slots, last: new Map(), calls: [], mayLose: false };
          const begun = { model, real };
          await fc.asyncModelRun(() => begun, all);
          await expectRecovery(begun, habit);
        }),
        { numRuns: usualOrLong(15, 1_000) },
      );
    },
  );
});

/** After the last fault, all calls end, and callers get tokens or the error that they were forgotten. */
async function expectRecovery(
  { model, real }: { model: Model; real: Real },
  habit: Habit,
): Promise<void> {
  const { world, slots } = real;
  mend(real);
  for (const slot of [0, 1]) await revive(real, slot);
  await outcomeOf(Promise.all(real.calls));
  expect(world.watch.open).toBe(0);
  await advance(2 * MINUTE);
  for (const id of IDS) {
    for (const replica of slots) {
      const byCustomer = model.customers.has(id) && replica === slots[0];
      const owner = byCustomer ? { customerUid: uidOf(id) } : { transactionId: id };
      let { error, value } = await outcomeOf(replica.fresh(owner));
      if (isBerbixError(error) && error.code === 'BERBIX_UNAVAILABLE') {
        // Unknown to the API, but a killed replica could still have saved the successor.
        await advance(error.retryAfterMs ?? 0);
        ({ error, value } = await outcomeOf(replica.fresh(owner)));
      }
      if (model.forgotten.has(id)) {
        expect(error).toMatchObject({ code: 'BERBIX_GONE' });
      } else if (error !== undefined) {
        // A refresh token is lost only if it was replaced in an exchange whose answer nobody got.
        expect(error).toMatchObject({ code: 'BERBIX_INVALID_REFRESH_TOKEN' });
        expect({ habit, mayLose: real.mayLose, isLost: world.watch.isLost(id) }).toEqual({
          habit: 'strict',
          mayLose: true,
          isLost: true,
        });
      } else {
        expect(world.api.leftOf(value?.accessToken)).toBeGreaterThan(0);
      }
    }
  }
  expect(await world.end()).toEqual([]);
}
