import { benchmark } from '../support/benchmark.js';
import { measure } from './measure.js';
import { report } from './refresh.report.js';
import { summarize } from './summary.js';

/** What an exchange costs the application, beside what it costs by other means. */
export const refresh = benchmark({
  summary: 'CPU time and throughput of an exchange, beside undici, the SDK and HttpService',
  flags: {
    callers: { help: 'callers at once', fallback: [1, 32] },
    starts: { help: 'how often all begin anew, in new processes', fallback: 3 },
    rounds: { help: 'rounds after each start', fallback: 3 },
    exchanges: { help: 'exchanges per turn', fallback: 2_000 },
    'warm-up': { help: 'exchanges before the first round', fallback: 25_000 },
  },
  run: async ({ 'warm-up': warmUp, ...flags }) => {
    const plan = { ...flags, warmUp };
    const rounds = await measure(plan);
    const results = [...rounds].map(([callers, each]) => summarize(callers, plan.exchanges, each));
    return { report: report(plan, results), data: { plan, results } };
  },
});
