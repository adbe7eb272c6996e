import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directories.js';

/** The time limit of a build on a busy machine. */
const MAX_MS = 300_000;

/** The size limit of the installed package: code in two formats, types and pages. */
const MAX_BYTES = 2_500_000;

const copy = temporaryDirectory();

/** Copies the sources to a folder of their own, as after `git clone` and `npm ci`. */
function copySources(): void {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
  const shipped = files.filter((file) => !/^(?:!|(?:dist|lib)\b)/.test(file));
  const tsconfigs = ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.browser.json'];
  for (const path of [...shipped, ...tsconfigs, 'package.json', 'lib', 'scripts', 'test/cli']) {
    cpSync(path, join(copy, path), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
}

/** The files that npm would publish, and its output. */
function pack(): { files: string[]; bytes: number; stderr: string } {
  const { stdout, stderr, status } = spawnSync('npm', ['pack', '--dry-run', '--json'], {
    cwd: copy,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: MAX_MS,
  });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const [listing] = JSON.parse(stdout) as [{ files: { path: string }[]; unpackedSize: number }];
  const files = listing.files.map(({ path }) => path);
  return { files, bytes: listing.unpackedSize, stderr };
}

/** Every file that `package.json` names. */
function entries(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('./dist/') ? [value.slice(2)] : [];
  return Object.values(value ?? {}).flatMap(entries);
}

describe('npm pack without a build', () => {
  it(
    'builds, says so, and packs what package.json names; the second time it does not build again',
    () => {
      copySources();
      const first = pack();
      expect(first.stderr).toMatch(/Building the package \(dist\) \.\.\.\nBuilt in [\d.]+ s\./);
      const { exports, main, module, types, bin } = JSON.parse(
        readFileSync('package.json', 'utf8'),
      ) as Record<string, unknown>;
      const named = entries({ exports, main, module, types, bin });
      expect(named.length).toBeGreaterThan(20);
      expect(named.filter((file) => !first.files.includes(file))).toEqual([]);
      const strangers = /^(test|scripts|node_modules|dist\/[^/]+$)/;
      expect(first.files.filter((file) => strangers.test(file))).toEqual([]);
      expect(first.bytes).toBeLessThan(MAX_BYTES);

      const second = pack();
      expect(second.stderr).toContain('Up to date: the package (dist)');
      expect(second.files).toEqual(first.files);
    },
    2 * MAX_MS,
  );
});
