import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * FOR THE DEMO ONLY: without `BERBIX_ENCRYPTION_KEYS`, a key that is made once and kept beside the
 * data, put into the environment in its place. Whoever has the data has that key too, so it protects
 * nothing; keep yours where your other secrets are.
 *
 * @param directory of the data of all runs
 * @returns the file, if there is one
 */
export function demoEncryptionKey(directory: string, env: NodeJS.ProcessEnv): string | undefined {
  if (env['BERBIX_ENCRYPTION_KEYS']) return undefined;
  const file = join(directory, 'demo-encryption-key');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!existsSync(file)) makeOnce(file);
    env['BERBIX_ENCRYPTION_KEYS'] = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`The data directory ${directory} cannot be used (${code}).`, {
      cause: error,
    });
  }
  return file;
}

/** As a whole, so that another run that starts at the same moment reads no half of it. */
function makeOnce(file: string): void {
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
