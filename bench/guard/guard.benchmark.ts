import { benchmark } from '../support/benchmark.js';
import { spread, type Spread } from '../support/statistics.js';
import { CUSTOMERS } from '../support/stored-tokens.js';
import { table } from '../support/table.js';
import { measure, type Plan, type Round } from './measure.js';
import { PLATFORMS, ROUTES, type Platform, type Route } from './routes.js';

/** What ours is compared with. */
type Rival = Exclude<Route, 'guarded'>;

const RIVALS: readonly Rival[] = ['bare', 'trivial', 'lookup', 'manual'];

const TITLES: Record<Route, string> = {
  bare: 'no guard',
  trivial: 'a guard that does nothing',
  lookup: 'a guard that looks into a Map',
  manual: 'fresh() in the handler',
  guarded: '@RequireFreshTokens',
};

/** Throughput with the guard, at least, as a multiple of that without. */
const GOAL = 0.97;

/** What `@RequireFreshTokens` costs a route whose tokens are in memory. */
export const guard = benchmark({
  summary: 'throughput of a Nest route with and without @RequireFreshTokens',
  flags: {
    starts: { help: 'how often all begins anew, in a new process', fallback: 4 },
    rounds: { help: 'rounds after each start', fallback: 20 },
    requests: { help: 'requests per turn', fallback: 2_000 },
    'warm-up': { help: 'requests of each route before the first round', fallback: 15_000 },
  },
  run: async ({ 'warm-up': warmUp, ...flags }) => {
    const plan = { ...flags, warmUp };
    const loads: Load[] = [];
    for (const customers of [1, CUSTOMERS]) {
      loads.push({ customers, rounds: await measure(plan, customers) });
    }
    return { report: report(plan, loads), data: { plan, loads } };
  },
});

/** What came of the requests of so many customers. */
interface Load {
  customers: number;
  rounds: Record<Platform, Round[][]>;
}

function report(plan: Plan, loads: Load[]): string {
  return [
    'guard: a route with @RequireFreshTokens and @FreshTokens()',
    '',
    'As a multiple of another route (median, and the range of the starts):',
    table([
      ['', 'throughput', '', 'goal', '', 'CPU time', ''],
      ...rowsOf((load, platform) => RIVALS.map((rival) => row(load, platform, rival))),
    ]),
    '',
    'Absolute numbers; they say something about this machine only:',
    table([
      ['', 'throughput', 'CPU time'],
      ...rowsOf((load, platform) => ROUTES.map((route) => absoluteRow(load, platform, route))),
    ]),
    '',
    'How it was measured:',
    '  The routes are those of one application, as in any; 32 callers in another process load one at a',
    `  time, in turns of ${plan.requests} requests, after ${plan.warmUp} of each that do not count; ${plan.rounds} rounds,`,
    `  ${plan.starts} times in a new process. Ratios are made within a round, and of those of a start the median is`,
    '  taken. CPU time is user and system time of the server.',
    `  Requests are of one customer, or of ${CUSTOMERS} in turn, whose tokens are in memory; each answer is`,
    '  checked to be for the right one. The guard that does nothing says yes, and its parameter is a constant:',
    '  what is between it and no guard is what Nest takes for any. The one that looks into a Map hands over',
    '  what it finds, good or not: what is between it and no guard is what it takes to have something of the',
    "  customer's, which with many customers lies where no other route looks. Without a guard, the handler",
    '  may ask fresh() itself.',
  ].join('\n');

  function rowsOf(make: (load: Load, platform: Platform) => string[][]): string[][] {
    return PLATFORMS.flatMap((platform) => loads.flatMap((load) => make(load, platform)));
  }

  function row({ customers, rounds }: Load, platform: Platform, rival: Rival): string[] {
    const starts = (ratio: (round: Round) => number): Spread =>
      spread(rounds[platform].map((start) => spread(start.map(ratio)).median));
    const throughput = starts((round) => round[rival].wallMs / round.guarded.wallMs);
    const cpu = starts((round) => round.guarded.cpuMs / round[rival].cpuMs);
    const hasGoal = rival === 'bare';
    return [
      `${platform}, ${customers === 1 ? 'one customer' : customers}, ${TITLES[rival]}`,
      times(throughput.median),
      `(${times(throughput.min)} to ${times(throughput.max)})`,
      hasGoal ? `at least ${times(GOAL)}` : '',
      hasGoal ? (throughput.median >= GOAL ? 'met' : 'MISSED') : '',
      times(cpu.median),
      `(${times(cpu.min)} to ${times(cpu.max)})`,
    ];
  }

  function absoluteRow({ customers, rounds }: Load, platform: Platform, route: Route): string[] {
    const turns = rounds[platform].flat().map((round) => round[route]);
    const perSecond = spread(turns.map(({ wallMs }) => (plan.requests * 1000) / wallMs));
    const micros = spread(turns.map(({ cpuMs }) => (cpuMs * 1000) / plan.requests));
    return [
      `${platform}, ${customers === 1 ? 'one customer' : customers}, ${TITLES[route]}`,
      `${perSecond.median.toFixed(0)}/s`,
      `${micros.median.toFixed(1)} us`,
    ];
  }
}

const times = (ratio: number): string => `${ratio.toFixed(2)}x`;
