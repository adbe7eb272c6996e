import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Manifest {
  exports: Record<string, { require?: { types: string } }>;
}

/** The entries of the package, such as `nestjs-berbix/testing`, with their built types. */
export const ENTRIES = Object.entries(
  (JSON.parse(readFileSync('package.json', 'utf8')) as Manifest).exports,
).flatMap(([subpath, conditions]) => {
  if (conditions.require === undefined) return [];
  return { name: `nestjs-berbix${subpath.slice(1)}`, types: resolve(conditions.require.types) };
});
