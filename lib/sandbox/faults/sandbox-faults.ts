import { checkFault } from './check-fault.js';
import type { SandboxFault } from './fault.js';

/** More than any test needs; without a limit, a loop that only adds faults fills the memory. */
const MOST_FAULTS = 1000;

/**
 * What shall go wrong next. A request takes the first fault that is meant for it, in the order in
 * which they were added, and no more than one.
 *
 * @example
 * sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens', times: 2 });
 * sandbox.faults.add({ kind: 'reset', processed: true });
 */
export class SandboxFaults {
  #pending: SandboxFault[] = [];

  /**
   * @throws {TypeError} for a fault that cannot be; the message says why
   * @throws {RangeError} if 1000 of them wait
   */
  add(fault: SandboxFault): void {
    const checked = { ...checkFault(fault) };
    if (this.#pending.length >= MOST_FAULTS) {
      throw new RangeError(
        `${MOST_FAULTS} faults are already pending, which is the limit. Clear them: faults.clear(), or DELETE /sandbox/faults.`,
      );
    }
    this.#pending.push(checked);
  }

  /** Forgets the faults that have not happened yet. */
  clear(): void {
    this.#pending = [];
  }

  /** What has not happened yet; `times` says how often it still will. */
  get pending(): readonly SandboxFault[] {
    return this.#pending.map((fault) => ({ ...fault, times: fault.times ?? 1 }));
  }

  /** The fault for this request, if any; it counts as used. @internal */
  take(method: string, path: string): SandboxFault | undefined {
    const fault = this.#pending.find((candidate) => isFor(candidate, method, path));
    if (!fault) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times === 0) this.#pending.splice(this.#pending.indexOf(fault), 1);
    return fault;
  }
}

function isFor(fault: SandboxFault, method: string, path: string): boolean {
  return (fault.method ?? method) === method && (fault.path ?? path) === path;
}
