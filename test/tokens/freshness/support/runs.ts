/** Runs of each property. */
export const RUNS = Number(process.env.FRESHNESS_RUNS ?? 40);
