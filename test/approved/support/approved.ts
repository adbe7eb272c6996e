import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';

const FOLDER = join(import.meta.dirname, '..');

/** `npm run approve` writes the files that these specs compare. */
export const IS_APPROVING = process.env['npm_lifecycle_event'] === 'approve';

/** What the file contains; nothing if there is none yet. */
export function approved(file: string): string {
  const path = join(FOLDER, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function approve(file: string, text: string): void {
  const path = join(FOLDER, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Where the runner of the tests finds which files this spec file has compared. */
const COMPARED = Symbol.for('approved files');

/** Compares a text with the file, whose name the difference shows. */
export function expectApproved(file: string, text: string): void {
  const realm = globalThis as { [COMPARED]?: Set<string> };
  (realm[COMPARED] ??= new Set()).add(join(FOLDER, file));
  if (IS_APPROVING) approve(file, text);
  expect({ file, text }).toEqual({ file, text: approved(file) });
}
