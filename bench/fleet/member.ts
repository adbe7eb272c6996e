import { Peer } from '../support/peer.js';
import type { ShortLivedApi } from './api.js';
import type { Contestant } from './contestants.js';

/** What a process of a fleet is told at its start. */
export interface MemberPlan {
  contestant: Contestant;
  apiUrl: string;
  /** Where the store keeps the records. */
  place: string;
}

/** One turn of one process. */
export interface Task {
  /** Before anything counts: whoever begins has no tokens. */
  leadSeconds: number;
  seconds: number;
  callers: number;
  transactions: readonly string[];
}

/** What came of it. */
export interface Turn {
  /** What each call took. */
  microseconds: number[];
  failed: number;
  /** Tokens that had ended when they were handed out. */
  ended: number;
}

/** A process of a fleet. */
export type Member = Peer<Task, Turn>;

/** Starts a process of a fleet. */
export function startMember(contestant: Contestant, api: ShortLivedApi, place: string): Member {
  const plan: MemberPlan = { contestant, apiUrl: api.url, place };
  const file = new URL('./member.process.js', import.meta.url);
  return new Peer(file, [JSON.stringify(plan)], { NODE_EXTRA_CA_CERTS: api.caPath });
}
