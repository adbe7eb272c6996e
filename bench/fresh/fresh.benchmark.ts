import { benchmark } from '../support/benchmark.js';
import { spread } from '../support/statistics.js';
import { CUSTOMERS } from '../support/stored-tokens.js';
import { table } from '../support/table.js';
import { OF, openContestants, type Contestant } from './contestants.js';
import { measure, type Plan, type Round } from './measure.js';

/** Nanoseconds of a call, at most, its Observable included. */
const GOAL_NS = 2_000;

/** What fresh tokens cost that are in memory. */
export const fresh = benchmark({
  summary: 'calls of fresh() that hit memory, beside of() of rxjs and a Map',
  flags: {
    rounds: { help: 'rounds', fallback: 31 },
    calls: { help: 'calls of each in a round', fallback: 50_000 },
  },
  run: async (plan) => {
    const contestants = await openContestants();
    const rounds = await measure(contestants, plan);
    return { report: report(plan, contestants, rounds), data: { plan, rounds } };
  },
});

function report(plan: Plan, contestants: Contestant[], rounds: Round[]): string {
  return [
    'fresh: calls of fresh() that hit memory',
    '',
    `Time of a call as a multiple of that of ${OF}, and in nanoseconds (median, min to max):`,
    table([['', 'ratio', '', 'ns', '', 'goal', ''], ...contestants.map(row)]),
    '',
    'Each is subscribed to, or awaited where it says so; the tokens that come are checked to be the',
    `right ones. Calls are for ${CUSTOMERS} customers in turn, in one process. All took turns of ${plan.calls} calls;`,
    'ratios are made within a round. Nanoseconds say something about this machine only.',
  ].join('\n');

  function row({ title, ours }: Contestant): string[] {
    const ratio = spread(rounds.map((round) => (round[title] ?? 0) / (round[OF] ?? 1)));
    const ns = spread(rounds.map((round) => round[title] ?? 0));
    return [
      title,
      `${ratio.median.toFixed(1)}x`,
      `(${ratio.min.toFixed(1)}x to ${ratio.max.toFixed(1)}x)`,
      ns.median.toFixed(0),
      `(${ns.min.toFixed(0)} to ${ns.max.toFixed(0)})`,
      ours ? `<= ${GOAL_NS}` : '',
      ours ? (ns.median <= GOAL_NS ? 'met' : 'MISSED') : '',
    ];
  }
}
