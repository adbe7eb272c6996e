import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetTask, FleetTurn } from './fleet.process.js';
import { Api, type ApiCounts } from './harness/api.js';
import { benchmark } from './harness/command-line.js';
import type { Peer } from './harness/peer.js';
import { SPREAD_TITLES, atMost, cells, progress, table } from './harness/report.js';
import { rotated, spread, type Spread } from './harness/statistics.js';
import { isStore, preparePlace, type Place } from './harness/stores.js';

/** Who keeps tokens fresh. */
const TITLES = {
  postgres: 'fresh() on PostgreSQL',
  redis: 'fresh() on Redis',
  alone: 'fresh() in a single process',
  sdk: 'the official SDK',
};
type Contestant = keyof typeof TITLES;
const CONTESTANTS = Object.keys(TITLES) as Contestant[];

/** Exchanges as a multiple of those of a single process. */
const GOAL = 1.05;

interface Plan {
  starts: number;
  seconds: number;
  processes: number;
  callers: number;
  transactions: number;
  lifetime: number;
}

/** One turn of one contestant. */
interface Result extends ApiCounts, Omit<FleetTurn, 'microseconds'> {
  calls: number;
  /** Microseconds of a call. */
  median: number;
  p99: number;
  slowest: number;
}

/** One turn of each contestant that takes part, one after the other. */
type Round = Partial<Record<Contestant, Result>>;

/** How many exchanges a fleet makes, and how long a call takes. */
export const fleet = benchmark({
  summary: 'exchanges of a fleet on PostgreSQL and Redis, compared with one process and the SDK',
  flags: {
    starts: { help: 'starts of new processes', fallback: 3 },
    seconds: { help: 'seconds of each contestant after a start', fallback: 10 },
    processes: { help: 'processes of a fleet', fallback: 4 },
    callers: { help: 'callers in each process', fallback: 16 },
    transactions: { help: 'transactions', fallback: 200 },
    lifetime: { help: 'life of the tokens, in seconds', fallback: 2 },
  },
  run: async (plan) => {
    const rounds: Round[] = [];
    for (let start = 0; start < plan.starts; start++) {
      const round: Round = {};
      for (const contestant of rotated(CONTESTANTS, start)) {
        progress(`fleet: start ${start + 1} of ${plan.starts}, ${TITLES[contestant]} ...`);
        round[contestant] = await measure(contestant, plan);
      }
      rounds.push(round);
    }
    return { report: report(plan, rounds), data: { plan, rounds } };
  },
});

/** Undefined if the store of the contestant does not answer. */
async function measure(contestant: Contestant, plan: Plan): Promise<Result | undefined> {
  let place: Place | undefined;
  try {
    place = isStore(contestant) ? await preparePlace(contestant) : undefined;
  } catch {
    progress(`${contestant} does not answer and is left out.`);
    return undefined;
  }
  const lifetimeMs = plan.lifetime * 1_000;
  const api = await Api.start({ takesMs: 20, lifetimeMs });
  const processes = contestant === 'alone' ? 1 : plan.processes;
  const file = new URL('./fleet.process.js', import.meta.url);
  const members: Peer<FleetTask, FleetTurn>[] = Array.from({ length: processes }, () =>
    api.client(file, [contestant, place?.name ?? '']),
  );
  const task = {
    callers: (plan.callers * plan.processes) / processes,
    transactions: Array.from({ length: plan.transactions }, (_, number) => `${1e15 + number}`),
  };
  try {
    // Compiles the code and opens the connections.
    await all(members, { ...task, leadMs: 0, ms: 1_000 });
    const working = all(members, { ...task, leadMs: lifetimeMs, ms: plan.seconds * 1_000 });
    await sleep(lifetimeMs);
    await api.counts('reset');
    return { ...summed(await working), ...(await api.counts()) };
  } finally {
    await Promise.all(members.map((member) => member.stop()));
    await api.stop();
    await place?.remove();
  }
}

function all(members: Peer<FleetTask, FleetTurn>[], task: FleetTask): Promise<FleetTurn[]> {
  return Promise.all(members.map((member) => member.ask(task)));
}

