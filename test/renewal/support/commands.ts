import fc from 'fast-check';
import type { BerbixModuleOptions, BerbixTokens } from 'nestjs-berbix';
import type { ApiFault } from './fake-api.js';
import type { StoreCall, StoreFault } from './replica-store.js';
import { advance, outcomeOf, setHostClock, valueOf } from './virtual-time.js';
import type { Replica, World } from './world.js';

/** What the store should know of each transaction. */
export interface Model {
  known: Set<string>;
  forgotten: Set<string>;
  /** The transactions that were remembered with a customer. */
  customers: Set<string>;
}

/** The world, and what the commands need to know about it. */
export interface Real {
  world: World;
  options: Partial<BerbixModuleOptions>;
  /** One slot for each process of the fleet. */
  slots: Replica[];
  /** The tokens handed out last, by transaction. */
  last: Map<string, BerbixTokens>;
  calls: Promise<unknown>[];
  /** Whether something happened that may lose a refresh token with rotation `strict`. */
  mayLose: boolean;
}

type Command = fc.AsyncCommand<Model, Real>;

export const IDS = ['1', '2'];

/** The uid of a transaction's customer. */
export const uidOf = (id: string): string => `customer ${id}`;

/** Everything that may happen, in any order. */
export function commands(): fc.Arbitrary<Iterable<Command>> {
  const slot = fc.nat(1);
  const id = fc.constantFrom(...IDS);
  const ms = fc.constantFrom(1, 15, 40, 300, 1_500, 9_000, 31_000, 240_000, 2_750_000, 3_590_000);
  return fc.commands(
    [
      ...Array.from({ length: 3 }, () =>
        fc
          .tuple(slot, id)
          .map(([s, i]) =>
            step(`fresh ${s} ${i}`, (m, r) => start(r, r.slots[s]!.fresh({ transactionId: i }), i)),
          ),
      ),
      fc.tuple(slot, id).map(([s, i]) =>
        step(`refused ${s} ${i}`, (_, r) => {
          const refused = r.last.get(i)?.accessToken;
          start(r, r.slots[s]!.fresh({ transactionId: i }, { refused }), i);
        }),
      ),
      fc
        .tuple(slot, id)
        .map(([s, i]) =>
          step(
            `refresh ${s} ${i}`,
            (_, r) => start(r, r.slots[s]!.refresh(r.world.api.tokensOf(i)), i),
            isKnown(i),
          ),
        ),
      fc.tuple(slot, id).map(([s, i]) =>
        step(`remember ${s} ${i}`, async (m, r) => {
          const tokens = r.world.api.reissue(i);
          await insist(r, s, (by) => by.remember(tokens));
          r.world.watch.forgotten(i, undefined);
          r.last.delete(i);
          m.known.add(i);
          m.forgotten.delete(i);
        }),
      ),
      ...Array.from({ length: 2 }, () =>
        fc.tuple(slot, id).map(([s, i]) =>
          step(
            `remember ${s} ${i} again, with its customer`,
            async (m, r) => {
              const tokens = r.world.api.tokensOf(i);
              const { refreshToken } = (await r.world.stored(i)).tokens;
              // With another refresh token, this would be a change from outside.
              if (refreshToken !== tokens.refreshToken) return;
              await insist(r, s, (by) => by.remember(tokens, uidOf(i)));
              r.world.watch.forgotten(i, undefined);
              m.forgotten.delete(i);
              m.customers.add(i);
            },
            isKnown(i),
          ),
        ),
      ),
      ...Array.from({ length: 2 }, () =>
        fc
          .tuple(slot, id)
          .map(([s, i]) =>
            step(`fresh ${s} of the customer of ${i}`, (_, r) =>
              start(r, r.slots[s]!.fresh({ customerUid: uidOf(i) }), i),
            ),
          ),
      ),
      fc
        .tuple(slot, id)
        .map(([s, i]) =>
          step(`fresh ${s} ${i} for long`, (_, r) =>
            start(r, r.slots[s]!.fresh({ transactionId: i }, { leewayMs: 40 * 60_000 }), i),
          ),
        ),
      fc.tuple(slot, id, fc.boolean()).map(([s, i, byCustomer]) =>
        step(
          `forget ${s} ${i}${byCustomer ? ' by its customer' : ''}`,
          async (m, r) => {
            const owner =
              byCustomer && m.customers.has(i) ? { customerUid: uidOf(i) } : { transactionId: i };
            await insist(r, s, (by) => by.forget(owner));
            if ('customerUid' in owner) m.customers.delete(i);
            r.world.watch.forgotten(i, r.slots[s]!);
            m.forgotten.add(i);
          },
          isKnown(i),
        ),
      ),
      ...Array.from({ length: 3 }, () => ms.map((n) => step(`wait ${n}`, () => advance(n)))),
      fc.constantFrom(-600_000, 600_000).map((n) => step(`clock ${n}`, () => setHostClock(n))),
      fc.tuple(apiFault(), fc.boolean()).map(([fault, once]) =>
        step(`API ${JSON.stringify(fault)} ${once}`, (_, r) => {
          if (fault !== undefined) trouble(r);
          if (/after|bad/.test(String(fault))) r.mayLose = true;
          if (once) r.world.api.faults.push(fault);
          else r.world.api.fault = fault;
        }),
      ),
      fc.tuple(storeFault(), fc.boolean()).map(([{ call, fault }, once]) =>
        step(`store ${call} ${JSON.stringify(fault)} ${once}`, (_, r) => {
          if (fault !== undefined) trouble(r);
          if (once && fault !== undefined) r.world.storeFaults.push({ call, fault });
          else r.world.storeFault = fault === undefined ? undefined : { calls: [call], fault };
        }),
      ),
      fc.constant(step('mend', (_, r) => mend(r))),
      fc.tuple(slot, fc.nat(6)).map(([s, n]) =>
        step(`kill ${s} at ${n}`, async (_, r) => {
          trouble(r);
          r.mayLose = true;
          if (n === 0) r.slots[s]!.kill();
          else r.slots[s]!.diesAfterCalls = n;
        }),
      ),
      slot.map((s) =>
        step(`start ${s}`, async (_, r) => {
          trouble(r);
          r.slots[s]!.kill();
          await revive(r, s);
        }),
      ),
    ],
    { maxCommands: 60, size: 'max' },
  );
}

