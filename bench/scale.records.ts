import { createHash } from 'node:crypto';
import { InMemoryTokenStore, type BerbixModuleOptions } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import {
  openOfflineApplication,
  tokensOf,
  transactionIdOf,
  uidOf,
} from './harness/stored-tokens.js';

/** A record as a store keeps it. */
export type Entry = readonly [key: string, value: string];

/** Customers whose records are made together. */
export const BATCH = 1_000;

/** Sealed records are encrypted with this key; of the benchmark only. */
const KEY = createHash('sha256').update('nestjs-berbix benchmark').digest();
const ENCRYPTION = { keys: { k1: KEY }, current: 'k1' };

/** Sealed or clear, for the application that makes the records and for the one that reads them. */
export function encryptionOf(isSealed: boolean): Partial<BerbixModuleOptions> {
  return isSealed ? { encryption: ENCRYPTION } : {};
}

/** Remembers what was committed last. */
class RecordingStore extends InMemoryTokenStore {
  readonly entries = new Map<string, string>();

  override commit(key: string, version: number, value: string): Promise<number | undefined> {
    this.entries.set(key, value);
    return super.commit(key, version, value);
  }
}

/** The records of one batch of customers, made by `remember()` in memory. */
export async function makeRecords(from: number, isSealed: boolean): Promise<Entry[]> {
  const store = new RecordingStore();
  const { service, close } = await openOfflineApplication({ store, ...encryptionOf(isSealed) });
  for (let number = from; number < from + BATCH; number++) {
    const session = { customerUid: uidOf(number), tokens: tokensOf(number) };
    await firstValueFrom(service.remember(session));
  }
  await close();
  return [...store.entries];
}

/** A cache of one customer: the next customer is never in it. */
export const COLD = { freshness: { cacheSize: 1 } };

/** The keys of a customer's record, and of that of their transaction. */
export function keysOf(customer: number): string[] {
  return [
    `default/customer/${uidOf(customer)}`,
    `default/transaction/${transactionIdOf(customer)}`,
  ];
}
