import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The path of a built file. A test that used a missing one would wait in vain. */
export function built(path: string): string {
  const file = resolve(path);
  if (existsSync(file)) return file;
  throw new Error(`${path} is not built, and this test uses it. Run: npm run build:apps`);
}

/** The first of these programs that is on the PATH. */
export function findOnPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
