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

const RECORD = {
  version: 'count',
  fence: 'count',
  value: 'text',
  note: 'text',
  leasedForMs: 'number',
  now: 'number',
} as const;

const LEASE = { fence: 'count', now: 'number' } as const;

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
    const { version, fence, value, note, leasedForMs, now } = answer as StoredRecord;
    return { version, fence, value, note, leasedForMs, now };
  }

  /** Of `lease`. @throws {BerbixStoreError} as above */
  lease(answer: unknown): Lease | undefined {
    if (answer === undefined) return undefined;
    this.#requireAll('lease', answer, LEASE);
    const { fence, now } = answer as Lease;
    return { fence, now };
  }

  /** Of `commit`. @throws {BerbixStoreError} as above */
  version(answer: unknown): number | undefined {
    if (answer !== undefined) this.#require('commit', 'the version', answer, 'count');
    return answer as number | undefined;
  }

  /** Of `release`, `forget` and `swap`. @throws {BerbixStoreError} as above */
  done(step: 'release' | 'forget' | 'swap', answer: unknown): boolean {
    if (typeof answer === 'boolean') return answer;
    throw this.#problem(step, `${nameOfType(answer)} instead of true or false`, '');
  }

  /** Of `keys`. @throws {BerbixStoreError} as above */
  keys(answer: unknown): { keys: string[]; cursor: string | undefined } {
    const { keys, cursor } = Object(answer) as Fields;
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
      throw this.#problem('keys', 'no list of keys', '');
    }
    this.#require('keys', 'cursor', cursor, 'text');
    return { keys, cursor: cursor as string | undefined };
  }

  #requireAll(step: string, answer: unknown, fields: Record<string, keyof typeof KINDS>): void {
    if (typeof answer !== 'object' || answer === null) {
      throw this.#problem(step, `${nameOfType(answer)} instead of an object or undefined`, '');
    }
    for (const [field, kind] of Object.entries(fields)) {
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
    throw this.#problem(step, what, kind === 'text' ? '' : causeOf(value));
  }

  #problem(step: string, what: string, cause: string): BerbixStoreError {
    const message = `The token store (${this.description}) cannot be used: its ${step}() gave ${what}.${cause}`;
    return new BerbixStoreError(message, {}, BAD_ANSWER);
  }
}

/** The most likely cause, which is the client between the store and its server. */
function causeOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'bigint') {
    return ' Its client does not give numbers as numbers: for ioredis, leave the option stringNumbers off; for PostgreSQL, set no type parser for integer (int4) and float8, nor an option that gives them as text.';
  }
  if (value === undefined || Number.isNaN(value)) {
    return ' Its client may give columns under other names: set no option that turns leased_for_ms into leasedForMs, such as camelCase.';
  }
  return '';
}

function nameOfType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return Number.isFinite(value) ? 'another number' : String(value);
  return `a ${typeof value}`;
}
