import { ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BerbixTokenStore, RecordRevision, StoredRecord } from '../../token-store/index.js';

/** A test case of the contract of a `BerbixTokenStore`. */
export interface TokenStoreCase {
  /** The name of the test. */
  readonly name: string;

  /**
   * Rejects with an `AssertionError` if the store breaks the contract. The case uses its own keys,
   * and does not remove them. The store need not be empty, and cases may run concurrently.
   *
   * @param another a second store on the same data with its own connections, like that of another
   * replica; by default the same store
   */
  run(store: BerbixTokenStore, another?: BerbixTokenStore): Promise<void>;
}

/** The revision of a record that was never stored. */
export const NOTHING: RecordRevision = { version: 0, leaseEpoch: 0 };

/** A lease that does not expire during a test. */
export const LONG_MS = 60_000;

/** A lease that expires soon. */
export const SHORT_MS = 50;

/** A unique key. */
export function newKey(): string {
  return `contract/${randomUUID()}`;
}

/** A case with a key of its own. */
export function contractCase(
  name: string,
  check: (store: BerbixTokenStore, key: string, another: BerbixTokenStore) => Promise<void>,
): TokenStoreCase {
  return { name, run: (store, another = store) => check(store, newKey(), another) };
}

/** The record without its times, for comparisons. */
export async function stateOf(
  store: BerbixTokenStore,
  key: string,
): Promise<(Omit<StoredRecord, 'now' | 'leasedForMs'> & { leased: boolean }) | undefined> {
  const record = await store.load(key);
  if (record === undefined) return undefined;
  const { version, leaseEpoch, value, note, leasedForMs } = record;
  return { version, leaseEpoch, value, note, leased: leasedForMs > 0 };
}

/** Forgets the current record, if there is one. */
export async function forget(store: BerbixTokenStore, key: string): Promise<void> {
  const record = await store.load(key);
  if (record !== undefined) ok(await store.forget(key, record), `${key} was not forgotten`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
