import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import { ShortLivedApi, type ApiCounts } from './api.js';
import { CONTESTANTS, type Contestant } from './contestants.js';
import { startMember, type Member, type Turn } from './member.js';
import { preparePlace, type Place } from './stores.js';

/** How much is measured. */
export interface Plan {
  /** Of all turns of a contestant together. */
  seconds: number;
  rounds: number;
  processes: number;
  /** Per process. */
  callers: number;
  transactions: number;
  /** Life of the tokens, in seconds. */
  lifetime: number;
}

/** One turn of one contestant. */
export interface Result extends ApiCounts {
  calls: number;
  failed: number;
  ended: number;
  /** Microseconds. */
  median: number;
  p99: number;
  slowest: number;
}

/** One turn of each contestant, one after the other. */
export type Round = Partial<Record<Contestant, Result>>;

interface Fleet {
  contestant: Contestant;
  members: Member[];
  place: Place;
}

/** Contestants whose store does not answer are left out. */
export async function measure(plan: Plan): Promise<Round[]> {
  const api = await ShortLivedApi.start(plan.lifetime);
  const fleets: Fleet[] = [];
  try {
    for (const contestant of CONTESTANTS) {
      const fleet = await startFleet(contestant, api, plan);
      if (fleet !== undefined) fleets.push(fleet);
    }
    // Loads the code, opens the connections.
    progress('warming up ...');
    for (const fleet of fleets) await turn(api, fleet, { ...plan, seconds: plan.rounds });
    const rounds: Round[] = [];
    for (let number = 0; number < plan.rounds; number++) {
      progress(`round ${number + 1} of ${plan.rounds} ...`);
      const round: Round = {};
      for (const fleet of rotated(fleets, number)) {
        round[fleet.contestant] = await turn(api, fleet, plan);
      }
      rounds.push(round);
    }
    return rounds;
  } finally {
    for (const { members, place } of fleets) {
      await Promise.all(members.map((member) => member.stop()));
      await place.remove();
    }
    await api.stop();
  }
}

async function startFleet(
  contestant: Contestant,
  api: ShortLivedApi,
  plan: Plan,
): Promise<Fleet | undefined> {
  let place: Place;
  try {
    place = await preparePlace(contestant);
  } catch {
    progress(`${contestant} does not answer and is left out.`);
    return undefined;
  }
  const members = Array.from({ length: contestant === 'alone' ? 1 : plan.processes }, () =>
    startMember(contestant, api, place.name),
  );
  return { contestant, members, place };
}

/** As many callers in each case, in one process or in several. */
async function turn(api: ShortLivedApi, { members }: Fleet, plan: Plan): Promise<Result> {
  const task = {
    leadSeconds: plan.lifetime,
    seconds: plan.seconds / plan.rounds,
    callers: (plan.callers * plan.processes) / members.length,
    transactions: Array.from({ length: plan.transactions }, (_, i) => `${1e15 + i}`),
  };
  const { result, counts } = await api.count(
    () => Promise.all(members.map((member) => member.ask(task))),
    plan.lifetime,
  );
  return { ...counts, ...summed(result) };
}

function summed(turns: Turn[]): Omit<Result, keyof ApiCounts> {
  const took = turns.flatMap(({ microseconds }) => microseconds).toSorted((a, b) => a - b);
  const at = (share: number): number => took[Math.floor(share * (took.length - 1))] ?? 0;
  return {
    calls: took.length,
    failed: turns.reduce((sum, { failed }) => sum + failed, 0),
    ended: turns.reduce((sum, { ended }) => sum + ended, 0),
    median: at(0.5),
    p99: at(0.99),
    slowest: at(1),
  };
}
