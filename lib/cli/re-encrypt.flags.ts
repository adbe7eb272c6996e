import { parseFlags, SWITCH } from './parse-flags.js';
import {
  STORE_FLAGS,
  STORE_FLAGS_HELP,
  readStoreTarget,
  type StoreTarget,
} from './store/store-target.js';

/** The output of `nestjs-berbix re-encrypt --help`. */
export const RE_ENCRYPT_USAGE = `Usage: nestjs-berbix re-encrypt --postgres URL [options]
       nestjs-berbix re-encrypt --redis URL [options]

Re-encrypts the values of an account that have older keys with the current key.
Applications can keep running if all of them already have the current key first.
Run it for each account until it reports 0 re-encrypted; then remove the older keys.

It reads the keys from the environment: BERBIX_ENCRYPTION_KEYS=id:base64,id:base64
with the current one first and all older ones after it. To generate a key, run:
openssl rand -base64 32

Options:
${STORE_FLAGS_HELP}
  --accept-plaintext
                  also encrypt plaintext values; only while a store moves to
                  encryption, since anybody could have written them
  --help          show this help
`;

/** A request for help, a problem with the flags, or the parsed flags. */
export type ReEncryptFlags =
  | { help: true }
  | { problem: string }
  | { target: StoreTarget; account: string | undefined; acceptPlaintext: boolean };

const OPTIONS = { ...STORE_FLAGS, 'accept-plaintext': SWITCH, help: SWITCH };

/** Parses and checks the flags; no message quotes a URL, which may contain a password (I10). */
export function parseReEncryptFlags(args: string[]): ReEncryptFlags {
  const parsed = parseFlags(args, OPTIONS);
  if ('problem' in parsed) return parsed;
  const { flags } = parsed;
  if (flags.help) return { help: true };
  const found = readStoreTarget(flags);
  if ('problem' in found) return found;
  return { ...found, acceptPlaintext: flags['accept-plaintext'] ?? false };
}
