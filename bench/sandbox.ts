import { finished } from 'node:stream/promises';
import { type Pool, request } from 'undici';
import { benchmark, turnFlags } from './harness/command-line.js';
import { askOnce } from './harness/peer.js';
import { SPREAD_TITLES, atLeast, cells, progress, table, verdict } from './harness/report.js';
import { ServedTarget } from './harness/served.js';
import { spread, spreadOfStarts, type Spread } from './harness/statistics.js';
import { describeTurns, micros, perSecond, takeTurns, type Contest } from './harness/turns.js';
import type { StartTimes } from './sandbox-start.process.js';
import type { Target } from './sandbox.process.js';

/**
 * The sandbox, another one whose console is open, and a Nest controller on each platform that answers a
 * constant.
 */
const SERVERS = ['sandbox', 'watched', 'express', 'fastify'] as const;
type Server = (typeof SERVERS)[number];

/** The sandbox uses it here, since both are installed; the goal is for the same one. */
const USED = 'express';

const GOALS = { firstAnswerMs: 300, throughput: 0.6, watched: 0.9 };

/** How fast a test suite gets a sandbox, and how much the sandbox can take. */
export const sandbox = benchmark({
  summary: 'start of the sandbox, and its throughput compared with a bare Nest controller',
  flags: turnFlags({ starts: 7 }),
  run: async (plan) => {
    const times = await measureStarts(plan.starts);
    const starts = await takeTurns('sandbox', SERVERS, plan, open);
    const nest = spread(times.map(({ nestMs }) => nestMs));
    const first = spread(times.map(({ firstAnswerMs }) => firstAnswerMs));
    const throughput = (server: Server): Spread =>
      spreadOfStarts(starts, (round) => perSecond(round.sandbox) / perSecond(round[server]));
    const watched = spreadOfStarts(
      starts,
      (round) => perSecond(round.watched) / perSecond(round.sandbox),
    );
    const cpu = (server: Server): Spread =>
      spreadOfStarts(starts, (round) => micros(round.sandbox) / micros(round[server]));
    const report = [
      'sandbox: start and throughput',
      '',
      'Milliseconds in a new process:',
      table([
        ['', ...SPREAD_TITLES, 'goal', ''],
        ['importing Nest', ...cells(nest, 0), '', ''],
        [
          'from then to the first answer',
          ...cells(first, 0),
          `<= ${GOALS.firstAnswerMs}`,
          verdict(first.max <= GOALS.firstAnswerMs),
        ],
      ]),
      '',
      'Exchanges per second, as a multiple of a Nest controller that answers a constant:',
      table([
        ['', ...SPREAD_TITLES, 'goal', '', 'CPU time'],
        ...(['express', 'fastify'] as const).map((server) => [
          `compared with ${server}`,
          ...cells(throughput(server), 2, 'x'),
          ...(server === USED ? atLeast(throughput(server), GOALS.throughput) : ['', '']),
          `${cpu(server).median.toFixed(2)}x`,
        ]),
      ]),
      '',
      'Exchanges per second while a console is open, as a multiple of the sandbox without one:',
      table([
        ['', ...SPREAD_TITLES, 'goal', ''],
        [
          'with its stream of events',
          ...cells(watched, 2, 'x'),
          ...atLeast(watched, GOALS.watched),
        ],
      ]),
      '',
      'How it was measured:',
      '  Each server has a process of its own; 32 callers in another one load one at a time. The CPU time',
      `  is that of the server. The sandbox uses the platform that is installed, ${USED} if both are.`,
      ...describeTurns(plan),
    ].join('\n');
    return { report, data: { plan, times, starts } };
  },
});

async function measureStarts(starts: number): Promise<StartTimes[]> {
  const times: StartTimes[] = [];
  for (let start = 1; start <= starts; start++) {
    progress(`sandbox: start ${start} of ${starts} until the first answer ...`);
    times.push(await askOnce(new URL('./sandbox-start.process.js', import.meta.url), 'start'));
  }
  return times;
}

async function open(): Promise<Contest<Server>> {
  const file = new URL('./sandbox.process.js', import.meta.url);
  const started = await Promise.all(
    SERVERS.map(async (name) => [name, await ServedTarget.start<Target>(file, [name])] as const),
  );
  const servers = Object.fromEntries(started) as Record<Server, ServedTarget<Target>>;
  const watching = new AbortController();
  void watch(servers.watched.target.url, watching.signal);
  return {
    turn: (name, ms) => servers[name].load(ms, (pool) => exchange(pool, servers[name].target)),
    close: async () => {
      watching.abort();
      await Promise.all(Object.values(servers).map((each) => each.stop()));
    },
  };
}

/** Reads the events as a browser does, which shows only some of them. */
async function watch(url: string, signal: AbortSignal): Promise<void> {
  const { body } = await request(`${url}/sandbox/events`, { signal });
  await finished(body.resume()).catch(() => undefined);
}

async function exchange(pool: Pool, { authorization, body }: Target): Promise<void> {
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await pool.request({ method: 'POST', path: '/v0/tokens', headers, body });
  const { access_token } = (await answer.body.json()) as { access_token?: string };
  if (access_token === undefined) throw new Error('An exchange gave no access token.');
}
