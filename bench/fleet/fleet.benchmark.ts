import { benchmark } from '../support/benchmark.js';
import { report } from './fleet.report.js';
import { measure } from './measure.js';

/** How many exchanges a fleet makes, and what a call takes, beside one process alone and the SDK. */
export const fleet = benchmark({
  summary: 'exchanges of a fleet on PostgreSQL and Redis, beside one process alone and the SDK',
  flags: {
    seconds: { help: 'seconds for each contestant, all rounds together', fallback: 30 },
    rounds: { help: 'rounds', fallback: 3 },
    processes: { help: 'processes of a fleet', fallback: 4 },
    callers: { help: 'callers in each process', fallback: 16 },
    transactions: { help: 'transactions', fallback: 200 },
    lifetime: { help: 'life of the tokens, in seconds', fallback: 2 },
  },
  run: async (plan) => {
    const rounds = await measure(plan);
    return { report: report(plan, rounds), data: { plan, rounds } };
  },
});
