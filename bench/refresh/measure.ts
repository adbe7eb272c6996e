import { Api } from '../support/api.js';
import type { Peer } from '../support/peer.js';
import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import type { Measurement } from '../support/subject.js';
import { startWorker } from '../support/worker.js';
import type { ExchangeTask } from './callers.js';
import { CONTESTANTS, type Contestant } from './contestants.js';

/** How much is measured. */
export interface Plan {
  callers: readonly number[];
  /** How often all begin anew, in new processes. */
  starts: number;
  /** After each start. */
  rounds: number;
  /** Per round, contestant and number of callers. */
  exchanges: number;
  warmUp: number;
}

/** One turn of each contestant, one after the other. */
export type Round = Record<Contestant, Measurement>;

/** Rounds by number of callers. */
export type Rounds = ReadonlyMap<number, Round[]>;

type Worker = Peer<ExchangeTask, Measurement>;
type Workers = Record<Contestant, Worker>;

/**
 * The compiler does not decide the same in every process: the same code differs by 5% and more from
 * one process to the next, for as long as they live. Hence several starts.
 */
export async function measure(plan: Plan): Promise<Rounds> {
  const rounds: Rounds = new Map(plan.callers.map((callers) => [callers, []]));
  const api = await Api.start();
  try {
    for (let start = 1; start <= plan.starts; start++) {
      progress(`Start ${start} of ${plan.starts} ...`);
      await withWorkers(api, async (workers) => {
        await warmUp(workers, plan);
        await takeTurns(api, workers, plan, rounds);
      });
    }
  } finally {
    await api.stop();
  }
  return rounds;
}

async function withWorkers(api: Api, work: (workers: Workers) => Promise<void>): Promise<void> {
  const started = CONTESTANTS.map((name) => {
    const module = new URL(`./subjects/${name}.js`, import.meta.url);
    return [name, startWorker<ExchangeTask>(module, api)] as const;
  });
  try {
    await work(Object.fromEntries(started) as Workers);
  } finally {
    await Promise.all(started.map(([, worker]) => worker.stop()));
  }
}

/** The compiler settles after some 25,000 exchanges only. */
async function warmUp(workers: Workers, { callers, warmUp: exchanges }: Plan): Promise<void> {
  for (const name of CONTESTANTS) {
    progress(`  warming up ${name} ...`);
    await workers[name].ask({ callers: Math.max(...callers), exchanges });
  }
}

async function takeTurns(api: Api, workers: Workers, plan: Plan, rounds: Rounds): Promise<void> {
  for (let number = 0; number < plan.rounds; number++) {
    progress(`  round ${number + 1} of ${plan.rounds} ...`);
    for (const [callers, done] of rounds) {
      const task = { callers, exchanges: plan.exchanges };
      const round: Partial<Round> = {};
      for (const name of rotated(CONTESTANTS, number)) {
        round[name] = await turn(api, workers[name], task);
      }
      done.push(round as Round);
    }
  }
}

/** A tenth beforehand does not count: it brings connections and caches back. */
async function turn(api: Api, worker: Worker, task: ExchangeTask): Promise<Measurement> {
  await worker.ask({ ...task, exchanges: Math.ceil(task.exchanges / 10) });
  return api.expect(task.exchanges, () => worker.ask(task));
}
