import { Api } from '../support/api.js';
import type { Peer } from '../support/peer.js';
import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import type { Measurement } from '../support/subject.js';
import { startWorker } from '../support/worker.js';
import type { FanInTask } from './fan-in.subject.js';

/** How much is measured. */
export interface Plan {
  callers: number;
  rounds: number;
  coldRounds: number;
}

/** The time of one caller alone and of all of them at once, one after the other. */
export interface Round {
  oneMs: number;
  allMs: number;
}

/** The rounds of a process that is warm, and those where each begins in a new process. */
export interface Rounds {
  warm: Round[];
  cold: Round[];
}

type Worker = Peer<FanInTask, Measurement>;

/** Every turn is one exchange, or measuring fails. */
export async function measure({ callers, rounds, coldRounds }: Plan): Promise<Rounds> {
  const api = await Api.start();
  try {
    progress(`Cold starts, ${coldRounds} rounds ...`);
    const cold = await alternate(coldRounds, callers, (count) =>
      inNewWorker(api, (worker) => turn(api, worker, count)),
    );
    progress(`Warm, ${rounds} rounds ...`);
    const warm = await inNewWorker(api, async (worker) => {
      await worker.ask({ callers: 1, times: 5_000 });
      await worker.ask({ callers, times: 50 });
      return alternate(rounds, callers, (count) => turn(api, worker, count));
    });
    return { warm, cold };
  } finally {
    await api.stop();
  }
}

/** @param time how long so many callers wait */
async function alternate(
  rounds: number,
  callers: number,
  time: (callers: number) => Promise<number>,
): Promise<Round[]> {
  const done: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const round = { oneMs: 0, allMs: 0 };
    for (const name of rotated(['oneMs', 'allMs'] as const, number)) {
      round[name] = await time(name === 'oneMs' ? 1 : callers);
    }
    done.push(round);
  }
  return done;
}

async function inNewWorker<T>(api: Api, work: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = startWorker<FanInTask>(new URL('./fan-in.subject.js', import.meta.url), api);
  try {
    return await work(worker);
  } finally {
    await worker.stop();
  }
}

async function turn(api: Api, worker: Worker, callers: number): Promise<number> {
  const { wallMs } = await api.expect(1, () => worker.ask({ callers, times: 1 }));
  return wallMs;
}
