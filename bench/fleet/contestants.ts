/** Who keeps tokens fresh: in a fleet on each store, in a fleet by the SDK, and in one process alone. */
export const CONTESTANTS = ['postgres', 'redis', 'alone', 'sdk'] as const;
export type Contestant = (typeof CONTESTANTS)[number];

/** What a table calls them. */
export const TITLES: Record<Contestant, string> = {
  postgres: 'fresh() on PostgreSQL',
  redis: 'fresh() on Redis',
  alone: 'fresh() in one process alone',
  sdk: 'the official SDK',
};

/** What shares a store. */
export const STORES = ['postgres', 'redis'] as const;
export type Store = (typeof STORES)[number];

/** Exchanges at most, as a multiple of what one process alone makes. */
export const GOAL = 1.05;
