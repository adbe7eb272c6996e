import { randomUUID } from 'node:crypto';
import type { SealedRecords, OpenedRecord } from '../../token-store/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import { recordName, type Reference, type TokenRecord } from './token-record.js';

/** A record with tokens, a reference to such a record, or an empty record. */
export type Found = OpenedRecord<TokenRecord | Reference>;

/** The result of looking up a name. */
export interface Resolved {
  /** The record of that name. */
  record: Found;
  /** The record with the tokens, after following references; its key is `key`. */
  seen: Found;
  key: string;
}

/** Loads a record and follows references to the end. */
export async function resolveRecord(sealed: SealedRecords, name: string): Promise<Resolved> {
  const record: Found = await sealed.load(name);
  let [key, seen] = [name, record];
  while (isReference(seen.value)) {
    key = seen.value.see;
    seen = await sealed.load(key);
  }
  return { record, key, seen };
}

/** The tokens under a name; undefined if there are none. */
export async function tokensAt(
  sealed: SealedRecords,
  name: string,
): Promise<TokenRecord | undefined> {
  const { seen } = await resolveRecord(sealed, name);
  return hasTokens(seen) ? seen.value : undefined;
}

/** The key of a new record; a random one while the transaction is not known. */
export function keyFor({ transactionId }: BerbixTokens): string {
  return transactionId === undefined
    ? `session/${randomUUID()}`
    : recordName.transaction(transactionId);
}

/** The names under which the tokens of a record are found. */
export function namesOf(key: string, { transactionId, customerUid }: TokenRecord): string[] {
  return [
    key,
    ...(transactionId === undefined ? [] : [recordName.transaction(transactionId)]),
    ...(customerUid === undefined ? [] : [recordName.customer(customerUid)]),
  ];
}

export function isCustomer(name: string): boolean {
  return name.startsWith('customer/');
}

/** The keys to which a record refers, the current one last. */
export function referencesOf(value: TokenRecord | Reference | undefined): string[] {
  return isReference(value) ? [...(value.earlier ?? []), value.see] : [];
}

export function isReference(value: object | undefined): value is Reference {
  return value !== undefined && 'see' in value;
}

export function hasTokens(
  record: Found,
): record is OpenedRecord<TokenRecord> & { value: TokenRecord } {
  return record.value !== undefined && !isReference(record.value);
}

/** Whether the record was forgotten (I8). One that was leased and never committed has version 0. */
export function isForgotten({ version, value }: Found): boolean {
  return version > 0 && value === undefined;
}
