import type { Pool } from 'undici';
import { benchmark, turnFlags } from './harness/command-line.js';
import { SPREAD_TITLES, atLeast, cells, table } from './harness/report.js';
import { ServedTarget } from './harness/served.js';
import { spreadOfStarts } from './harness/statistics.js';
import { CUSTOMERS, transactionIdOf, uidOf } from './harness/stored-tokens.js';
import {
  describeTurns,
  micros,
  perSecond,
  takeTurns,
  type Contest,
  type Starts,
} from './harness/turns.js';

/** Both platforms of Nest. */
const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

const TITLES = {
  bare: 'no guard',
  trivial: 'a guard that does nothing',
  lookup: 'a guard that looks into a Map',
  manual: 'fresh() in the handler',
  guarded: '@RequireFreshTokens',
};
/** The routes of the application that is measured. */
export type Route = keyof typeof TITLES;
const ROUTES = Object.keys(TITLES) as Route[];
const RIVALS = ROUTES.filter((route) => route !== 'guarded');

/** Throughput with the guard, as a multiple of that without. */
const GOAL = 0.97;

/** The turns on one platform, with requests of one or of many customers. */
interface Result {
  platform: Platform;
  customers: number;
  starts: Starts<Route>;
}

/** What `@RequireFreshTokens` costs a route whose tokens are in memory. */
export const guard = benchmark({
  summary: 'throughput of a Nest route with and without @RequireFreshTokens',
  flags: turnFlags(),
  run: async (plan) => {
    const results: Result[] = [];
    for (const platform of PLATFORMS) {
      for (const customers of [1, CUSTOMERS]) {
        const title = `guard, ${platform}, customers: ${customers}`;
        const starts = await takeTurns(title, ROUTES, plan, () => open(platform, customers));
        results.push({ platform, customers, starts });
      }
    }
    const report = [
      'guard: a route with @RequireFreshTokens and @FreshTokens()',
      '',
      'Throughput as a multiple of that of another route:',
      table([
        ['', ...SPREAD_TITLES, 'goal', '', 'CPU time'],
        ...results.flatMap((result) => RIVALS.map((rival) => rowOf(result, rival))),
      ]),
      '',
      'Absolute numbers:',
      table([
        ['', 'per second', 'CPU us'],
        ...results.flatMap((result) => ROUTES.map((route) => absoluteRowOf(result, route))),
      ]),
      '',
      'How it was measured:',
      '  The routes belong to one application. 32 callers in another process load one at a time; the CPU',
      `  time is that of the server. Requests are of one customer, or of ${CUSTOMERS} in turn, whose tokens are`,
      '  in memory; each answer is checked to be for the right one. The guard that does nothing says yes,',
      '  and its parameter is a constant: what lies between it and no guard is what Nest takes for any',
      '  guard. The one with a Map hands over what it finds, valid or not: what lies between it and no',
      "  guard is the cost of reading something of the customer's, which with many customers is in no",
      '  cache of the processor. Without a guard, the handler may call fresh() itself.',
      ...describeTurns(plan),
    ].join('\n');
    return { report, data: { plan, results } };
  },
});

async function open(platform: Platform, customers: number): Promise<Contest<Route>> {
  const file = new URL('./guard.process.js', import.meta.url);
  const server = await ServedTarget.start(file, [platform]);
  let next = 0;
  const request = async (pool: Pool, route: Route): Promise<void> => {
    const number = next++ % customers;
    const headers = { 'x-customer-uid': uidOf(number) };
    const { body } = await pool.request({ method: 'GET', path: `/${route}`, headers });
    const { id } = (await body.json()) as { id?: string };
    const isConstant = route === 'bare' || route === 'trivial';
    if (id !== transactionIdOf(isConstant ? 0 : number)) {
      throw new Error(`The route "${route}" gave the tokens of another customer, or none.`);
    }
  };
  return {
    turn: (route, ms) => server.load(ms, (pool) => request(pool, route)),
    close: () => server.stop(),
  };
}

function rowOf(result: Result, rival: Route): string[] {
  const { starts } = result;
  const throughput = spreadOfStarts(
    starts,
    (round) => perSecond(round.guarded) / perSecond(round[rival]),
  );
  const cpu = spreadOfStarts(starts, (round) => micros(round.guarded) / micros(round[rival]));
  return [
    titleOf(result, rival),
    ...cells(throughput, 2, 'x'),
    ...(rival === 'bare' ? atLeast(throughput, GOAL) : ['', '']),
    `${cpu.median.toFixed(2)}x`,
  ];
}

function absoluteRowOf(result: Result, route: Route): string[] {
  const { starts } = result;
  return [
    titleOf(result, route),
    spreadOfStarts(starts, (round) => perSecond(round[route])).median.toFixed(0),
    spreadOfStarts(starts, (round) => micros(round[route])).median.toFixed(1),
  ];
}

function titleOf({ platform, customers }: Result, route: Route): string {
  return `${platform}, ${customers === 1 ? 'one customer' : customers}, ${TITLES[route]}`;
}
