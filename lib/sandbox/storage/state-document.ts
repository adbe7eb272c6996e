import { ID_TYPES, UPLOAD_STEPS } from '../../wire/index.js';
import { MAX_CLOCK_OFFSET } from '../clock.js';
import { type ApiException, invalidRequest } from '../http/api-exception.js';
import type {
  CompletedState,
  OpenState,
  Rotation,
  Transaction,
} from '../transactions/transaction.js';

const FORMAT = 'nestjs-berbix/sandbox-state';
const VERSION = 1;

/** Everything that a sandbox keeps for its next run, as one JSON document. It holds secrets. */
export interface SandboxState {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** How far the clock of the sandbox is ahead of the real time. */
  readonly clockOffsetMs: number;
  /**
   * The key of its tokens and links, in base64. Without it, an import keeps the key of the sandbox,
   * for which tokens of another one are not valid.
   */
  readonly signingKey?: string | undefined;
  /** As they are stored, oldest first. */
  readonly transactions: readonly object[];
}

/** A state whose members have been checked. */
export interface CheckedState extends SandboxState {
  readonly transactions: readonly Transaction[];
}

/** The document of a state. */
export function stateOf(content: Omit<CheckedState, 'format' | 'version'>): CheckedState {
  return { format: FORMAT, version: VERSION, ...content };
}

/** Checks a value, and returns it. The path names it in messages. */
type Check<Value> = (value: unknown, path: string) => Value;

/** @throws {ApiException} 400 that names the member, and never quotes its value */
export function parseState(document: unknown): CheckedState {
  const { format, version } = (document ?? {}) as Partial<Record<string, unknown>>;
  if (format !== FORMAT) {
    throw invalidRequest(
      `This is not the state of a sandbox: its format must be ${FORMAT}. Export one: GET /sandbox/state?secrets=1, or sandbox.exportState().`,
    );
  }
  if (version !== VERSION) {
    throw invalidRequest(
      `This version of nestjs-berbix reads states of version ${VERSION}. Export the state again with this version, or use the version of nestjs-berbix that exported it.`,
    );
  }
  const state = STATE(document, 'state');
  const ids = new Set(state.transactions.map(({ id }) => id));
  if (ids.size < state.transactions.length) throw invalid('state.transactions', 'repeats an id');
  return state;
}

function invalid(path: string, problem: string): ApiException {
  return invalidRequest(`The state cannot be imported: ${path} ${problem}.`);
}

function test<Value>(isValid: (value: unknown) => boolean, problem: string): Check<Value> {
  return (value, path) => {
    if (isValid(value)) return value as Value;
    throw invalid(path, problem);
  };
}

function matching(pattern: RegExp, problem: string): Check<string> {
  return test((value) => typeof value === 'string' && pattern.test(value), problem);
}

function number(min: number, max: number): Check<number> {
  return test(
    (value) => typeof value === 'number' && value >= min && value <= max,
    `must be a number from ${min} to ${max}`,
  );
}

function oneOf<Word extends string | number>(words: readonly Word[]): Check<Word> {
  return test((value) => words.includes(value as Word), `must be one of ${words.join(', ')}`);
}

function optional<Value>(check: Check<Value>): Check<Value | undefined> {
  return (value, path) => (value === undefined ? undefined : check(value, path));
}

function list<Value>(check: Check<Value>, max = Infinity): Check<readonly Value[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw invalid(path, 'must be a list');
    if (value.length > max) throw invalid(path, `has more than ${max} entries`);
    return value.map((entry, index) => check(entry, `${path}[${index}]`));
  };
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with these members, and no other. */
function object<Shape extends object>(members: {
  readonly [Name in keyof Required<Shape>]: Check<Shape[Name]>;
}): Check<Shape> {
  return (value, path) => {
    if (!isObject(value)) throw invalid(path, 'must be an object');
    const given = value as Record<string, unknown>;
    const unknown = Object.keys(given).some((name) => !Object.hasOwn(members, name));
    if (unknown) throw invalid(path, `has members besides ${Object.keys(members).join(', ')}`);
    const checks = Object.entries(members) as [string, Check<unknown>][];
    const checked = checks.map(([name, check]) => [name, check(given[name], `${path}.${name}`)]);
    return Object.fromEntries(checked.filter(([, member]) => member !== undefined)) as Shape;
  };
}

const text = test<string>((value) => typeof value === 'string', 'must be a string');
const texts = list(text);
const flag = test<boolean>((value) => typeof value === 'boolean', 'must be true or false');
const textsByName = test<Readonly<Record<string, string>>>(
  (value) =>
    isObject(value) && Object.values(value as object).every((it) => typeof it === 'string'),
  'must be an object of strings',
);
/** With room for those that follow. */
const MAX_COUNT = 2 ** 52;
const count = test<number>(
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNT,
  `must be a whole number from 0 to ${MAX_COUNT}`,
);
/** A time of the clock of the sandbox: the real time and its offset. */
const MAX_TIME = MAX_CLOCK_OFFSET + 1e14;
const time = number(-MAX_TIME, MAX_TIME);

const OPEN = object<OpenState>({
  status: oneOf(['open']),
  steps: list(oneOf(Object.values(UPLOAD_STEPS))),
  flags: texts,
  idNumber: optional(text),
});

const COMPLETED = object<CompletedState>({
  status: oneOf(['completed']),
  completedAt: time,
  action: text,
  flags: texts,
  fields: textsByName,
  note: optional(text),
});

const TRANSACTION = object<Transaction>({
  id: test((value) => isId(value), 'must be a 64-bit integer in decimal digits'),
  mode: oneOf(['test', 'live']),
  kind: oneOf(['sdk', 'hosted', 'apiOnly']),
  customerUid: text,
  createdAt: time,
  email: optional(text),
  phone: optional(text),
  facialRecognition: flag,
  matchData: optional(textsByName),
  idType: optional(oneOf(ID_TYPES)),
  redirectUrl: optional(text),
  rotation: object<Rotation>({ generation: count, rotatedAt: time, revoked: optional(flag) }),
  expirations: optional(count),
  state: (value, path) =>
    (value as Partial<CompletedState> | undefined)?.status === 'completed'
      ? COMPLETED(value, path)
      : OPEN(value, path),
});

/** As many as a sandbox keeps in memory. */
export const MAX_TRANSACTIONS = 100_000;

const STATE = object<CheckedState>({
  format: oneOf([FORMAT]),
  version: oneOf([VERSION]),
  clockOffsetMs: number(-MAX_CLOCK_OFFSET, MAX_CLOCK_OFFSET),
  signingKey: optional(matching(/^[\w+/]{43}=$/, 'must be 32 bytes in base64')),
  transactions: list(TRANSACTION, MAX_TRANSACTIONS),
});

function isId(value: unknown): boolean {
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) && BigInt(value) < 2n ** 63n;
}
