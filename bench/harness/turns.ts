import { progress } from './report.js';
import { rotated } from './statistics.js';

/** How much is measured. */
export interface TurnPlan {
  /** How often everything starts again, in new processes. */
  starts: number;
  /** After each start. */
  rounds: number;
  /** Milliseconds of a turn. */
  turn: number;
  /** Milliseconds of each contestant before the first round. */
  warmUp: number;
}

/** What a contestant did in a turn. */
export interface Turn {
  /** How many calls, exchanges or requests. */
  done: number;
  wallMs: number;
  /** User and system time of the measured process, with garbage collection and compiler threads. */
  cpuMs: number;
  /** The major garbage collections of that process. */
  majorCollections: number;
}

/** One turn of each contestant, one after the other. */
export type Round<Name extends string> = Record<Name, Turn>;

/** The rounds of each start. */
export type Starts<Name extends string> = readonly (readonly Round<Name>[])[];

/** Contestants in processes of their own. */
export interface Contest<Name extends string> {
  /** Works for about `ms` milliseconds; rejects if any result is wrong. */
  turn(name: Name, ms: number): Promise<Turn>;
  close(): Promise<void>;
}

/**
 * Has contestants take turns, one at a time: the same code may cost more in one process than in the
 * next, and more in one minute than in the next. Ratios are made within a round.
 *
 * @param open starts new processes
 */
export async function takeTurns<Name extends string>(
  title: string,
  names: readonly Name[],
  { starts, rounds, turn, warmUp }: TurnPlan,
  open: () => Promise<Contest<Name>>,
): Promise<Starts<Name>> {
  const all: Round<Name>[][] = [];
  for (let start = 1; start <= starts; start++) {
    progress(`${title}: start ${start} of ${starts} ...`);
    const contest = await open();
    try {
      for (const name of names) await contest.turn(name, warmUp);
      const done: Round<Name>[] = [];
      for (let number = 0; number < rounds; number++) {
        const round: Partial<Round<Name>> = {};
        for (const name of rotated(names, number)) {
          // A tenth before it does not count: it brings back connections and caches.
          await contest.turn(name, turn / 10);
          round[name] = await contest.turn(name, turn);
        }
        done.push(round as Round<Name>);
      }
      all.push(done);
    } finally {
      await contest.close();
    }
  }
  return all;
}

/** Microseconds of CPU time for each that was done. */
export function micros({ cpuMs, done }: Turn): number {
  return (cpuMs * 1_000) / done;
}

export function perSecond({ done, wallMs }: Turn): number {
  return (done * 1_000) / wallMs;
}

/** How turns are taken, for the end of a report. */
export function describeTurns({ starts, rounds, turn, warmUp }: TurnPlan): string[] {
  return [
    `  After a warm-up of ${warmUp} ms each, they take turns of ${turn} ms, one at a time, each round starting`,
    `  with another one (rounds: ${rounds}, starts of new processes: ${starts}). A minor garbage collection comes`,
    '  before each turn. Ratios are made within a round; the median of the rounds of a start',
    '  counts, and the spread is that of the starts. Goals are for the worst start. CPU time is user and',
    '  system time of the measured process, with garbage collection. Absolute numbers say something',
    '  about this machine only.',
  ];
}
