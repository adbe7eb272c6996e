import { Pool } from 'undici';
import { Peer } from '../support/peer.js';
import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import { transactionIdOf, uidOf } from '../support/stored-tokens.js';
import { PLATFORMS, ROUTES, type Platform, type Route, type ServerState } from './routes.js';

const CALLERS = 32;

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

/** Turns of each route before the first round. */
const WARM_UP_TURNS = 5;

/**
 * The routes of one application take turns, as those of any application do; this process loads them
 * with requests of so many customers. By start.
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
  const server = await Server.start(platform, customers);
  try {
    for (let turn = 0; turn < WARM_UP_TURNS; turn++) {
      for (const route of ROUTES) await server.load(route, Math.ceil(plan.warmUp / WARM_UP_TURNS));
    }
    const done: Round[] = [];
    for (let number = 0; number < plan.rounds; number++) {
      const round = {} as Round;
      for (const route of rotated(ROUTES, number)) {
        // A tenth beforehand does not count: it brings caches back.
        await server.load(route, Math.ceil(plan.requests / 10));
        round[route] = await server.load(route, plan.requests);
      }
      done.push(round);
    }
    return done;
  } finally {
    await server.stop();
  }
}

class Server {
  #next = 0;

  private constructor(
    private readonly customers: number,
    private readonly peer: Peer<'state', ServerState>,
    private readonly pool: Pool,
  ) {}

  static async start(platform: Platform, customers: number): Promise<Server> {
    const file = new URL('./server.process.js', import.meta.url);
    const peer = new Peer<'state', ServerState>(file, [platform]);
    const { url } = await peer.ask('state');
    return new Server(customers, peer, new Pool(url, { connections: CALLERS }));
  }

  /** So many requests; each answer is looked at. */
  async load(route: Route, requests: number): Promise<Turn> {
    const before = await this.peer.ask('state');
    const start = performance.now();
    let left = requests;
    const caller = async (): Promise<void> => {
      while (left-- > 0) await this.#request(route);
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const wallMs = performance.now() - start;
    return { wallMs, cpuMs: (await this.peer.ask('state')).cpuMs - before.cpuMs };
  }

  async stop(): Promise<void> {
    await this.pool.close();
    await this.peer.stop();
  }

  async #request(route: Route): Promise<void> {
    const number = this.#next++ % this.customers;
    const headers = { 'x-customer-uid': uidOf(number) };
    const { body } = await this.pool.request({ method: 'GET', path: `/${route}`, headers });
    const { id } = (await body.json()) as { id?: string };
    if (id !== transactionIdOf(isOfNobody(route) ? 0 : number)) {
      throw new Error(`The route "${route}" gave the tokens of another customer, or none.`);
    }
  }
}

function isOfNobody(route: Route): boolean {
  return route === 'bare' || route === 'trivial';
}
