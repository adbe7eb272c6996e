import { randomUUID } from 'node:crypto';
import type { SandboxClock } from '../clock.js';
import { checkFault, type SandboxFault } from './fault.js';

/** A fault that can still happen. */
export type PendingFault = SandboxFault & {
  /** For `remove()`. */
  readonly id: string;
  /** How many requests still get it. */
  readonly times: number;
  /** When it ends, by the clock of the sandbox; `undefined` without `forMs`. */
  readonly endsAt: Date | undefined;
};

interface OpenFault {
  readonly id: string;
  readonly fault: SandboxFault;
  times: number;
  readonly endsAt: number;
  /** Whether the next request that matches gets it. */
  readonly strikes: () => boolean;
}

/** More than any test needs; without a limit, a loop that only adds faults would fill the memory. */
const MAX_FAULTS = 1000;

/**
 * The pending faults. A request gets the first fault that matches it, in the order in which they were
 * added, and only one.
 *
 * @example
 * sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens', times: 2 });
 * sandbox.faults.add({ kind: 'reset', processed: true });
 * sandbox.faults.add({ kind: 'latency', ms: 300, probability: 0.2, seed: 7, forMs: 3_600_000 });
 */
export class SandboxFaults {
  #pending: OpenFault[] = [];
  readonly #listeners: (() => void)[] = [];

  /** @internal */
  constructor(private readonly clock: SandboxClock) {
    clock.onChange(() => this.#removeEnded());
  }

  /**
   * @returns its id, for {@link remove}
   * @throws {TypeError} for an invalid fault; the message says why
   * @throws {RangeError} if 1000 faults are pending
   */
  add(fault: SandboxFault): string {
    // A copy, since a test may change its body later.
    const checked = structuredClone(checkFault(fault));
    if (this.pending.length >= MAX_FAULTS) {
      throw new RangeError(
        `${MAX_FAULTS} faults are already pending, which is the limit. Clear them: faults.clear(), or DELETE /sandbox/faults.`,
      );
    }
    const { probability, forMs } = checked;
    const isLimited = probability === undefined && forMs === undefined;
    const random = seededRandom(checked.seed ?? 1);
    const id = randomUUID();
    this.#pending.push({
      id,
      fault: checked,
      times: checked.times ?? (isLimited ? 1 : Infinity),
      endsAt: this.clock.now() + (forMs ?? Infinity),
      strikes: () => probability === undefined || random() < probability,
    });
    this.#report();
    return id;
  }

  /** Removes one pending fault. @returns whether it was pending */
  remove(id: string): boolean {
    return this.#keep((candidate) => candidate.id !== id);
  }

  /** Removes the pending faults. */
  clear(): void {
    this.#keep(() => false);
  }

  /** The pending faults; `times` says how many requests still get each. */
  get pending(): readonly PendingFault[] {
    this.#removeEnded();
    return this.#pending.map(({ id, fault, times, endsAt }) => ({
      ...fault,
      id,
      times,
      endsAt: endsAt === Infinity ? undefined : new Date(endsAt),
    }));
  }

  /** The fault for this request, if there is one. @internal */
  take(method: string, path: string): SandboxFault | undefined {
    this.#removeEnded();
    const taken = this.#pending.find(
      (candidate) => isFor(candidate.fault, method, path) && candidate.strikes(),
    );
    if (!taken) return undefined;
    taken.times -= 1;
    if (taken.times === 0) this.#keep((candidate) => candidate !== taken);
    else if (taken.times !== Infinity) this.#report();
    return taken.fault;
  }

  /** Calls the listener when faults were added, removed or used up. @internal */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #removeEnded(): void {
    const now = this.clock.now();
    this.#keep(({ endsAt }) => endsAt > now);
  }

  #keep(isKept: (candidate: OpenFault) => boolean): boolean {
    const kept = this.#pending.filter(isKept);
    const isChanged = kept.length < this.#pending.length;
    this.#pending = kept;
    if (isChanged) this.#report();
    return isChanged;
  }

  #report(): void {
    for (const listener of this.#listeners) listener();
  }
}

function isFor(fault: SandboxFault, method: string, path: string): boolean {
  return (fault.method ?? method) === method && (fault.path ?? path) === path;
}

/** Numbers from 0 up to 1, the same ones for the same seed: mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
