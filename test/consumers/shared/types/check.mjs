// Compiles the program the ways a user may: as ES module, as CommonJS and for a bundler; and looks
// whether it leaves out something that the package exports.
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const path = (file) => fileURLToPath(new URL(file, import.meta.url));

for (const extension of ['mts', 'cts']) {
  copyFileSync(path('program.ts'), path(`program.${extension}`));
}

for (const config of ['nodenext', 'bundler']) {
  test(`compiles: ${config}`, () => {
    const args = [TSC, '-p', path(`tsconfig.${config}.json`)];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    strictEqual(status, 0, stdout);
  });
}

test('uses every export', () => {
  const file = path('program.mts');
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
  });
  const checker = program.getTypeChecker();
  const imports = program.getSourceFile(file).statements.filter(ts.isImportDeclaration);
  const exported = imports
    .filter(({ moduleSpecifier }) => moduleSpecifier.text.startsWith('nestjs-berbix'))
    .flatMap(({ moduleSpecifier }) =>
      checker.getExportsOfModule(checker.getSymbolAtLocation(moduleSpecifier)),
    )
    .map(({ name }) => name);
  const source = readFileSync(file, 'utf8');
  const body = source.slice(imports.at(-1).end);
  deepStrictEqual(
    exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(body)),
    [],
  );
});