function summed(turns: FleetTurn[]): Omit<Result, keyof ApiCounts> {
  const took = turns.flatMap(({ microseconds }) => microseconds).toSorted((a, b) => a - b);
  const at = (share: number): number => took[Math.floor(share * (took.length - 1))] ?? NaN;
  return {
    calls: took.length,
    failed: turns.reduce((sum, { failed }) => sum + failed, 0),
    expired: turns.reduce((sum, { expired }) => sum + expired, 0),
    median: at(0.5),
    p99: at(0.99),
    slowest: at(1),
  };
}

function report(plan: Plan, rounds: Round[]): string {
  const present = CONTESTANTS.filter((contestant) => rounds[0]?.[contestant] !== undefined);
  const results = (contestant: Contestant): Result[] =>
    rounds.map((round) => round[contestant] as Result);
  const sum = (contestant: Contestant, of: (result: Result) => number): string =>
    `${results(contestant).reduce((total, result) => total + of(result), 0)}`;
  const ratio = (contestant: Contestant): Spread =>
    spread(
      rounds.map(
        (round) => (round[contestant]?.exchanges ?? NaN) / (round.alone?.exchanges ?? NaN),
      ),
    );
  const ms = (contestant: Contestant, of: (result: Result) => number): string =>
    (spread(results(contestant).map(of)).median / 1_000).toFixed(3);
  return [
    'fleet: exchanges of several processes',
    '',
    'Exchanges as a multiple of those of a single process:',
    table([
      ['', ...SPREAD_TITLES, 'goal', ''],
      ...present.map((each) => [
        TITLES[each],
        ...cells(ratio(each), 2, 'x'),
        ...(isStore(each) ? atMost(ratio(each), GOAL) : ['', '']),
      ]),
    ]),
    '',
    'All starts together:',
    table([
      ['', 'exchanges', 'early', 'most concurrent', 'calls', 'failed', 'expired tokens'],
      ...present.map((each) => [
        TITLES[each],
        sum(each, ({ exchanges }) => exchanges),
        sum(each, ({ early }) => early),
        `${Math.max(...results(each).map(({ concurrent }) => concurrent))}`,
        sum(each, ({ calls }) => calls),
        sum(each, ({ failed }) => failed),
        sum(each, ({ expired }) => expired),
      ]),
    ]),
    '',
    'Milliseconds of a call, the median of the starts:',
    table([
      ['', 'median', '99 of 100 below', 'slowest'],
      ...present.map((each) => [
        TITLES[each],
        ms(each, ({ median }) => median),
        ms(each, ({ p99 }) => p99),
        ms(each, ({ slowest }) => slowest),
      ]),
    ]),
    '',
    ...method(plan),
  ].join('\n');
}

function method({ starts, seconds, processes, callers, transactions, lifetime }: Plan): string[] {
  return [
    'How it was measured:',
    `  ${processes} processes with ${callers} callers each, or one with all of them, ask for tokens of`,
    `  ${transactions} transactions at random, each caller about 100 times a second. Tokens live for ${lifetime} s;`,
    '  an exchange takes the API 20 ms, over TLS, in a process of its own. Each has a turn of',
    `  ${seconds} s after each start of new processes (starts: ${starts}); the ${lifetime} s before it, in`,
    '  which a fleet gets its first tokens, do not count.',
    '  The single process has the same code and the same callers, and shares no store: no other process',
    '  is in its way, and it renews at the same 75 to 80 % of the lifetime. An early exchange comes',
    '  within 70 % of the lifetime of the tokens before it. An expired token had expired when it was',
    "  handed out, by the API's clock. The API counts, and every token is checked to be the",
    "  transaction's own. The stores are encrypted.",
    '  One call in a hundred reads the store: another process has renewed the tokens, and the copy here',
    '  has expired.',
    '  The SDK refreshes as each of its methods does before it calls the API, with tokens that the',
    '  process keeps in memory for each transaction. It knows of no other caller or process.',
  ];
}
