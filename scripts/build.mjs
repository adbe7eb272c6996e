// Builds lib/ twice, as ES modules and as CommonJS, and names the format in each output folder.
// A finished build takes the place of the old one, so that whoever runs from dist/ is not disturbed.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const fresh = `dist.${process.pid}`;
const old = `${fresh}.old`;

try {
  for (const [project, format, type] of [
    ['tsconfig.build.json', 'esm', 'module'],
    ['tsconfig.cjs.json', 'cjs', 'commonjs'],
  ]) {
    const folder = `${fresh}/${format}`;
    execFileSync(process.execPath, [tsc, '-p', project, '--outDir', folder], { stdio: 'inherit' });
    writeFileSync(`${folder}/package.json`, `${JSON.stringify({ type })}\n`);
  }
  chmodSync(`${fresh}/esm/cli/main.js`, 0o755);
  if (existsSync('dist')) renameSync('dist', old);
  renameSync(fresh, 'dist');
} catch (error) {
  // The compiler has said what is wrong.
  process.exitCode = error.status ?? 1;
  if (error.status === undefined) throw error;
} finally {
  rmSync(fresh, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
}
