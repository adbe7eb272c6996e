import { table } from '../support/table.js';
import { TITLES } from './contestants.js';
import type { Plan } from './measure.js';
import type { Comparison, Cost, Summary } from './summary.js';

/** For the terminal: the ratios first. */
export function report(plan: Plan, summaries: Summary[]): string {
  return [
    'refresh: what one exchange costs the application',
    ...summaries.flatMap(({ callers, comparisons }) => [
      '',
      `BerbixTokenService.refresh() as a multiple of each, ${callersOf(callers)} (median, min to max):`,
      table([
        ['', 'CPU time', '', 'goal', '', 'throughput', ''],
        ...comparisons.map(comparisonRow),
      ]),
    ]),
    '',
    'Absolute numbers; they say something about this machine only:',
    ...summaries.map(({ callers, costs }) =>
      table([[callersOf(callers), 'CPU time', 'throughput'], ...costs.map(costRow)]),
    ),
    '',
    ...method(plan),
  ].join('\n');
}

function comparisonRow({ rival, cpu, throughput, goal }: Comparison): string[] {
  const verdict = goal === undefined ? '' : cpu.median <= goal ? 'met' : 'MISSED';
  return [
    TITLES[rival],
    times(cpu.median),
    `(${times(cpu.min)} to ${times(cpu.max)})`,
    goal === undefined ? '' : `<= ${times(goal)}`,
    verdict,
    times(throughput.median),
    `(${times(throughput.min)} to ${times(throughput.max)})`,
  ];
}

function costRow({ contestant, cpuMicrosPerExchange, exchangesPerSecond }: Cost): string[] {
  return [
    TITLES[contestant],
    `${cpuMicrosPerExchange.median.toFixed(0)} us`,
    `${exchangesPerSecond.median.toFixed(0)}/s`,
  ];
}

function method({ starts, rounds, exchanges, warmUp }: Plan): string[] {
  return [
    'How it was measured:',
    '  Each has a client process of its own; an API that does nothing but answer is in another, and',
    '  is spoken to over TLS, on connections that are kept alive.',
    `  After ${warmUp} exchanges each, they took turns of ${exchanges} exchanges, one at a time, ${rounds} rounds,`,
    `  each round beginning with another one; all that ${starts} times, in new processes.`,
    '  Ratios are made within a round; then the median is taken.',
    '  CPU time is user and system time of the client process, garbage collection included.',
    '  Every exchange has a refresh token of its own, every answer is checked to be the one for it,',
    '  and the API counted as many exchanges as were to be made.',
    '  Throughput is bound by the API where the client is the faster of the two.',
  ];
}

function callersOf(count: number): string {
  return count === 1 ? '1 caller' : `${count} callers at once`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}
