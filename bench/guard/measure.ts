import { Pool } from 'undici';
import { Peer } from '../support/peer.js';
import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import { transactionIdOf, uidOf } from '../support/stored-tokens.js';
import type { ServerState } from './server.process.js';

const CALLERS = 32;

/** The same route on both platforms of Nest ... */
export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** ... without a guard, with one that does nothing, with `fresh()` in the handler, and with our guard. */
export const ROUTES = ['bare', 'trivial', 'manual', 'guarded'] as const;
export type Route = (typeof ROUTES)[number];

/** How much is measured. */
export interface Plan {
  starts: number;
  rounds: number;
  requests: number;
  warmUp: number;
}

/** What a turn took. */
export interface Turn {
  wallMs: number;
  /** Of the server. */
  cpuMs: number;
}

/** One turn of each route, one after the other. */
export type Round = Record<Route, Turn>;

/**
 * Each server in a process of its own; they take turns, and this process loads them with requests of
 * so many customers. By start.
 */
export async function measure(plan: Plan, customers: number): Promise<Record<Platform, Round[][]>> {
  const rounds: Record<Platform, Round[][]> = { express: [], fastify: [] };
  for (let start = 1; start <= plan.starts; start++) {
    for (const platform of PLATFORMS) {
      progress(`Customers: ${customers}; start ${start} of ${plan.starts}, ${platform} ...`);
      rounds[platform].push(await takeTurns(platform, plan, customers));
    }
  }
  return rounds;
}

async function takeTurns(platform: Platform, plan: Plan, customers: number): Promise<Round[]> {
  const servers = await Promise.all(
    ROUTES.map((route) => Server.start(platform, route, customers)),
  );
  try {
    for (const server of servers) await server.load(plan.warmUp);
    const done: Round[] = [];
    for (let number = 0; number < plan.rounds; number++) {
      const round = {} as Round;
      for (const server of rotated(servers, number)) {
        // A tenth beforehand does not count: it brings connections and caches back.
        await server.load(Math.ceil(plan.requests / 10));
        round[server.route] = await server.load(plan.requests);
      }
      done.push(round);
    }
    return done;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

class Server {
  #next = 0;

  private constructor(
    readonly route: Route,
    private readonly customers: number,
    private readonly peer: Peer<'state', ServerState>,
    private readonly pool: Pool,
  ) {}

  static async start(platform: Platform, route: Route, customers: number): Promise<Server> {
    const file = new URL('./server.process.js', import.meta.url);
    const peer = new Peer<'state', ServerState>(file, [platform, route]);
    const { url } = await peer.ask('state');
    return new Server(route, customers, peer, new Pool(url, { connections: CALLERS }));
  }

  /** So many requests; each answer is looked at. */
  async load(requests: number): Promise<Turn> {
    const before = await this.peer.ask('state');
    const start = performance.now();
    let left = requests;
    const caller = async (): Promise<void> => {
      while (left-- > 0) await this.#request();
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const wallMs = performance.now() - start;
    return { wallMs, cpuMs: (await this.peer.ask('state')).cpuMs - before.cpuMs };
  }

  async stop(): Promise<void> {
    await this.pool.close();
    await this.peer.stop();
  }

  async #request(): Promise<void> {
    const number = this.#next++ % this.customers;
    const headers = { 'x-customer-uid': uidOf(number) };
    const { body } = await this.pool.request({ method: 'GET', path: '/', headers });
    const { id } = (await body.json()) as { id?: string };
    const hasTokens = this.route === 'guarded' || this.route === 'manual';
    if (id !== transactionIdOf(hasTokens ? number : 0)) {
      throw new Error(`The route "${this.route}" gave the tokens of another customer, or none.`);
    }
  }
}
