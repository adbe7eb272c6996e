import { counted } from '../errors/index.js';
import { DEFAULT_ACCOUNT } from '../options/index.js';
import {
  berbixEncryptionFromEnvironment,
  TokenCipher,
  type BerbixEncryptionOptions,
} from '../token-store/encryption/index.js';
import {
  reencryptWith,
  type ReencryptionCounts,
} from '../token-store/encryption/reencrypt-tokens.js';
import { Progress } from './progress.js';
import { parseReEncryptFlags, RE_ENCRYPT_USAGE } from './re-encrypt.flags.js';
import { ENCRYPTION_SETTINGS } from './store/store-target.js';
import { openStore, type OpenedStore } from './store/store-connection.js';

/**
 * An error, since a mistake in the address also finds nothing, and the values keep their old key.
 */
const NOTHING_STORED =
  'Nothing is stored there for this account. Check the database, --table or --prefix, and --account.';

/**
 * `nestjs-berbix re-encrypt`: encrypts all stored values with the current key.
 *
 * @returns 0 if all values have it, 1 if a value failed, nothing was found or the store failed, 2
 * for invalid flags
 */
export async function reEncryptCommand(args: string[]): Promise<number> {
  const flags = parseReEncryptFlags(args);
  if ('help' in flags) {
    process.stdout.write(RE_ENCRYPT_USAGE);
    return 0;
  }
  if ('problem' in flags) {
    process.stderr.write(`${flags.problem}\n\n${RE_ENCRYPT_USAGE}`);
    return 2;
  }
  const { target, account = DEFAULT_ACCOUNT, acceptPlaintext } = flags;
  const progress = new Progress(process.stderr);
  let counts: ReencryptionCounts = { total: 0, changed: 0, unchanged: 0, failed: 0 };
  let opened: OpenedStore | undefined;
  try {
    const encryption = { ...readEncryption(process.env), acceptPlaintext };
    const cipher = new TokenCipher(encryption, account, ENCRYPTION_SETTINGS);
    opened = await openStore(target);
    await reencryptWith(cipher, account, {
      store: opened.store,
      onProgress: (now) => {
        counts = now;
        progress.update(
          () =>
            `${counted(now.total, 'value')} so far, ${now.changed} re-encrypted, ${now.failed} failed`,
        );
      },
      onFailure: (key, error) => progress.failure(key, error),
    });
    progress.end();
    if (counts.total === 0) throw new Error(NOTHING_STORED);
    process.stdout.write(formatSummary(counts));
    return 0;
  } catch (error) {
    progress.end();
    if (counts.total > 0) process.stdout.write(formatSummary(counts));
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await opened?.close();
  }
}

function readEncryption(environment: NodeJS.ProcessEnv): BerbixEncryptionOptions {
  const encryption = berbixEncryptionFromEnvironment(environment);
  if (encryption !== undefined) return encryption;
  throw new Error(
    'The environment variable BERBIX_ENCRYPTION_KEYS is missing. Set it to the keys, such as new:base64,old:base64 with the current one first. Generate a key with: openssl rand -base64 32',
  );
}

function formatSummary({ total, changed, unchanged, failed }: ReencryptionCounts): string {
  return [
    counted(total, 'value'),
    `  ${changed} re-encrypted with the current key`,
    `  ${unchanged} already had it`,
    `  ${failed} left unchanged`,
    '',
  ].join('\n');
}
