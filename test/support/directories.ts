import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAfterTest } from './closing.js';
import { databaseTemplate } from './pglite.js';

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

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 10 });
}
