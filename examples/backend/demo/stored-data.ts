import { join } from 'node:path';
import type { BerbixTokenStore } from 'nestjs-berbix';
import { shortPath } from './printer.js';

/** Where a run stores its data. */
export interface StoredData {
  /** The database: a directory, or the address of a server. */
  database: string;
  /** The value of `DATA_DIR`. */
  data: string;
  /** Describes the tokens' keys on a Redis server; undefined if they are in the database. */
  redis: string | undefined;
  /** The file of the demo's encryption key; undefined if you gave keys. */
  key: string | undefined;
}

/** Whether the database is the one inside the process. */
export function isEmbedded({ database, data }: StoredData): boolean {
  return shortPath(database).startsWith(shortPath(join(data, 'database')));
}

/** All stored data except the demo's encryption key. */
function describeLocations(stored: StoredData): string {
  const { database, data, redis } = stored;
  const locations = isEmbedded(stored)
    ? [shortPath(data)]
    : [`the tables customer_verifications and berbix_tokens at ${database}`];
  if (redis !== undefined) locations.push(redis);
  return locations.join(' and ');
}

/**
 * Lines that say where the data stays, and what to delete to start over: the tokens and their key
 * together.
 */
export function cleanupHints(stored: StoredData): string[] {
  const isInDirectory = isEmbedded(stored) && stored.redis === undefined;
  if (isInDirectory) return [`stays in ${shortPath(stored.data)}; delete it to start over`];
  const { key } = stored;
  const where = key === undefined ? '' : `its key is in ${shortPath(key)}: `;
  return [
    `stays in ${describeLocations(stored)};`,
    `${where}delete ${key ? 'both together' : 'it'} to start over`,
  ];
}

/**
 * FOR THE DEMO ONLY: the key is in a directory that may be deleted, while a server still has tokens
 * that are encrypted with it.
 *
 * @param keys the value of `BERBIX_ENCRYPTION_KEYS`
 * @throws {Error} that says what to do
 */
export async function requireKey(
  store: BerbixTokenStore,
  keys: string,
  stored: StoredData,
): Promise<void> {
  const { value = '' } = (await store.load('default/customer/ada')) ?? {};
  // An encrypted value begins with the id of its key.
  const [, id] = /^b1\.([^.]+)\./.exec(value) ?? [];
  const isKnown = keys.split(',').some((key) => key.split(':')[0]?.trim() === id);
  if (id === undefined || isKnown) return;
  throw new Error(
    `Tokens of an earlier run are encrypted with the key "${id}", which is missing. Add it to BERBIX_ENCRYPTION_KEYS, or start over without these tokens: delete ${describeLocations(stored)}.`,
  );
}
