import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAfterFile, closeAfterTest } from './closing.js';
import { newPglite } from './pglite.js';

/** An empty directory, for one test. */
export function temporaryDirectory(name = 'nestjs-berbix-test-'): string {
  const path = mkdtempSync(join(tmpdir(), name));
  closeAfterTest(() => remove(path));
  return path;
}

/** A directory for one test with an empty database in `postgres`. */
export async function databaseDirectory(): Promise<string> {
  const path = temporaryDirectory();
  cpSync(await databaseTemplate(), join(path, 'postgres'), { recursive: true });
  return path;
}

let template: Promise<string> | undefined;

/** A new database takes a second: it is made once for the tests of a file, which get copies. */
export function databaseTemplate(): Promise<string> {
  template ??= makeTemplate();
  return template;
}

async function makeTemplate(): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), 'nestjs-berbix-test-'));
  closeAfterFile(() => remove(path));
  await (await newPglite(path)).close();
  return path;
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 10 });
}
