import { BerbixStoreError } from '../errors/index.js';
import type { SealedRecords, OpenedRecord } from '../token-store/index.js';
import type { TokenRecord } from './token-record.js';

/** A record without tokens of its own that refers to the record with the tokens. */
export interface Reference {
  see: string;
  /** Records of the customer's transactions before that one, oldest first. */
  earlier?: string[] | undefined;
  /**
   * One of them, if neither it nor any before it becomes the current one again: it was forgotten,
   * or a later one was saved. Then that one may be forgotten, of which its own record tells only
   * for a day.
   */
  past?: string | undefined;
}

/** A record with tokens, a reference to such a record, or an empty record. */
export type NamedRecord = OpenedRecord<TokenRecord | Reference>;

/** A record with tokens, under its own name or another one. */
export interface SeenTokens extends OpenedRecord<TokenRecord> {
  readonly value: TokenRecord;
}

/** The result of looking up a name. */
export interface Resolution {
  /** The record of that name. */
  record: NamedRecord;
  /** The record with the tokens, after following references. */
  seen: NamedRecord;
}

/** References lead from a customer to a transaction, and from there to an anonymous record. */
const MAX_REFERENCES = 5;

/**
 * Loads a record and follows references to the end.
 *
 * @param leaseMs see {@link SealedRecords.load}
 */
export async function resolveRecord(
  sealed: SealedRecords,
  name: string,
  leaseMs?: number,
): Promise<Resolution> {
  const record: NamedRecord = await sealed.load(name, leaseMs);
  let seen = record;
  for (let count = 0; isReference(seen.value); count++) {
    if (count === MAX_REFERENCES) {
      throw new BerbixStoreError('Records in the token store refer to each other in a circle.');
    }
    seen = await sealed.load(seen.value.see, leaseMs);
  }
  return { record, seen };
}

/** The record with the tokens that a name leads to; undefined if there is none. */
export async function recordAt(
  sealed: SealedRecords,
  name: string,
): Promise<TokenRecord | undefined> {
  const { seen } = await resolveRecord(sealed, name);
  return hasTokens(seen) ? seen.value : undefined;
}

/** The keys to which a record refers, the current one last. */
export function referencesOf(value: TokenRecord | Reference | undefined): string[] {
  return isReference(value) ? [...(value.earlier ?? []), value.see] : [];
}

/** Those of them that may be the customer's current transaction, the last one first. */
export function candidatesOf(value: TokenRecord | Reference | undefined): string[] {
  const keys = referencesOf(value);
  const past = isReference(value) && value.past !== undefined ? keys.indexOf(value.past) : -1;
  return keys.slice(past + 1).toReversed();
}

/**
 * The record of a customer with a loaded transaction as the current one, or right before that one
 * if another call is saving it.
 */
export function withLoaded(value: NamedRecord['value'], key: string, isSaving: boolean): Reference {
  const keys = referencesOf(value);
  const others = keys.filter((one) => one !== key);
  const saving = isSaving ? others.splice(-1) : [];
  const past = isReference(value) ? value.past : undefined;
  return referenceOf([...others, key, ...saving], pastWithout(key, keys, past));
}

/** The record of a customer with these transactions, the current one last. */
export function referenceOf(keys: string[], past: string | undefined): Reference {
  const [see = '', ...earlier] = keys.toReversed();
  return { see, earlier: earlier.toReversed(), past };
}

/** {@link Reference.past} once this transaction counts again. */
export function pastWithout(
  key: string,
  keys: string[],
  past: string | undefined,
): string | undefined {
  return past === key ? keys[keys.indexOf(key) - 1] : past;
}

export function isReference(value: object | undefined): value is Reference {
  return value !== undefined && 'see' in value;
}

export function hasTokens(record: NamedRecord): record is SeenTokens {
  return record.value !== undefined && !isReference(record.value);
}

/**
 * Whether the record was forgotten (I8), or a transaction to which it refers, if none has tokens.
 * One that was leased and never committed has version 0.
 */
export function isForgotten({ version, value }: NamedRecord): boolean {
  if (isReference(value)) return value.past !== undefined;
  return version > 0 && value === undefined;
}
