import { measure } from 'mitata';
import { answer, askOnce } from './peer.js';
import { progress } from './report.js';
import { spread, type Spread } from './statistics.js';

/** How long each contestant is measured, in nanoseconds of CPU time. */
const MEASURED_NS = 1e9;

/** The median of a call, in nanoseconds, by the title of the contestant. */
export type CallTimes = Record<string, number>;

/** One way of doing the same work; it throws or rejects if the result is wrong. */
export type Call = () => unknown;

/** In a process of its own: measures calls that need no other process. */
export function measureCalls(open: () => Promise<Record<string, Call>>): void {
  answer(async (): Promise<CallTimes> => {
    const times: CallTimes = {};
    for (const [title, call] of Object.entries(await open())) {
      const { p50 } = await measure(call, { min_cpu_time: MEASURED_NS });
      times[title] = p50;
    }
    return times;
  });
}

/** Measures them in several starts of the process. @param file calls {@link measureCalls} */
export async function startCalls(
  name: string,
  file: URL,
  starts: number,
  args: readonly string[] = [],
): Promise<CallTimes[]> {
  const all: CallTimes[] = [];
  for (let start = 1; start <= starts; start++) {
    progress(`${name}: start ${start} of ${starts} ...`);
    all.push(await askOnce(file, 'measure', { args, flags: ['--expose-gc'] }));
  }
  return all;
}

/** The spread of the starts. */
export function timesOf(starts: readonly CallTimes[], title: string): Spread {
  return spread(starts.map((times) => times[title] ?? NaN));
}

/** Ratios are made within a start. */
export function ratioOf(starts: readonly CallTimes[], title: string, base: string): Spread {
  return spread(starts.map((times) => (times[title] ?? NaN) / (times[base] ?? NaN)));
}

/** How it was measured, for the end of a report. */
export function describeCalls(starts: number): string[] {
  return [
    `  mitata measures each for a second, all in one process (starts of new processes: ${starts}). The median`,
    '  of a start counts, ratios are made within a start, and the spread is that of the starts.',
    '  Nanoseconds say something about this machine only.',
  ];
}
