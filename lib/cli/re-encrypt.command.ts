import {
  encryptionKeysFromEnvironment,
  reencryptTokens,
  type BerbixEncryptionOptions,
  type ReencryptionCounts,
} from '../token-store/encryption/index.js';
import { parseReEncryptFlags, RE_ENCRYPT_USAGE } from './re-encrypt.flags.js';
import { ReEncryptProgress } from './re-encrypt.progress.js';
import { openStore, type OpenedStore } from './re-encrypt.store.js';

/** With a mistake in the address nothing is found, and the values still need their old key. */
const NOTHING_STORED =
  'Nothing is stored there for this account. Check the database, --table or --prefix, and --account.';

/**
 * `nestjs-berbix re-encrypt`: all that is stored, under the current key.
 *
 * @returns 0 when everything is, 1 if something could not be, nothing was found or the store failed,
 * 2 for flags that cannot be used
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
  const { target, account, acceptPlaintext } = flags;
  const progress = new ReEncryptProgress(process.stderr);
  let counts: ReencryptionCounts = { total: 0, changed: 0, unchanged: 0, failed: 0 };
  let opened: OpenedStore | undefined;
  try {
    const encryption = { ...encryptionOf(process.env), acceptPlaintext };
    opened = await openStore(target);
    await reencryptTokens({
      store: opened.store,
      encryption,
      account,
      onProgress: (now) => progress.update((counts = now)),
      onFailure: (key, error) => progress.failure(key, error),
    });
    progress.end();
    if (counts.total === 0) throw new Error(NOTHING_STORED);
    process.stdout.write(summaryOf(counts));
    return 0;
  } catch (error) {
    progress.end();
    if (counts.total > 0) process.stdout.write(summaryOf(counts));
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await opened?.close();
  }
}

function encryptionOf(environment: NodeJS.ProcessEnv): BerbixEncryptionOptions {
  const encryption = encryptionKeysFromEnvironment(environment);
  if (encryption !== undefined) return encryption;
  throw new Error(
    'The environment variable BERBIX_ENCRYPTION_KEYS is missing. Set it to the keys, such as new:base64,old:base64 with the current one first. Make a key with: openssl rand -base64 32',
  );
}

function summaryOf({ total, changed, unchanged, failed }: ReencryptionCounts): string {
  return [
    `${total} values`,
    `  ${changed} re-encrypted with the current key`,
    `  ${unchanged} had it already`,
    `  ${failed} left as they were`,
    '',
  ].join('\n');
}
