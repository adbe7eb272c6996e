// The Nest CLI: what each of its builders makes of an application.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { beginWith, run } from './cli/run.mjs';

for (const builder of ['tsc', 'swc', 'webpack']) {
  test(`nest build --builder ${builder}`, () => {
    rmSync('src', { recursive: true, force: true });
    cpSync('cli/main.ts', 'src/main.ts', { recursive: true });
    run('npx', ['nest', 'build', '--builder', builder]);
    // Where SWC writes to depends on its version.
    beginWith(['dist/main.js', 'dist/src/main.js'].find(existsSync));
  });
}

test('an application on both platforms, with a global prefix, versioning and scopes', () => {
  rmSync('src', { recursive: true, force: true });
  cpSync('cli/application', 'src', { recursive: true });
  run('npx', ['nest', 'build']);
  run('node', ['dist/check.js']);
});
