import { checkFault } from '../faults/check-fault.js';
import type { SandboxFault } from '../faults/fault.js';
import type { JsonObject } from '../requests/fields.js';

/** JSON has no Infinity: here it is a string. */
export function parseFault(body: JsonObject): SandboxFault {
  return checkFault(body.times === 'Infinity' ? { ...body, times: Infinity } : body);
}
