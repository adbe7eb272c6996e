/** The same route on both platforms of Nest ... */
export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

/**
 * ... without a guard, with one that does nothing, with one that looks into a Map, with `fresh()` in
 * the handler, and with our guard.
 */
export const ROUTES = ['bare', 'trivial', 'lookup', 'manual', 'guarded'] as const;
export type Route = (typeof ROUTES)[number];

/** A server to be loaded. */
export interface ServerState {
  url: string;
  /** User and system time of the process so far. */
  cpuMs: number;
}
