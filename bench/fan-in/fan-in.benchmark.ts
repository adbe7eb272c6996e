import { benchmark } from '../support/benchmark.js';
import { spread, type Spread } from '../support/statistics.js';
import { table } from '../support/table.js';
import { measure, type Plan, type Round } from './measure.js';

/** Many callers of one refresh token at once: they share one exchange. */
export const fanIn = benchmark({
  summary: 'many callers of one refresh token make one exchange',
  flags: {
    callers: { help: 'callers at once', fallback: 10_000 },
    rounds: { help: 'rounds in a warm process', fallback: 31 },
    'cold-rounds': { help: 'rounds of new processes', fallback: 7 },
  },
  run: async ({ 'cold-rounds': coldRounds, ...flags }) => {
    const plan = { ...flags, coldRounds };
    const { warm, cold } = await measure(plan);
    const results = { warm: summarize(warm), cold: summarize(cold) };
    return { report: report(plan, results), data: { plan, results } };
  },
});

interface Summary {
  ratio: Spread;
  oneMs: Spread;
  allMs: Spread;
  rounds: Round[];
}

function summarize(rounds: Round[]): Summary {
  return {
    ratio: spread(rounds.map(({ oneMs, allMs }) => allMs / oneMs)),
    oneMs: spread(rounds.map(({ oneMs }) => oneMs)),
    allMs: spread(rounds.map(({ allMs }) => allMs)),
    rounds,
  };
}

function report(plan: Plan, { warm, cold }: Record<'warm' | 'cold', Summary>): string {
  return [
    `fan-in: ${plan.callers} callers of one refresh token at once`,
    '',
    'Exchanges that the API counted: 1, in every round.',
    '',
    'Time until the last of them has the tokens, beside that of one caller alone (median, min to max):',
    table([
      ['', 'ratio', '', 'all', 'one'],
      row(`warm, ${plan.rounds} rounds`, warm),
      row(`cold start, ${plan.coldRounds} rounds`, cold),
    ]),
    '',
    'Milliseconds say something about this machine only; and the API answers at once here, so the ratio',
    'shrinks with the distance of a real one. In a cold start the process is new: nothing is compiled,',
    'no connection is open. One and all took turns; ratios are made within a round.',
  ].join('\n');
}

function row(title: string, { ratio, allMs, oneMs }: Summary): string[] {
  return [
    title,
    `${ratio.median.toFixed(1)}x`,
    `(${ratio.min.toFixed(1)}x to ${ratio.max.toFixed(1)}x)`,
    `${allMs.median.toFixed(1)} ms`,
    `${oneMs.median.toFixed(1)} ms`,
  ];
}
