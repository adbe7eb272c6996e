// The Nest CLI: what each of its builders makes of an application, and what
// `nest add` adds to one.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { beginWith, run } from './cli/run.mjs';

for (const builder of ['tsc', 'swc', 'rspack']) {
  test(`nest build --builder ${builder}`, () => {
    rmSync('src', { recursive: true, force: true });
    cpSync('cli/main.ts', 'src/main.ts', { recursive: true });
    run('npx', ['nest', 'build', '--builder', builder]);
    // Where SWC writes to depends on its version.
    beginWith(['dist/main.js', 'dist/src/main.js'].find(existsSync));
  });
}

test('nest add nestjs-berbix', () => {
  rmSync('src', { recursive: true, force: true });
  cpSync('cli/app', 'src', { recursive: true });
  // It is installed already, and not from the registry.
  run('npx', ['nest', 'add', 'nestjs-berbix', '--skip-install']);
  run('npx', ['nest', 'build']);
  run('npx', ['nestjs-berbix', 'sandbox', 'exec', '--', 'node', 'cli/add.mjs']);
});
