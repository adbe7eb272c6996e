import { spread, type Spread } from '../support/statistics.js';
import {
  CONTESTANTS,
  GOALS,
  GOAL_CALLERS,
  OURS,
  RIVALS,
  type Contestant,
  type Rival,
} from './contestants.js';
import type { Round } from './measure.js';

/** Ours, as a multiple of a rival's. */
export interface Comparison {
  rival: Rival;
  cpu: Spread;
  throughput: Spread;
  /** The CPU time at most, where there is a goal. */
  goal?: number;
}

/** What one contestant did. */
export interface Cost {
  contestant: Contestant;
  cpuMicrosPerExchange: Spread;
  exchangesPerSecond: Spread;
}

/** All of one number of callers. */
export interface Summary {
  callers: number;
  comparisons: Comparison[];
  costs: Cost[];
  rounds: Round[];
}

/**
 * Ratios are made within each round, where the machine was in one mood, and only then is their
 * median taken.
 */
export function summarize(callers: number, exchanges: number, rounds: Round[]): Summary {
  const comparisons = RIVALS.map((rival) => ({
    rival,
    cpu: spread(rounds.map((round) => round[OURS].cpuMs / round[rival].cpuMs)),
    throughput: spread(rounds.map((round) => round[rival].wallMs / round[OURS].wallMs)),
    ...(callers === GOAL_CALLERS && { goal: GOALS[rival] }),
  }));
  const costs = CONTESTANTS.map((contestant) => ({
    contestant,
    cpuMicrosPerExchange: spread(rounds.map((r) => (r[contestant].cpuMs * 1000) / exchanges)),
    exchangesPerSecond: spread(rounds.map((r) => (exchanges * 1000) / r[contestant].wallMs)),
  }));
  return { callers, comparisons, costs, rounds };
}
