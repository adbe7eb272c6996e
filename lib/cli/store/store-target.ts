import type { EncryptionSettings } from '../../token-store/index.js';
import { TEXT, type FlagValues } from '../parse-flags.js';

/** A store that a command works on. */
export type StoreTarget =
  | { kind: 'postgres'; url: string; table: string | undefined }
  | { kind: 'redis'; url: string; prefix: string | undefined };

/** Where the commands have the settings of the encryption from. */
export const ENCRYPTION_SETTINGS: EncryptionSettings = {
  keys: 'BERBIX_ENCRYPTION_KEYS',
  acceptPlaintext: '--accept-plaintext',
};

/** The flags that name a store and an account. */
export const STORE_FLAGS = {
  postgres: TEXT,
  table: TEXT,
  redis: TEXT,
  prefix: TEXT,
  account: TEXT,
};

/** Their help. */
export const STORE_FLAGS_HELP = `\
  --postgres URL  such as postgres://user@host:5432/database; needs pg, which also
                  reads PGPASSWORD
  --table NAME    the table in PostgreSQL, if it is not berbix_tokens
  --redis URL     such as redis://host:6379, or any server of a Cluster; needs ioredis,
                  and reads a password that is not in the URL from REDISCLI_AUTH
  --prefix TEXT   the prefix of the keys in Redis, if it is not berbix:
  --account NAME  the name of the account, if it has one`;

/**
 * The store and the account, or a problem with the flags; no message quotes a URL, which may contain
 * a password (I10).
 */
export function readStoreTarget({
  postgres,
  redis,
  table,
  prefix,
  account,
}: FlagValues<typeof STORE_FLAGS>):
  | { problem: string }
  | { target: StoreTarget; account: string | undefined } {
  if ((postgres === undefined) === (redis === undefined)) {
    return { problem: 'Pass either --postgres or --redis.' };
  }
  if (account === '') return { problem: '--account must not be empty.' };
  if (postgres !== undefined) {
    if (prefix !== undefined) return { problem: '--prefix is only for --redis.' };
    if (!isUrl(postgres, ['postgres:', 'postgresql:'])) {
      return { problem: '--postgres must be a URL such as postgres://user@host:5432/database.' };
    }
    if (!isDecodable(postgres)) return { problem: percentIn('--postgres') };
    return { target: { kind: 'postgres', url: postgres, table }, account };
  }
  if (table !== undefined) return { problem: '--table is only for --postgres.' };
  if (redis === undefined || !isUrl(redis, ['redis:', 'rediss:'])) {
    return { problem: '--redis must be a URL such as redis://host:6379 or rediss://host:6379.' };
  }
  if (!isDecodable(redis)) return { problem: percentIn('--redis') };
  return { target: { kind: 'redis', url: redis, prefix }, account };
}

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

/** Drivers decode these parts, and throw for a % without two hexadecimal digits. */
function isDecodable(text: string): boolean {
  const { username, password, pathname } = new URL(text);
  try {
    decodeURIComponent(username + password + pathname);
    return true;
  } catch {
    return false;
  }
}

function percentIn(flag: string): string {
  return `The URL of ${flag} has a % that is not percent-encoding. Write it as %25.`;
}
