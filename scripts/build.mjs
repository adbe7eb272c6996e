// Builds lib/ into dist/, as ES modules and as CommonJS; with --apps, the examples and the benchmarks
// into build/ too. What was built from the same sources is left as it is. A finished build takes the
// place of the old one, so that whoever runs from there is not disturbed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** In dist/ and build/: a hash of what they were built from. */
const STAMP = '.sources';
/** What decides how all of them are built; the hidden lockfile tells what is installed. */
const COMMON = [
  'package.json',
  'tsconfig.json',
  'scripts/build.mjs',
  'node_modules/.package-lock.json',
];

const TARGETS = {
  dist: {
    title: 'the package (dist)',
    sources: ['lib', 'tsconfig.build.json', 'tsconfig.cjs.json'],
    projects: { 'tsconfig.build.json': 'esm', 'tsconfig.cjs.json': 'cjs' },
    finish(folder) {
      writeFileSync(`${folder}/esm/package.json`, '{"type":"module"}\n');
      writeFileSync(`${folder}/cjs/package.json`, '{"type":"commonjs"}\n');
      chmodSync(`${folder}/esm/cli/main.js`, 0o755);
      removeSourceTags(folder);
    },
  },
  build: {
    title: 'the examples and benchmarks (build)',
    sources: ['lib', 'examples', 'bench', 'tsconfig.apps.json'],
    projects: { 'tsconfig.apps.json': '.' },
    finish() {},
  },
};

for (const target of process.argv.includes('--apps') ? ['dist', 'build'] : ['dist']) {
  if (!(await build(target, TARGETS[target]))) {
    process.exitCode = 1;
    break;
  }
}

/** Whether it is there, and up to date. Standard output is left to whatever runs afterwards. */
async function build(target, { title, sources, projects, finish }) {
  const stamp = hash([...COMMON, ...sources].flatMap(filesIn));
  if (existsSync(`${target}/${STAMP}`) && readFileSync(`${target}/${STAMP}`, 'utf8') === stamp) {
    console.error(`Up to date: ${title}`);
    return true;
  }
  const start = performance.now();
  console.error(`Building ${title} ...`);
  const fresh = `${target}.${process.pid}`;
  const old = `${fresh}.old`;
  try {
    const codes = await Promise.all(
      Object.entries(projects).map(([project, folder]) => compile(project, join(fresh, folder))),
    );
    if (codes.some((code) => code !== 0)) return false;
    finish(fresh);
    writeFileSync(`${fresh}/${STAMP}`, stamp);
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
  console.error(`Built in ${((performance.now() - start) / 1_000).toFixed(1)} s.`);
  return true;
}

/** The exit code of the compiler, which says what is wrong. */
function compile(project, outDir) {
  mkdirSync(outDir, { recursive: true });
  const child = spawn(process.execPath, [tsc, '-p', project, '--outDir', outDir], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
}

function filesIn(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .toSorted()
    .flatMap((name) => filesIn(join(path, name)));
}

function hash(files) {
  const sum = createHash('sha256');
  for (const file of files) sum.update(`${file}\0${readFileSync(file)}\0`);
  return sum.digest('hex');
}

/** What editors show has no tags that say where a statement comes from, such as [sdk: node]. */
function removeSourceTags(folder) {
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!file.endsWith('.d.ts')) continue;
    const types = readFileSync(join(folder, file), 'utf8');
    writeFileSync(join(folder, file), types.replaceAll(/ \[(?:doc|sdk|3p):[^\]]*\]/g, ''));
  }
}
