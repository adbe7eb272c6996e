import { firstValueFrom, type Observable } from 'rxjs';
import { benchmark, turnFlags } from './harness/command-line.js';
import { Peer } from './harness/peer.js';
import { SPREAD_TITLES, atLeast, cells, progress, table } from './harness/report.js';
import { spreadOfStarts } from './harness/statistics.js';
import { openOfflineApplication, tokensOf, uidOf } from './harness/stored-tokens.js';
import { STORES, type Store } from './harness/stores.js';
import {
  describeTurns,
  perSecond,
  takeTurns,
  type Contest,
  type Starts,
  type Turn,
} from './harness/turns.js';
import type { ScaleTask } from './scale.process.js';
import { BATCH, COLD, encryptionOf, keysOf, makeRecords } from './scale.records.js';
import { openClient, openServer, type Server } from './scale.server.js';

/** Cold calls of fresh() per second, as a multiple of two bare reads. */
const GOAL = 0.6;

const WAYS = ['fresh', 'bare'] as const;
type Way = ScaleTask['way'];

/** The statements that one call needs. */
type Statements = Record<'fresh' | 'remember' | 'forget', number>;

/** The measurements of one kind of store. */
interface Result {
  title: string;
  starts: Starts<Way>;
  bytesPerCustomer: number;
  /** With a thousand customers. */
  few: Statements;
  /** With all of them. */
  all: Statements;
}

/** What a large number of customers costs. */
export const scale = benchmark({
  summary: 'cold calls of fresh() with many customers, compared with two bare reads',
  flags: {
    customers: { help: 'customers in each store', fallback: 100_000 },
    ...turnFlags({ starts: 5 }),
  },
  run: async (plan) => {
    const results: Result[] = [];
    for (const store of STORES) {
      for (const sealed of ['clear', 'sealed'] as const) {
        const server = await openServer(store);
        const open = (): Promise<Contest<Way>> =>
          openContest(store, server, sealed, plan.customers);
        try {
          const title = `${store}, ${sealed}`;
          const filled = await fill(store, server, sealed, plan.customers);
          const starts = await takeTurns(`scale, ${title}`, WAYS, plan, open);
          results.push({ title, starts, ...filled });
        } finally {
          await server.close();
        }
      }
    }
    const report = [
      `scale: ${plan.customers} customers in PostgreSQL and in Redis`,
      '',
      'Cold calls of fresh({ customerUid }) per second, as a multiple of two bare reads:',
      table([
        ['', ...SPREAD_TITLES, 'goal', '', 'fresh() per second', 'bytes per customer'],
        ...results.map(row),
      ]),
      '',
      'Statements or scripts of one call, with a thousand customers and with all:',
      table([['', 'fresh', 'remember', 'forget', ''], ...results.map(statementsRow)]),
      '',
      'How it was measured:',
      '  16 callers in one process; each asks for the next customer. A bare read is SELECT value or HGET',
      '  by the key of a record, by the same client, which neither decrypts nor checks it. The bytes are',
      '  those of both records with their keys and indexes; the tokens are as long as the sandbox’s.',
      ...describeTurns(plan),
    ].join('\n');
    return { report, data: { plan, results } };
  },
});

type Sealed = 'clear' | 'sealed';

/** Makes the records of all customers, and counts the statements before and after. */
async function fill(
  store: Store,
  server: Server,
  sealed: Sealed,
  customers: number,
): Promise<Omit<Result, 'title' | 'starts'>> {
  progress(`scale, ${store}, ${sealed}: making the records of ${customers} customers ...`);
  const isSealed = sealed === 'sealed';
  await server.fill(await makeRecords(0, isSealed));
  const few = await countStatements(store, server, isSealed, customers);
  for (let from = BATCH; from < customers; from += BATCH) {
    await server.fill(await makeRecords(from, isSealed));
  }
  const all = await countStatements(store, server, isSealed, customers + 1);
  const sample = Array.from({ length: 100 }, (_, number) => keysOf(number)).flat();
  return { few, all, bytesPerCustomer: 2 * (await server.bytesPerRecord(sample)) };
}

/** @param another the number of a customer who has no record */
async function countStatements(
  store: Store,
  { place }: Server,
  isSealed: boolean,
  another: number,
): Promise<Statements> {
  const client = openClient(store, place);
  const options = { store: client.store, ...encryptionOf(isSealed), ...COLD };
  const { service, close } = await openOfflineApplication(options);
  const count = async (call: Observable<unknown>): Promise<number> => {
    const before = client.sent();
    await firstValueFrom(call);
    return client.sent() - before;
  };
  const customerUid = uidOf(another);
  const statements = {
    fresh: await count(service.fresh({ customerUid: uidOf(1) })),
    remember: await count(service.remember({ customerUid, tokens: tokensOf(another) })),
    forget: await count(service.forget({ customerUid })),
  };
  await close();
  await client.close();
  return statements;
}

async function openContest(
  store: Store,
  { place }: Server,
  sealed: Sealed,
  customers: number,
): Promise<Contest<Way>> {
  const file = new URL('./scale.process.js', import.meta.url);
  const options = { args: [store, place, sealed], flags: ['--expose-gc'] };
  const peer = new Peer<ScaleTask, Turn>(file, options);
  return { turn: (way, ms) => peer.ask({ way, customers, ms }), close: () => peer.stop() };
}

function row({ title, starts, bytesPerCustomer }: Result): string[] {
  const ratio = spreadOfStarts(starts, ({ fresh, bare }) => perSecond(fresh) / perSecond(bare));
  return [
    title,
    ...cells(ratio, 2, 'x'),
    ...atLeast(ratio, GOAL),
    spreadOfStarts(starts, ({ fresh }) => perSecond(fresh)).median.toFixed(0),
    bytesPerCustomer.toFixed(0),
  ];
}

function statementsRow({ title, few, all }: Result): string[] {
  const names: (keyof Statements)[] = ['fresh', 'remember', 'forget'];
  const grows = names.some((name) => all[name] > few[name]);
  return [
    title,
    ...names.map((name) => `${few[name]} and ${all[name]}`),
    grows ? 'GROWS' : 'none grows',
  ];
}
