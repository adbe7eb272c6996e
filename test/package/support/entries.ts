import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Manifest {
  exports: Record<string, { import?: { types: string }; require?: { types: string } }>;
}

/** The entries of the package, such as `nestjs-berbix/testing`, with their built types. */
export const ENTRIES = Object.entries(
  (JSON.parse(readFileSync('package.json', 'utf8')) as Manifest).exports,
).flatMap(([subpath, conditions]) => {
  if (conditions.import === undefined || conditions.require === undefined) return [];
  return {
    name: `nestjs-berbix${subpath.slice(1)}`,
    esm: resolve(conditions.import.types),
    cjs: resolve(conditions.require.types),
  };
});
