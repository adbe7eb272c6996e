import { describeCalls, ratioOf, startCalls, timesOf, type CallTimes } from './harness/calls.js';
import { benchmark } from './harness/command-line.js';
import { SPREAD_TITLES, cells, table, verdict } from './harness/report.js';
import { CUSTOMERS } from './harness/stored-tokens.js';

/** What the others are compared with. */
const BASE = 'of(tokens)';

/** Nanoseconds of a call with its Observable, in the worst start. */
const GOAL_NS = 2_000;

/** What fresh tokens cost that are in memory. */
export const fresh = benchmark({
  summary: 'calls of fresh() that hit memory, compared with of() of rxjs and a Map',
  flags: { starts: { help: 'starts of new processes', fallback: 10 } },
  run: async (plan) => {
    const file = new URL('./fresh.process.js', import.meta.url);
    const starts = await startCalls('fresh', file, plan.starts);
    const report = [
      'fresh: calls of fresh() that hit memory',
      '',
      `Time of a call as a multiple of that of ${BASE}:`,
      table([
        ['', ...SPREAD_TITLES, 'ns', 'goal', ''],
        ...Object.keys(starts[0] ?? {}).map((title) => row(starts, title)),
      ]),
      '',
      'How it was measured:',
      '  Each is subscribed to, or awaited where it says so, and the tokens are checked to be the right',
      `  ones. Calls are for ${CUSTOMERS} customers in turn.`,
      ...describeCalls(plan.starts),
    ].join('\n');
    return { report, data: { plan, starts } };
  },
});

function row(starts: readonly CallTimes[], title: string): string[] {
  const ns = timesOf(starts, title);
  const goal = title.startsWith('fresh') ? [`<= ${GOAL_NS}`, verdict(ns.max <= GOAL_NS)] : ['', ''];
  return [title, ...cells(ratioOf(starts, title, BASE), 1, 'x'), ns.median.toFixed(0), ...goal];
}