/** Ends all faults. */
export function mend({ world }: Real): void {
  world.api.fault = undefined;
  world.api.faults.length = 0;
  world.storeFault = undefined;
  world.storeFaults.length = 0;
}

function apiFault(): fc.Arbitrary<ApiFault | undefined> {
  return fc.constantFrom<ApiFault | undefined>(
    undefined,
    'refused',
    'reset-before',
    'reset-after',
    'hang-before',
    'hang-after',
    'bad-answer',
    'bad-id',
    { status: 500 },
    { status: 429, headers: { 'retry-after': '7' } },
    { status: 401, body: { readable: 'invalid_api_secret', message: 'no' } },
  );
}

function storeFault(): fc.Arbitrary<{ call: StoreCall; fault: StoreFault | undefined }> {
  return fc.record({
    call: fc.constantFrom<StoreCall>('load', 'lease', 'commit', 'release'),
    fault: fc.constantFrom<StoreFault | undefined>(
      undefined,
      'fail',
      'lost',
      'twice',
      'hang',
      { thereMs: 1_000 },
      { backMs: 1_000 },
      { thereMs: 5_000 },
      { backMs: 5_000 },
    ),
  });
}

function step(
  name: string,
  run: (model: Model, real: Real) => unknown,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return {
    check,
    toString: () => name,
    run: async (model, real) => {
      await run(model, real);
      const [fault] = real.world.faults;
      if (fault !== undefined) throw new Error(fault);
    },
  };
}

function isKnown(id: string): (model: Readonly<Model>) => boolean {
  return ({ known }) => known.has(id);
}

function start(real: Real, call: Promise<BerbixTokens>, id: string): void {
  const noted = call.then((tokens) => real.last.set(id, tokens));
  real.calls.push(noted.catch(() => {}));
}

function trouble({ world }: Real): void {
  world.watch.isTroubled = true;
}

/** Makes a change; if it fails, makes it again with a live process and a working store. */
async function insist(real: Real, slot: number, change: (by: Replica) => Promise<unknown>) {
  for (let tries = 0; tries < 4; tries++) {
    if ((await outcomeOf(change(real.slots[slot]!))).error === undefined) return;
    mend(real);
    await revive(real, slot);
    await advance(10_000);
  }
  await valueOf(change(real.slots[slot]!));
}

/** Replaces a process that was killed, or is about to be. */
export async function revive(real: Real, slot: number): Promise<void> {
  const replica = real.slots[slot]!;
  if (!replica.isDead && replica.diesAfterCalls === Infinity) return;
  replica.kill();
  real.mayLose = true;
  real.slots[slot] = await real.world.start(real.options);
}
