import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { ApiJson } from '../http/api-json.js';

/** Which requests get the fault. */
export interface FaultTarget {
  /** Only requests with this method, such as `POST`. */
  method?: string | undefined;
  /** Only requests to this path, such as `/v0/tokens`. */
  path?: string | undefined;
  /**
   * How many requests get it; `Infinity` for all of them until it is removed.
   * @default 1, or Infinity with `probability` or `forMs`
   */
  times?: number | undefined;
  /**
   * The share of these requests that get it: above 0, up to 1. The same seed and the same sequence of
   * requests have the same outcome.
   * @default 1
   */
  probability?: number | undefined;
  /**
   * With `probability`, a whole number for the generator that decides which requests get it.
   * @default 1
   */
  seed?: number | undefined;
  /** The fault ends after this many milliseconds, by the clock of the sandbox. */
  forMs?: number | undefined;
}

/** A fault that replaces the answer. */
export interface Processable {
  /**
   * Process the request first, and lose only the answer. For a rotated refresh token, that is the
   * worst moment to fail.
   * @default false
   */
  processed?: boolean | undefined;
}

/** Answer later, by `ms` milliseconds. */
export interface LatencyFault extends FaultTarget {
  kind: 'latency';
  ms: number;
}

/** Reset the connection (RST) instead of answering. */
export interface ResetFault extends FaultTarget, Processable {
  kind: 'reset';
}

/** Never answer; the connection stays open until the client or the sandbox closes it. */
export interface HangFault extends FaultTarget, Processable {
  kind: 'hang';
}

/** The real answer: its head immediately, then one byte of its body every `ms` milliseconds. */
export interface TrickleFault extends FaultTarget {
  kind: 'trickle';
  ms: number;
}

/** 200 with a body of `bytes` bytes that begins like JSON, as fast as the client reads. */
export interface FloodFault extends FaultTarget {
  kind: 'flood';
  bytes: number;
}

/** An answer that declares its full length, and ends with the connection at half of it. */
export interface TruncateFault extends FaultTarget, Processable {
  kind: 'truncate';
}

/** An HTML error page, as from a proxy. */
export interface HtmlFault extends FaultTarget, Processable {
  kind: 'html';
  /**
   * 400 to 599.
   * @default 502
   */
  status?: number | undefined;
}

/** An error in the shape of the API. */
export interface StatusFault extends FaultTarget, Processable {
  kind: 'status';
  /** 400 to 599. */
  status: number;
  /** Whole seconds, or an HTTP date: what the `Retry-After` header says. */
  retryAfter?: number | string | undefined;
  readable?: string | undefined;
  message?: string | undefined;
}

/** Any answer: a JSON value, or a string that is sent as it is. */
export interface AnswerFault extends FaultTarget, Processable {
  kind: 'answer';
  /** @default 200 */
  status?: number | undefined;
  /** Further headers, such as the `location` of a redirect; none about the connection or the length. */
  headers?: Record<string, string> | undefined;
  body: ApiJson;
}

/** What can go wrong on purpose. */
export type SandboxFault =
  | LatencyFault
  | ResetFault
  | HangFault
  | TrickleFault
  | FloodFault
  | TruncateFault
  | HtmlFault
  | StatusFault
  | AnswerFault;

/** What is wrong with the value of a member; `undefined` if nothing is. */
type Check = (value: unknown) => string | undefined;

/** The longest timer of Node. */
const MAX_MILLISECONDS = 2 ** 31 - 1;
/** A year, which the clock can always add. */
const MAX_FOR_MILLISECONDS = 365 * 86_400_000;

const text: Check = (value) => (typeof value === 'string' ? undefined : 'must be a string');
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
/** A deeper value, or one that contains itself, could neither be sent nor listed. */
const MAX_DEPTH = 100;
const json: Check = (value) =>
  isWithin(MAX_DEPTH, value) ? undefined : `must not be nested more than ${MAX_DEPTH} times`;
const milliseconds = between(0, MAX_MILLISECONDS);
/** A status below 200 is not a final answer. */
const finalStatus = between(200, 599);
const errorStatus = between(400, 599);

