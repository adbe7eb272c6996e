import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * FOR THE DEMO ONLY: without `BERBIX_ENCRYPTION_KEYS`, sets that variable to a key that is
 * generated once and stored beside the data. Who has the data also has this key, so it protects
 * nothing. Keep your own keys with your other secrets.
 *
 * @param directory the data of all runs
 * @returns the file of the key; undefined if you gave keys
 */
export function demoEncryptionKey(directory: string, env: NodeJS.ProcessEnv): string | undefined {
  if (env['BERBIX_ENCRYPTION_KEYS']) return undefined;
  const file = join(directory, 'demo-encryption-key');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!existsSync(file)) createOnce(file);
    env['BERBIX_ENCRYPTION_KEYS'] = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`The data directory ${directory} cannot be used (${code}).`, {
      cause: error,
    });
  }
  return file;
}

/** Written to a draft first, so that a concurrent run never reads half of it. */
function createOnce(file: string): void {
  const draft = `${file}-${randomUUID()}`;
  const id = `demo-${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${id}:${randomBytes(32).toString('base64')}`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}
