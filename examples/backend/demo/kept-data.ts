import { join } from 'node:path';
import type { BerbixTokenStore } from 'nestjs-berbix';
import { shortPath } from './paper.js';

/** Where a run leaves what it has made. */
export interface KeptData {
  /** Of the database: a directory, or the address of a server. */
  database: string;
  /** What `DATA_DIR` is. */
  data: string;
  /** The keys of a Redis server with the tokens, for people; undefined where they are in the database. */
  redis: string | undefined;
  /** File of the key that the demo has made, if it has. */
  key: string | undefined;
}

/** Whether the database is the one inside the process. */
export function isEmbedded({ database, data }: KeptData): boolean {
  return shortPath(database).startsWith(shortPath(join(data, 'database')));
}

/** Everything that a run leaves, but for the key of the demo. */
function placesOf(kept: KeptData): string {
  const { database, data, redis } = kept;
  const places = isEmbedded(kept)
    ? [shortPath(data)]
    : [`the tables customer_verifications and berbix_tokens at ${database}`];
  if (redis !== undefined) places.push(redis);
  return places.join(' and ');
}

/** What stays, and what has to go before a run finds nothing of those before: tokens and their key together. */
export function whatStays(kept: KeptData): string[] {
  const isHere = isEmbedded(kept) && kept.redis === undefined;
  if (isHere) return [`stays in ${shortPath(kept.data)}; delete it to start over`];
  const { key } = kept;
  const rest = key === undefined ? '' : `its key is in ${shortPath(key)}: `;
  return [
    `stays in ${placesOf(kept)};`,
    `${rest}delete ${key ? 'both together' : 'it'} to start over`,
  ];
}

/**
 * FOR THE DEMO ONLY: its key may be gone with its directory, while a server has what was sealed with it.
 *
 * @param keys what `BERBIX_ENCRYPTION_KEYS` is
 * @throws {Error} that says what to do
 */
export async function requireKey(
  store: BerbixTokenStore,
  keys: string,
  kept: KeptData,
): Promise<void> {
  const { value = '' } = (await store.load('default/customer/ada')) ?? {};
  // What is sealed begins with the name of its key.
  const [, id] = /^b1\.([^.]+)\./.exec(value) ?? [];
  const isThere = keys.split(',').some((key) => key.split(':')[0]?.trim() === id);
  if (id === undefined || isThere) return;
  throw new Error(
    `Tokens of an earlier run are sealed with the key "${id}", which is missing. Give it in BERBIX_ENCRYPTION_KEYS, or start over without them: delete ${placesOf(kept)}.`,
  );
}
