import { Pool } from 'undici';
import { Peer } from '../support/peer.js';
import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import type { Target } from './server.process.js';
import type { StartTimes } from './start.process.js';

const CALLERS = 32;

/** Who is loaded: the sandbox, and a Nest controller that answers a constant on each platform. */
export const SERVERS = ['sandbox', 'express', 'fastify'] as const;
export type Server = (typeof SERVERS)[number];

/** How much is measured. */
export interface Plan {
  starts: number;
  rounds: number;
  requests: number;
}

/** Requests per second of each, in one round. */
export type Round = Record<Server, number>;

/** Starts a new process each time. */
export async function measureStarts({ starts }: Plan): Promise<StartTimes[]> {
  const times: StartTimes[] = [];
  for (let number = 1; number <= starts; number++) {
    progress(`start ${number} of ${starts} ...`);
    const peer = new Peer<'start', StartTimes>(new URL('./start.process.js', import.meta.url));
    try {
      times.push(await peer.ask('start'));
    } finally {
      await peer.stop();
    }
  }
  return times;
}

/** The servers take turns, each in a process of its own; this one loads them. */
export async function measureThroughput({ rounds, requests }: Plan): Promise<Round[]> {
  const loads = await Promise.all(SERVERS.map(openLoad));
  try {
    for (const { run } of loads) await run(requests);
    const done: Round[] = [];
    for (let number = 0; number < rounds; number++) {
      progress(`round ${number + 1} of ${rounds} ...`);
      const round = {} as Round;
      for (const { server, run } of rotated(loads, number)) {
        const start = performance.now();
        await run(requests);
        round[server] = (requests * 1000) / (performance.now() - start);
      }
      done.push(round);
    }
    return done;
  } finally {
    for (const { close } of loads) await close();
  }
}

interface Load {
  server: Server;
  run(requests: number): Promise<void>;
  close(): Promise<void>;
}

async function openLoad(server: Server): Promise<Load> {
  const peer = new Peer<'target', Target>(new URL('./server.process.js', import.meta.url), [
    server,
  ]);
  const { url, authorization, body } = await peer.ask('target');
  const pool = new Pool(url, { connections: CALLERS });
  const headers = { authorization, 'content-type': 'application/json' };
  const exchange = async (): Promise<void> => {
    const answer = await pool.request({ method: 'POST', path: '/v0/tokens', headers, body });
    const { access_token } = (await answer.body.json()) as { access_token?: string };
    if (access_token === undefined) throw new Error(`${server} gave no access token.`);
  };
  return {
    server,
    run: async (requests) => {
      let left = requests;
      const caller = async (): Promise<void> => {
        while (left-- > 0) await exchange();
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
    },
    close: async () => {
      await pool.close();
      await peer.stop();
    },
  };
}
