import { ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BerbixTokenStore, SeenRecord, StoredRecord } from '../../token-store/index.js';

/** One thing that is true of every {@link BerbixTokenStore}. */
export interface TokenStoreCase {
  /** What is true, as the name of a test. */
  readonly name: string;

  /**
   * Rejects with an `AssertionError` if it is not. Uses keys of its own, which it leaves behind: the
   * store need not be empty, and cases may run at once.
   *
   * @param another store on the same data, over connections of its own, as another replica has; the
   * store itself by default
   */
  run(store: BerbixTokenStore, another?: BerbixTokenStore): Promise<void>;
}

/** What was never stored. */
export const NOTHING: SeenRecord = { version: 0, fence: 0 };

/** A lease that does not end during a test. */
export const LONG_MS = 60_000;

/** A lease that ends soon. */
export const SHORT_MS = 50;

/** A key that nobody else has. */
export function newKey(): string {
  return `contract/${randomUUID()}`;
}

/** A case whose steps need one key. */
export function contractCase(
  name: string,
  check: (store: BerbixTokenStore, key: string, another: BerbixTokenStore) => Promise<void>,
): TokenStoreCase {
  return { name, run: (store, another = store) => check(store, newKey(), another) };
}

/** What a test compares: all but the times. */
export async function stateOf(
  store: BerbixTokenStore,
  key: string,
): Promise<(Omit<StoredRecord, 'now' | 'leasedForMs'> & { leased: boolean }) | undefined> {
  const record = await store.load(key);
  if (record === undefined) return undefined;
  const { version, fence, value, note, leasedForMs } = record;
  return { version, fence, value, note, leased: leasedForMs > 0 };
}

/** Forgets the record as it is, if there is one. */
export async function forget(store: BerbixTokenStore, key: string): Promise<void> {
  const record = await store.load(key);
  if (record !== undefined) ok(await store.forget(key, record), `${key} was not forgotten`);
}

/** Waits a moment of no importance. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