/** Members of every fault. */
const TARGET = {
  method: matching(/^[A-Z]+$/, 'must be a method in capitals, such as POST'),
  path: matching(/^\//, 'must be a path that begins with a slash, such as /v0/tokens'),
  times: (value: unknown) =>
    value === Infinity ? undefined : between(1, Number.MAX_SAFE_INTEGER)(value),
  probability: (value: unknown) =>
    typeof value === 'number' && value > 0 && value <= 1
      ? undefined
      : 'must be a number above 0, up to 1',
  seed: between(0, 2 ** 32 - 1),
  forMs: between(1, MAX_FOR_MILLISECONDS),
} satisfies Record<keyof FaultTarget, Check>;

/** What a kind has beside the target. */
type Own<Fault> = Omit<Fault, keyof FaultTarget | 'kind'>;

/** A check for every member of a kind; a missing or misspelled one does not compile. */
interface Members<Fault> {
  required: { [Name in keyof Own<Fault> as IsOptional<Own<Fault>, Name, never, Name>]: Check };
  optional: { [Name in keyof Own<Fault> as IsOptional<Own<Fault>, Name, Name, never>]: Check };
}

type IsOptional<T, Name extends keyof T, Yes, No> = object extends Pick<T, Name> ? Yes : No;

/** The other members of each kind. */
const MEMBERS: {
  [Kind in SandboxFault['kind']]: Members<Extract<SandboxFault, { kind: Kind }>>;
} = {
  latency: { required: { ms: milliseconds }, optional: {} },
  reset: { required: {}, optional: { processed: flag } },
  hang: { required: {}, optional: { processed: flag } },
  trickle: { required: { ms: milliseconds }, optional: {} },
  flood: { required: { bytes: between(0, Number.MAX_SAFE_INTEGER) }, optional: {} },
  truncate: { required: {}, optional: { processed: flag } },
  html: { required: {}, optional: { processed: flag, status: errorStatus } },
  status: {
    required: { status: errorStatus },
    optional: { processed: flag, readable: text, message: text, retryAfter },
  },
  answer: {
    required: { body: json },
    optional: { processed: flag, status: finalStatus, headers },
  },
};

/** All kinds, in the order of the documentation. */
export const FAULT_KINDS: readonly string[] = Object.keys(MEMBERS);

/**
 * Checks a fault from a test in plain JavaScript, or from the control API.
 *
 * @param spell the name that a member has in this fault
 * @throws {TypeError} with a sentence that names the member and says what it should be
 */
export function checkFault(fault: unknown, spell = (name: string) => name): SandboxFault {
  const members = (typeof fault === 'object' && fault !== null ? fault : {}) as object & {
    kind?: unknown;
  };
  const { kind, ...rest } = members;
  if (!isKind(kind)) {
    throw new TypeError(`The kind of a fault must be one of ${FAULT_KINDS.join(', ')}.`);
  }
  const { required, optional } = MEMBERS[kind];
  const missing = Object.keys(required).find(
    (name) => (rest as Record<string, unknown>)[name] === undefined,
  );
  if (missing !== undefined) throw new TypeError(`A fault of the kind ${kind} needs "${missing}".`);
  const known: Record<string, Check> = { ...TARGET, ...required, ...optional };
  const checks = new Map(Object.entries(known).map(([name, check]) => [spell(name), check]));
  for (const [name, value] of Object.entries(rest)) {
    const check = checks.get(name);
    const problem = check ? value !== undefined && check(value) : 'is not a member it can have';
    if (problem) throw new TypeError(`"${name}" of a fault of the kind ${kind} ${problem}.`);
  }
  const { probability, seed } = rest as FaultTarget;
  if (seed !== undefined && probability === undefined) {
    throw new TypeError('The "seed" of a fault needs "probability".');
  }
  return members as SandboxFault;
}

function isKind(kind: unknown): kind is SandboxFault['kind'] {
  return typeof kind === 'string' && Object.hasOwn(MEMBERS, kind);
}

function isWithin(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isWithin(depth - 1, member));
}

function between(min: number, max: number): Check {
  return (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      ? undefined
      : `must be a whole number from ${min} to ${max}`;
}

function matching(pattern: RegExp, problem: string): Check {
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : problem);
}

/** [RFC 9110 section 10.2.3] Its obsolete forms of dates are not accepted. */
function retryAfter(value: unknown): string | undefined {
  const seconds = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  const isSeconds = Number.isSafeInteger(seconds) && Number(seconds) >= 0;
  return isSeconds || isHttpDate(value)
    ? undefined
    : 'must be a whole number of seconds or an HTTP date, such as Wed, 21 Oct 2026 07:28:00 GMT';
}

function isHttpDate(value: unknown): boolean {
  const date = new Date(typeof value === 'string' ? value : NaN);
  return !Number.isNaN(date.getTime()) && date.toUTCString() === value;
}

/** Another value of one of these would be no valid HTTP, or none that Node can send. */
const OWN_HEADERS = new Set(['connection', 'content-length', 'trailer', 'transfer-encoding']);

function headers(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null;
  if (!isObject || !Object.entries(value).every(([name, member]) => isHeader(name, member))) {
    return 'must be an object of header names and values';
  }
  const own = Object.keys(value).find((name) => OWN_HEADERS.has(name.toLowerCase()));
  return (
    own &&
    `must not have ${own}: the sandbox sets connection, content-length, trailer and transfer-encoding itself`
  );
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
