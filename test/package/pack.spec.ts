import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

/** For a build on a busy machine. */
const MOST_MS = 300_000;

const copy = mkdtempSync(join(tmpdir(), 'nestjs-berbix-pack-'));
afterAll(() => rmSync(copy, { recursive: true }));

/** The sources in a folder of their own, as after `git clone` and `npm ci`. */
function copySources(): void {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
  const shipped = files.filter((file) => !/^!?dist\b/.test(file));
  const tsconfigs = ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.cjs.json'];
  for (const path of [...shipped, ...tsconfigs, 'package.json', 'scripts', 'test/cli']) {
    cpSync(path, join(copy, path), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
}

/** What npm would publish, and what it tells meanwhile. */
function pack(): { files: string[]; stderr: string } {
  const { stdout, stderr, status } = spawnSync('npm', ['pack', '--dry-run', '--json'], {
    cwd: copy,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: MOST_MS,
  });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const [listing] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  return { files: listing.files.map(({ path }) => path), stderr };
}

/** Every file that `package.json` names. */
function entries(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('./dist/') ? [value.slice(2)] : [];
  return Object.values(value ?? {}).flatMap(entries);
}

describe('npm pack where nothing is built', () => {
  it(
    'builds, tells so, and packs what package.json names; the second time it is built already',
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

      const second = pack();
      expect(second.stderr).toContain('Up to date: the package (dist)');
      expect(second.files).toEqual(first.files);
    },
    2 * MOST_MS,
  );
});
