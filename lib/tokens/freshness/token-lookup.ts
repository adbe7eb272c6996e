import { randomUUID } from 'node:crypto';
import type { SealedRecords, OpenedRecord } from '../../token-store/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import { recordName, type Reference, type TokenRecord } from './token-record.js';

/** A record that has tokens, refers to one that has, or is empty. */
export type Found = OpenedRecord<TokenRecord | Reference>;

/** What was found under a name. */
export interface Resolved {
  /** The record of that name. */
  record: Found;
  /** The one with the tokens, to which it leads or which it is, and its key. */
  seen: Found;
  key: string;
}

/** Follows references to their end. */
export async function resolveRecord(sealed: SealedRecords, name: string): Promise<Resolved> {
  const record: Found = await sealed.load(name);
  let [key, seen] = [name, record];
  while (isReference(seen.value)) {
    key = seen.value.see;
    seen = await sealed.load(key);
  }
  return { record, key, seen };
}

/** The tokens to which the name leads, if there are any. */
export async function tokensAt(
  sealed: SealedRecords,
  name: string,
): Promise<TokenRecord | undefined> {
  const { seen } = await resolveRecord(sealed, name);
  return hasTokens(seen) ? seen.value : undefined;
}

/** The key of a new record; one of its own where the transaction is not known yet. */
export function keyFor({ transactionId }: BerbixTokens): string {
  return transactionId === undefined
    ? `session/${randomUUID()}`
    : recordName.transaction(transactionId);
}

/** Under which the tokens of a record are found. */
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

/** The records to which a customer's or a transaction's refers, the current one last. */
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

/** Records that were leased and never committed have no value either. */
export function isForgotten({ version, value }: Found): boolean {
  return version > 0 && value === undefined;
}
