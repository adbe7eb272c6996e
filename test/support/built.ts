import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The path of a built file. A test that started one that is not there would wait for it in vain. */
export function built(path: string): string {
  const file = resolve(path);
  if (existsSync(file)) return file;
  throw new Error(`${path} is not built, and this test starts it. Run: npm run build:apps`);
}
