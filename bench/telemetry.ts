import { Api } from './harness/api.js';
import { benchmark, turnFlags } from './harness/command-line.js';
import type { Peer } from './harness/peer.js';
import { SPREAD_TITLES, cells, table } from './harness/report.js';
import { spreadOfStarts } from './harness/statistics.js';
import { describeTurns, micros, takeTurns, type Contest, type Turn } from './harness/turns.js';
import type { TelemetryTask, Work } from './telemetry.process.js';

const WORKS = {
  memory: 'fresh() from memory',
  exchange: 'refresh(), 32 callers, an exchange each',
  many: 'refresh(), many callers of one exchange',
} satisfies Record<Work, string>;
const works = Object.keys(WORKS) as Work[];

const SDKS = ['without', 'with'] as const;
type Contestant = `${Work} ${(typeof SDKS)[number]}`;
const CONTESTANTS = works.flatMap((work) => SDKS.map((sdk): Contestant => `${work} ${sdk}`));

/** What an SDK of OpenTelemetry costs. */
export const telemetry = benchmark({
  summary: 'what spans and metrics cost where an SDK of OpenTelemetry is registered',
  flags: { callers: { help: 'callers of one exchange', fallback: 10_000 }, ...turnFlags() },
  run: async (plan) => {
    const api = await Api.start();
    try {
      const starts = await takeTurns('telemetry', CONTESTANTS, plan, async () =>
        open(api, plan.callers),
      );
      const rows = works.map((work) => [
        WORKS[work],
        ...cells(
          spreadOfStarts(
            starts,
            (round) => micros(round[`${work} with`]) / micros(round[`${work} without`]),
          ),
          2,
          'x',
        ),
      ]);
      const report = [
        'telemetry: CPU time with an SDK of OpenTelemetry, as a multiple of that without one',
        '',
        table([['', ...SPREAD_TITLES], ...rows]),
        '',
        'How it was measured:',
        '  The SDK records every span and every metric, with the instrumentation of undici, and throws',
        `  away what it would send. Many callers are ${plan.callers}.`,
        ...describeTurns(plan),
      ].join('\n');
      return { report, data: { plan, starts } };
    } finally {
      await api.stop();
    }
  },
});

function open(api: Api, callers: number): Contest<Contestant> {
  const file = new URL('./telemetry.process.js', import.meta.url);
  const workers = Object.fromEntries(
    SDKS.map((sdk) => [sdk, api.client<TelemetryTask, Turn>(file, [sdk])]),
  ) as Record<(typeof SDKS)[number], Peer<TelemetryTask, Turn>>;
  return {
    turn: (name, ms) => {
      const [work, sdk] = name.split(' ') as [Work, (typeof SDKS)[number]];
      return workers[sdk].ask({ work, callers: work === 'many' ? callers : 32, ms });
    },
    close: async () => void (await Promise.all(Object.values(workers).map((each) => each.stop()))),
  };
}
