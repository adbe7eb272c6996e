import { checkFault, type SandboxFault } from './fault.js';

/** More than any test needs; without a limit, a loop that only adds faults would fill the memory. */
const MAX_FAULTS = 1000;

/**
 * The pending faults. A request gets the first fault that matches it, in the order in which they were
 * added, and only one.
 *
 * @example
 * sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens', times: 2 });
 * sandbox.faults.add({ kind: 'reset', processed: true });
 */
export class SandboxFaults {
  #pending: SandboxFault[] = [];

  /**
   * @throws {TypeError} for an invalid fault; the message says why
   * @throws {RangeError} if 1000 faults are pending
   */
  add(fault: SandboxFault): void {
    const checked = { ...checkFault(fault) };
    if (this.#pending.length >= MAX_FAULTS) {
      throw new RangeError(
        `${MAX_FAULTS} faults are already pending, which is the limit. Clear them: faults.clear(), or DELETE /sandbox/faults.`,
      );
    }
    this.#pending.push(checked);
  }

  /** Removes the pending faults. */
  clear(): void {
    this.#pending = [];
  }

  /** The pending faults; `times` says how many requests still get each. */
  get pending(): readonly SandboxFault[] {
    return this.#pending.map((fault) => ({ ...fault, times: fault.times ?? 1 }));
  }

  /** Removes the fault for this request, if there is one. @internal */
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
