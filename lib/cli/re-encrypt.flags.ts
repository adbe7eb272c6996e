import { parseFlags, SWITCH, TEXT } from './parse-flags.js';

/** What `nestjs-berbix re-encrypt --help` shows. */
export const RE_ENCRYPT_USAGE = `Usage: nestjs-berbix re-encrypt --postgres URL [options]
       nestjs-berbix re-encrypt --redis URL [options]

Re-encrypts what one account has stored under older keys with the current key.
Applications may keep running once all of them have the current key first. Run it
for each account until it reports 0 re-encrypted; then remove the older keys.

Reads the keys from the environment: BERBIX_ENCRYPTION_KEYS=id:base64,id:base64
with the current one first and all older ones after it. To make a key, run:
openssl rand -base64 32

Options:
  --postgres URL  such as postgres://user@host:5432/database; needs pg, which also
                  reads PGPASSWORD
  --table NAME    the table in PostgreSQL, if it is not berbix_tokens
  --redis URL     such as redis://host:6379, or any server of a Cluster; needs ioredis,
                  and reads a password that is not in the URL from REDISCLI_AUTH
  --prefix TEXT   the prefix of the keys in Redis, if it is not berbix:
  --account NAME  the name of the account, if it has one
  --accept-plaintext
                  encrypt values stored as plaintext too; only while a store moves
                  to encryption, since anybody could have written them
  --help          show this help
`;

/** Which store to work on. */
export type ReEncryptTarget =
  | { kind: 'postgres'; url: string; table: string | undefined }
  | { kind: 'redis'; url: string; prefix: string | undefined };

/** Help, or what is wrong with the flags, or what to do. */
export type ReEncryptFlags =
  | { help: true }
  | { problem: string }
  | { target: ReEncryptTarget; account: string | undefined; acceptPlaintext: boolean };

const OPTIONS = {
  postgres: TEXT,
  table: TEXT,
  redis: TEXT,
  prefix: TEXT,
  account: TEXT,
  'accept-plaintext': SWITCH,
  help: SWITCH,
};

/** Reads the flags and checks their values; no message quotes a URL, which may have a password. */
export function parseReEncryptFlags(args: string[]): ReEncryptFlags {
  const parsed = parseFlags(args, OPTIONS);
  if ('problem' in parsed) return parsed;
  const { flags } = parsed;
  if (flags.help) return { help: true };
  const { postgres, redis, table, prefix, account } = flags;
  if ((postgres === undefined) === (redis === undefined)) {
    return { problem: 'Give either --postgres or --redis.' };
  }
  if (account === '') return { problem: '--account must not be empty.' };
  const common = { account, acceptPlaintext: flags['accept-plaintext'] ?? false };
  if (postgres !== undefined) {
    if (prefix !== undefined) return { problem: '--prefix goes with --redis.' };
    if (!isUrl(postgres, ['postgres:', 'postgresql:'])) {
      return { problem: '--postgres must be a URL such as postgres://user@host:5432/database.' };
    }
    if (!isDecodable(postgres)) return { problem: percentIn('--postgres') };
    return { target: { kind: 'postgres', url: postgres, table }, ...common };
  }
  if (table !== undefined) return { problem: '--table goes with --postgres.' };
  if (redis === undefined || !isUrl(redis, ['redis:', 'rediss:'])) {
    return { problem: '--redis must be a URL such as redis://host:6379 or rediss://host:6379.' };
  }
  if (!isDecodable(redis)) return { problem: percentIn('--redis') };
  return { target: { kind: 'redis', url: redis, prefix }, ...common };
}

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

/** Drivers decode these parts, and throw where a % is followed by something else than two digits. */
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
  return `The URL of ${flag} has a % that encodes nothing. Write it as %25.`;
}
