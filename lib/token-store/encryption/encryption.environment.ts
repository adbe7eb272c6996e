import { BerbixConfigurationError } from '../../errors/index.js';
import { isKeyId, MAKE_A_KEY, readKey } from './encryption-key.js';
import type { BerbixOwnKeys } from './encryption.options.js';

const VARIABLE = 'BERBIX_ENCRYPTION_KEYS';

/**
 * Keys from `BERBIX_ENCRYPTION_KEYS`: `id:base64,id:base64`; the first is the current one. Printing
 * the result shows no key.
 *
 * @returns undefined if the variable is missing or empty
 * @throws {BerbixConfigurationError} that says which entry is wrong, and why
 * @example
 * ```ts
 * BerbixModule.forRoot({ apiSecret, store, encryption: berbixEncryptionFromEnvironment() })
 * ```
 */
export function berbixEncryptionFromEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): BerbixOwnKeys | undefined {
  const text = environment[VARIABLE];
  if (text === undefined || text === '') return undefined;
  const entries = text.split(',').map(parseEntry);
  const ids = entries.map(([id]) => id);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) < index);
  if (twice !== -1) throw wrong(twice, 'has the id of an earlier one');
  return { keys: Object.fromEntries(entries), current: ids[0] as string };
}

function parseEntry(entry: string, index: number) {
  const at = entry.indexOf(':');
  const id = entry.slice(0, Math.max(at, 0)).trim();
  if (!isKeyId(id)) throw wrong(index, 'does not begin with an id and a colon');
  const key = readKey(entry.slice(at + 1).trim());
  if (typeof key === 'string') throw wrong(index, `has a key that ${key}`);
  return [id, key] as const;
}

/** Quotes no part of the entry: even the part before the colon may be a key (I10). */
function wrong(index: number, problem: string): BerbixConfigurationError {
  return new BerbixConfigurationError(
    `Entry ${index + 1} of the environment variable ${VARIABLE} ${problem}. Use id:base64, with several keys separated by commas, the current one first. ${MAKE_A_KEY}`,
  );
}
