import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { SandboxFault } from './fault.js';

/** A check of one member: what is wrong with the value, or `undefined`. */
type Check = (value: unknown) => string | undefined;

/** The longest a timer of node can wait. */
const MOST_MILLISECONDS = 2 ** 31 - 1;

const text: Check = (value) => (typeof value === 'string' ? undefined : 'must be a string');
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const anything: Check = () => undefined;
const milliseconds = between(0, MOST_MILLISECONDS);
/** What is below 200 is no answer yet. */
const finalStatus = between(200, 599);
const errorStatus = between(400, 599);

const TARGET = {
  method: matching(/^[A-Z]+$/, 'must be a method in capitals, such as POST'),
  path: matching(/^\//, 'must be a path that begins with a slash, such as /v0/tokens'),
  times: (value: unknown) =>
    value === Infinity ? undefined : between(1, Number.MAX_SAFE_INTEGER)(value),
};

const OPTIONAL: Record<SandboxFault['kind'], Record<string, Check>> = {
  latency: {},
  reset: { processed: flag },
  hang: { processed: flag },
  trickle: {},
  flood: {},
  truncate: { processed: flag },
  html: { processed: flag, status: errorStatus },
  status: { processed: flag, readable: text, message: text, retryAfter },
  answer: { processed: flag, status: finalStatus, headers },
};

const REQUIRED: Partial<Record<SandboxFault['kind'], Record<string, Check>>> = {
  latency: { ms: milliseconds },
  trickle: { ms: milliseconds },
  flood: { bytes: between(0, Number.MAX_SAFE_INTEGER) },
  status: { status: errorStatus },
  answer: { body: anything },
};

/**
 * Checks a fault from a test in plain JavaScript, or from the control endpoint.
 *
 * @throws {TypeError} with a sentence that names the member and says what it should be
 */
export function checkFault(fault: unknown): SandboxFault {
  const members = (typeof fault === 'object' && fault !== null ? fault : {}) as object & {
    kind?: unknown;
  };
  const { kind, ...rest } = members;
  if (!isKind(kind)) {
    throw new TypeError(`The kind of a fault must be one of ${Object.keys(OPTIONAL).join(', ')}.`);
  }
  const required = REQUIRED[kind] ?? {};
  const missing = Object.keys(required).find((name) => !(name in rest));
  if (missing !== undefined) throw new TypeError(`A fault of the kind ${kind} needs "${missing}".`);
  const checks: Record<string, Check> = { ...TARGET, ...OPTIONAL[kind], ...required };
  for (const [name, value] of Object.entries(rest)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    const problem = check ? value !== undefined && check(value) : 'is not a member it can have';
    if (problem) throw new TypeError(`"${name}" of a fault of the kind ${kind} ${problem}.`);
  }
  return members as SandboxFault;
}

function isKind(kind: unknown): kind is SandboxFault['kind'] {
  return typeof kind === 'string' && Object.hasOwn(OPTIONAL, kind);
}

function between(least: number, most: number): Check {
  return (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
}

function matching(pattern: RegExp, problem: string): Check {
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : problem);
}

/** Seconds or a date. */
function retryAfter(value: unknown): string | undefined {
  const fits = typeof value === 'number' ? value >= 0 : isHeader('retry-after', value);
  return fits ? undefined : 'must be a number of seconds or an HTTP date';
}

function headers(value: unknown): string | undefined {
  const fits =
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([name, member]) => isHeader(name, member));
  return fits ? undefined : 'must be an object of header names and values';
}

function isHeader(name: string, value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
