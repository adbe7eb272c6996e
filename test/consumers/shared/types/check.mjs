// Compiles the programs in all ways that a user may: as ES module, as CommonJS, for a bundler and
// with the module resolution of old projects, strict and with exactOptionalPropertyTypes; and
// checks that it uses everything that the package exports.
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

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

test('uses every export', () => {
  const files = PROGRAMS.map((name) => path(`${name}.mts`));
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
  });
  const checker = program.getTypeChecker();
  const exported = new Set();
  let bodies = '';
  for (const file of files) {
    const imports = program.getSourceFile(file).statements.filter(ts.isImportDeclaration);
    bodies += readFileSync(file, 'utf8').slice(imports.at(-1).end);
    for (const { moduleSpecifier } of imports) {
      if (!moduleSpecifier.text.startsWith('nestjs-berbix')) continue;
      const symbol = checker.getSymbolAtLocation(moduleSpecifier);
      for (const { name } of checker.getExportsOfModule(symbol)) exported.add(name);
    }
  }
  deepStrictEqual(
    [...exported].filter((name) => !new RegExp(`\\b${name}\\b`).test(bodies)),
    [],
  );
});
