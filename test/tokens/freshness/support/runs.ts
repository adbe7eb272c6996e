/** Runs of each property; more of them for a night: `FRESHNESS_RUNS=5000 npm run test:jest -- freshness`. */
export const RUNS = Number(process.env.FRESHNESS_RUNS ?? 40);
