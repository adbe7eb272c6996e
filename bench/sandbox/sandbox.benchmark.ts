import { benchmark } from '../support/benchmark.js';
import { spread, type Spread } from '../support/statistics.js';
import { table } from '../support/table.js';
import { measureStarts, measureThroughput, type Round } from './measure.js';
import type { StartTimes } from './start.process.js';

/** The platform that the sandbox is on here; the goal is for the same one. */
const USED = 'express';

const GOALS = { firstAnswerMs: 300, throughput: 0.6 };

/** How fast a test suite has a sandbox, and what it can take. */
export const sandbox = benchmark({
  summary: 'start of the sandbox, and its throughput beside a bare Nest controller',
  flags: {
    starts: { help: 'starts in new processes', fallback: 7 },
    rounds: { help: 'rounds of throughput', fallback: 9 },
    requests: { help: 'requests per turn', fallback: 4_000 },
  },
  run: async (plan) => {
    const starts = await measureStarts(plan);
    const rounds = await measureThroughput(plan);
    return { report: report(starts, rounds), data: { plan, starts, rounds } };
  },
});

function report(starts: StartTimes[], rounds: Round[]): string {
  const nest = spread(starts.map(({ nestMs }) => nestMs));
  const first = spread(starts.map(({ firstAnswerMs }) => firstAnswerMs));
  const ratios = (['express', 'fastify'] as const).map(
    (platform) =>
      [platform, spread(rounds.map((round) => round.sandbox / round[platform]))] as const,
  );
  return [
    'sandbox: start and throughput',
    '',
    'In a new process, milliseconds (median, min to max):',
    table([
      ['importing Nest', ms(nest), ''],
      [
        'from then to the first answer',
        ms(first),
        `goal: below ${GOALS.firstAnswerMs} ${verdict(first.median < GOALS.firstAnswerMs)}`,
      ],
    ]),
    '',
    'Exchanges per second, as a multiple of a Nest controller that answers a constant:',
    table(
      ratios.map(([platform, ratio]) => [
        `beside ${platform}`,
        `${times(ratio.median)} (${times(ratio.min)} to ${times(ratio.max)})`,
        platform === USED
          ? `goal: at least ${times(GOALS.throughput)} ${verdict(ratio.median >= GOALS.throughput)}`
          : '',
      ]),
    ),
    '',
    'Each server has a process of its own; 32 callers in another load one at a time, in turns.',
    `The sandbox takes the platform that is installed, ${USED} where both are, as here.`,
    'Milliseconds say something about this machine only.',
  ].join('\n');
}

const ms = ({ median, min, max }: Spread): string =>
  `${median.toFixed(0)} (${min.toFixed(0)} to ${max.toFixed(0)})`;
const times = (ratio: number): string => `${ratio.toFixed(2)}x`;
const verdict = (met: boolean): string => (met ? 'met' : 'MISSED');
