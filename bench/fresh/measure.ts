import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import type { Contestant } from './contestants.js';

/** How much is measured. */
export interface Plan {
  rounds: number;
  /** Of each contestant in a round. */
  calls: number;
}

/** Nanoseconds per call in one round, by the title of the contestant. */
export type Round = Record<string, number>;

/** Rounds before the first that counts. */
const WARM_UP = 5;

/** Contestants take turns; every call must give the right tokens, or measuring fails. */
export async function measure(
  contestants: readonly Contestant[],
  { rounds, calls }: Plan,
): Promise<Round[]> {
  progress(`Calls of fresh() that hit memory, ${rounds} rounds ...`);
  const done: Round[] = [];
  for (let number = -WARM_UP; number < rounds; number++) {
    const round: Round = {};
    for (const contestant of rotated(contestants, number + WARM_UP)) {
      round[contestant.title] = await time(contestant, calls);
    }
    if (number >= 0) done.push(round);
  }
  return done;
}

async function time({ title, run }: Contestant, calls: number): Promise<number> {
  const start = performance.now();
  const result = run(calls);
  // Awaited only where there is something to wait for: the others are not slowed down.
  const right = typeof result === 'number' ? result : await result;
  const nanoseconds = ((performance.now() - start) * 1e6) / calls;
  if (right !== calls) throw new Error(`${title} gave other tokens than those in memory.`);
  return nanoseconds;
}
