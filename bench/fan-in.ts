import type { FanInTask } from './fan-in.process.js';
import { Api } from './harness/api.js';
import { benchmark, turnFlags } from './harness/command-line.js';
import type { Peer } from './harness/peer.js';
import { SPREAD_TITLES, cells, table } from './harness/report.js';
import { spread, spreadOfStarts, type Spread } from './harness/statistics.js';
import { describeTurns, takeTurns, type Contest, type Turn } from './harness/turns.js';

const CONTESTANTS = ['one', 'all'] as const;
type Contestant = (typeof CONTESTANTS)[number];

/** Milliseconds of the first exchange of new processes. */
type Cold = Record<Contestant, number[]>;

/** Many callers of one refresh token at the same time: they share one exchange. */
export const fanIn = benchmark({
  summary: 'many callers of one refresh token make one exchange',
  flags: { callers: { help: 'concurrent callers', fallback: 10_000 }, ...turnFlags() },
  run: async (plan) => {
    const api = await Api.start();
    const cold: Cold = { one: [], all: [] };
    try {
      const starts = await takeTurns('fan-in', CONTESTANTS, plan, () =>
        open(api, plan.callers, cold),
      );
      const warm = spreadOfStarts(starts, (round) => msOf(round.all) / msOf(round.one));
      const first = spread(cold.all.map((ms, start) => ms / (cold.one[start] ?? NaN)));
      const report = [
        `fan-in: ${plan.callers} concurrent callers of one refresh token`,
        '',
        'Exchanges that the API counted: 1 each time.',
        '',
        'Time until the last of them has the tokens, as a multiple of that of a single caller:',
        table([
          ['', ...SPREAD_TITLES, 'all', 'one'],
          [
            'warm',
            ...row(
              warm,
              starts.flat().map(({ all }) => msOf(all)),
              starts.flat().map(({ one }) => msOf(one)),
            ),
          ],
          ['the first of a process', ...row(first, cold.all, cold.one)],
        ]),
        '',
        'How it was measured:',
        '  The API answers at once here, so the ratio shrinks with the distance of a real one. Both make',
        '  one exchange after the other, each with a new refresh token, over connections that are kept',
        '  alive; the mean of a turn counts. In a new process, no code is compiled and no connection is',
        '  open.',
        ...describeTurns(plan),
      ].join('\n');
      return { report, data: { plan, starts, cold } };
    } finally {
      await api.stop();
    }
  },
});

async function open(api: Api, callers: number, cold: Cold): Promise<Contest<Contestant>> {
  const file = new URL('./fan-in.process.js', import.meta.url);
  const workers: Record<Contestant, Peer<FanInTask, Turn>> = {
    one: api.client(file),
    all: api.client(file),
  };
  const turn = (name: Contestant, ms: number): Promise<Turn> =>
    api.countedTurn(() => workers[name].ask({ callers: name === 'one' ? 1 : callers, ms }));
  for (const name of CONTESTANTS) cold[name].push(msOf(await turn(name, 0)));
  return {
    turn,
    close: async () => void (await Promise.all(Object.values(workers).map((each) => each.stop()))),
  };
}

/** Milliseconds of one exchange. */
function msOf({ wallMs, done }: Turn): number {
  return wallMs / done;
}

function row(ratio: Spread, all: number[], one: number[]): string[] {
  return [
    ...cells(ratio, 1, 'x'),
    `${spread(all).median.toFixed(1)} ms`,
    `${spread(one).median.toFixed(2)} ms`,
  ];
}
