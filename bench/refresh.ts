import { Api } from './harness/api.js';
import { benchmark, turnFlags } from './harness/command-line.js';
import { versionOf } from './harness/environment.js';
import type { Peer } from './harness/peer.js';
import { SPREAD_TITLES, atMost, cells, table, verdict } from './harness/report.js';
import { spread, spreadOfStarts, type Spread } from './harness/statistics.js';
import {
  describeTurns,
  micros,
  perSecond,
  takeTurns,
  type Contest,
  type Starts,
  type Turn,
} from './harness/turns.js';
import type { ExchangeTask, Way } from './refresh.process.js';

/** In the order of the report. `control` is ours, where V8 does not pretenure (see CONTROL_FLAGS). */
const CONTESTANTS = ['undici', 'sdk', 'http-service', 'token-service', 'control'] as const;
type Contestant = (typeof CONTESTANTS)[number];

const OURS = 'token-service';

/**
 * V8 decides in the warm-up how long objects will live. This shows what such a decision costs.
 */
const CONTROL_FLAGS = ['--no-allocation-site-pretenuring'];

const TITLES: Record<Contestant, string> = {
  undici: `undici ${versionOf('undici')}, request() of a Pool`,
  sdk: `official SDK ${versionOf('berbix')}, client.refreshTokens()`,
  'http-service': `HttpService.post() of @nestjs/axios ${versionOf('@nestjs/axios')}`,
  'token-service': 'BerbixTokenService.refresh()',
  control: 'the same, without pretenuring',
};

/** Our CPU time as a multiple of the rival's; the goal is for GOAL_CALLERS. */
const GOALS = { undici: 1.35, sdk: 0.7, 'http-service': 0.3 };
type Rival = keyof typeof GOALS;
const RIVALS = Object.keys(GOALS) as Rival[];
const GOAL_CALLERS = 32;

/** The rounds with one number of callers. */
interface Result {
  callers: number;
  starts: Starts<Contestant>;
}

/** What an exchange costs the application. */
export const refresh = benchmark({
  summary: 'CPU time and throughput of an exchange, compared with undici, the SDK and HttpService',
  flags: {
    callers: { help: 'concurrent callers', fallback: [1, GOAL_CALLERS] },
    ...turnFlags(),
  },
  run: async (plan) => {
    const api = await Api.start();
    const results: Result[] = [];
    try {
      for (const callers of plan.callers) {
        const title = `refresh, ${callers} callers`;
        const starts = await takeTurns(title, CONTESTANTS, plan, () => open(api, callers));
        results.push({ callers, starts });
      }
    } finally {
      await api.stop();
    }
    const report = [
      'refresh: what one exchange costs the application',
      ...results.flatMap(reportOf),
      '',
      'How it was measured:',
      '  Each has a client process of its own. The API is in another process, does nothing but answer,',
      '  and is reached over TLS on connections that are kept alive.',
      ...describeTurns(plan),
      '  Each exchange has its own refresh token, each answer is checked to be the one for it, and the',
      '  API counted as many exchanges as were made. Where the client is the faster of the two, the API',
      '  limits the throughput.',
    ].join('\n');
    return { report, data: { plan, results } };
  },
});

async function open(api: Api, callers: number): Promise<Contest<Contestant>> {
  const file = new URL('./refresh.process.js', import.meta.url);
  const workers = Object.fromEntries(
    CONTESTANTS.map((name) => [
      name,
      name === 'control'
        ? api.client(file, [OURS], CONTROL_FLAGS)
        : api.client(file, [name satisfies Way]),
    ]),
  ) as Record<Contestant, Peer<ExchangeTask, Turn>>;
  return {
    turn: (name, ms) => api.countedTurn(() => workers[name].ask({ callers, ms })),
    close: async () => void (await Promise.all(Object.values(workers).map((each) => each.stop()))),
  };
}

function reportOf({ callers, starts }: Result): string[] {
  const who = callers === 1 ? '1 caller' : `${callers} concurrent callers`;
  const cpu = (rival: Rival): Spread =>
    spreadOfStarts(starts, (round) => micros(round[OURS]) / micros(round[rival]));
  const throughput = (rival: Rival): Spread =>
    spreadOfStarts(starts, (round) => perSecond(round[OURS]) / perSecond(round[rival]));
  return [
    '',
    `CPU time of BerbixTokenService.refresh() as a multiple of each, ${who}:`,
    table([
      ['', ...SPREAD_TITLES, 'goal', '', 'throughput'],
      ...RIVALS.map((rival) => [
        TITLES[rival],
        ...cells(cpu(rival), 2, 'x'),
        ...(callers === GOAL_CALLERS ? atMost(cpu(rival), GOALS[rival]) : ['', '']),
        `${throughput(rival).median.toFixed(2)}x`,
      ]),
    ]),
    '',
    `Absolute numbers, ${who}:`,
    table([
      ['', 'CPU us', 'per second', 'major collections per 100,000', '', ''],
      ...CONTESTANTS.map((name) => [
        TITLES[name],
        spreadOfStarts(starts, (round) => micros(round[name])).median.toFixed(0),
        spreadOfStarts(starts, (round) => perSecond(round[name])).median.toFixed(0),
        ...collectionCells(starts, name),
      ]),
    ]),
  ];
}

/** Pretenuring must not cost our worst start anything; one collection more or less is chance. */
function collectionCells(starts: Starts<Contestant>, name: Contestant): string[] {
  const sums = (of: Contestant, count: (turn: Turn) => number): number[] =>
    starts.map((rounds) => rounds.reduce((sum, round) => sum + count(round[of]), 0));
  const major = (of: Contestant): number[] => sums(of, ({ majorCollections }) => majorCollections);
  const done = sums(name, (turn) => turn.done);
  const per = spread(major(name).map((count, start) => (count * 100_000) / (done[start] ?? NaN)));
  const isMet = Math.max(...major(OURS)) <= Math.max(...major('control')) + 1;
  return [
    per.median.toFixed(1),
    `${per.min.toFixed(1)} to ${per.max.toFixed(1)}`,
    name === OURS ? `goal: no more than the next: ${verdict(isMet)}` : '',
  ];
}
