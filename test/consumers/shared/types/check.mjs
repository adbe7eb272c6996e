// Compiles the programs in all ways that a user may: as ES module, as CommonJS, for a bundler and
// with the module resolution of old projects, strict and with exactOptionalPropertyTypes. That they
// use each name is checked by test/package/public-api.spec.ts.
import { strictEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const TSC = require.resolve('typescript/bin/tsc');
const path = (file) => fileURLToPath(new URL(file, import.meta.url));

const PROGRAMS = ['program', 'program-stored', 'program-watched'];

/** Nest 12 itself has no types for the resolution of old projects. */
const [major] = require('@nestjs/common/package.json').version.split('.');
const CONFIGS = ['nodenext', 'bundler', ...(major === '11' ? ['node10'] : [])];

for (const program of PROGRAMS) {
  for (const extension of ['mts', 'cts']) {
    copyFileSync(path(`${program}.ts`), path(`${program}.${extension}`));
  }
}

for (const config of CONFIGS) {
  test(`compiles: ${config}`, () => {
    const args = [TSC, '-p', path(`tsconfig.${config}.json`)];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    strictEqual(status, 0, stdout);
  });
}
