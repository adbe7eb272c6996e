import { BerbixStoreError } from '../errors/index.js';
import type { Lease, StoredRecord } from './berbix-token-store.js';

/** `reason` of the error for an answer that breaks the contract of the store. */
export const BAD_ANSWER = 'BAD_ANSWER';

type Fields = Record<string, unknown>;

/** The types of fields, as error messages name them. */
const KINDS = {
  count: 'a whole number',
  number: 'a number',
  text: 'text or undefined',
} as const;

type FieldKinds = [field: string, kind: keyof typeof KINDS][];

const RECORD: FieldKinds = [
  ['version', 'count'],
  ['leaseEpoch', 'count'],
  ['value', 'text'],
  ['note', 'text'],
  ['leasedForMs', 'number'],
  ['now', 'number'],
];

const LEASE: FieldKinds = [
  ['leaseEpoch', 'count'],
  ['now', 'number'],
];

/**
 * Validates the answers of stores, including custom ones. A client, a type parser or an ORM may
 * turn numbers into text or rename columns, and a time that is compared as text never expires.
 * Messages never quote values (I10).
 */
export class StoreAnswers {
  /** @param description of the store, for messages */
  constructor(private readonly description: string) {}

  /** Of `load`. @throws {BerbixStoreError} that names the field and what may have changed it */
  record(answer: unknown): StoredRecord | undefined {
    if (answer === undefined) return undefined;
    this.#requireAll('load', answer, RECORD);
    return answer as StoredRecord;
  }

  /** Of `lease`. @throws {BerbixStoreError} as above */
  lease(answer: unknown): Lease | undefined {
    if (answer === undefined) return undefined;
    this.#requireAll('lease', answer, LEASE);
    return answer as Lease;
  }

  /** Of `commit`. @throws {BerbixStoreError} as above */
  version(answer: unknown): number | undefined {
    if (answer !== undefined) this.#require('commit', 'the version', answer, 'count');
    return answer as number | undefined;
  }

  /** Of `release` and `forget`. @throws {BerbixStoreError} as above */
  done(step: 'release' | 'forget', answer: unknown): boolean {
    if (typeof answer === 'boolean') return answer;
    throw this.#problem(step, `${nameOfType(answer)} instead of true or false`, '');
  }

  /** Of `keys`. @throws {BerbixStoreError} as above */
  keys(answer: unknown): { keys: string[]; cursor: string | undefined } {
    const { keys, cursor } = Object(answer) as Fields;
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
      throw this.#problem('keys', 'a value without a list of keys', '');
    }
    this.#require('keys', 'cursor', cursor, 'text');
    return { keys, cursor: cursor as string | undefined };
  }

  #requireAll(step: string, answer: unknown, fields: FieldKinds): void {
    if (typeof answer !== 'object' || answer === null) {
      throw this.#problem(step, `${nameOfType(answer)} instead of an object or undefined`, '');
    }
    for (const [field, kind] of fields) {
      this.#require(step, field, (answer as Fields)[field], kind);
    }
  }

  #require(step: string, field: string, value: unknown, kind: keyof typeof KINDS): void {
    if (kind === 'text') {
      if (value === undefined || typeof value === 'string') return;
    } else if (Number.isFinite(value) && (value as number) >= 0) {
      if (kind === 'number' || Number.isSafeInteger(value)) return;
    }
    const what = `${field} as ${nameOfType(value)} instead of ${KINDS[kind]}`;
    throw this.#problem(step, what, kind === 'text' ? '' : guessCause(value));
  }

  #problem(step: string, what: string, cause: string): BerbixStoreError {
    const message = `The token store (${this.description}) cannot be used: its ${step}() returned ${what}.${cause}`;
    return new BerbixStoreError(message, {}, BAD_ANSWER);
  }
}

/** The most likely cause, which is the client between the store and its server. */
function guessCause(value: unknown): string {
  if (['string', 'bigint', 'object'].includes(typeof value)) {
    return ' Its client does not return numbers as numbers: for ioredis, leave the option stringNumbers off; for PostgreSQL, set no type parser for integer (int4) and float8, and no option that returns them as text.';
  }
  if (value === undefined || Number.isNaN(value)) {
    return ' Its client may rename columns: set no option that turns lease_epoch into leaseEpoch, such as camelCase or transform: postgres.camel.';
  }
  return '';
}

function nameOfType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return Number.isFinite(value) ? 'another number' : String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
