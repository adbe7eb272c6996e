import type { ApiJson } from '../api-json.js';
import type { SandboxFault } from '../faults/fault.js';

/** A fault as `POST /sandbox/faults` takes it: JSON has no Infinity. */
export function presentFault(fault: SandboxFault): ApiJson {
  return { ...fault, times: fault.times === Infinity ? 'Infinity' : fault.times };
}
