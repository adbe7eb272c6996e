// Builds lib/ into dist/, as ES modules and as CommonJS; with --apps, the examples and the benchmarks
// into build/ too. What was built from the same sources is left as it is. A finished build takes the
// place of the old one, so that whoever runs from there is not disturbed.
//
// The package is bundled, since an application would wait for the 150 files of its main entry at each
// start. The bundle is the sources without their types, which needs no source maps. The docstrings are
// in the declarations, where editors find them.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const tsc = join(
  dirname(createRequire(import.meta.url).resolve('@typescript/native/package.json')),
  'bin/tsc',
);

/** In dist/ and build/: a hash of what they were built from. */
const STAMP = '.sources';
/** In an unfinished build: what the compiler wrote. */
const COMPILED = 'lib';
/** What decides how all of them are built; the hidden lockfile tells what is installed. */
const COMMON = [
  'package.json',
  'tsconfig.json',
  'scripts/build.mjs',
  'node_modules/.package-lock.json',
];

/** Statements of types that lead to other files. */
const IMPORTED = /\b(?:from |import\()['"](\.[^'"]+)\.js['"]/g;
const EXPORTED = /^export [^;]*? from ['"](\.[^'"]+)\.js['"]/gm;

const TARGETS = {
  dist: {
    title: 'the package (dist)',
    sources: ['lib', 'tsconfig.build.json', 'tsconfig.browser.json'],
    projects: ['tsconfig.build.json', 'tsconfig.browser.json'],
    async finish(folder) {
      const entries = Object.values(JSON.parse(readFileSync('package.json', 'utf8')).exports)
        .flatMap((conditions) => conditions.import?.default ?? [])
        .map((path) => relative('dist/esm', path).slice(0, -'.js'.length));
      const browser = entries.filter((entry) => entry.startsWith('browser/'));
      const node = entries.filter((entry) => !browser.includes(entry));
      await bundle(folder, 'esm', [...node, 'cli/main']);
      await bundle(folder, 'cjs', node);
      // Apart from the others, so that a page loads a single file.
      for (const format of ['esm', 'cjs']) await bundle(folder, format, browser);
      writeTypes(folder, entries);
      rmSync(join(folder, COMPILED), { recursive: true });
      await bundleConsole(join(folder, 'console'));
      writeFileSync(`${folder}/esm/package.json`, '{"type":"module"}\n');
      writeFileSync(`${folder}/cjs/package.json`, '{"type":"commonjs"}\n');
      chmodSync(`${folder}/esm/cli/main.js`, 0o755);
    },
  },
  build: {
    title: 'the examples and benchmarks (build)',
    sources: ['lib', 'examples', 'bench', 'types', 'tsconfig.apps.json'],
    projects: ['tsconfig.apps.json'],
    async finish(folder) {
      for (const name of readdirSync(join(folder, COMPILED)))
        renameSync(join(folder, COMPILED, name), join(folder, name));
      const page = 'examples/backend/demo/page';
      cpSync(page, join(folder, page), { recursive: true });
      rmSync(join(folder, COMPILED), { recursive: true });
    },
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
    for (const project of projects) {
      if ((await compile(project, join(fresh, COMPILED))) !== 0) return false;
    }
    await finish(fresh);
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
  const parameters = [tsc, '-p', project, '--noEmit', 'false', '--outDir', outDir];
  const stdio = ['ignore', process.stderr, process.stderr];
  const child = spawn(process.execPath, parameters, { stdio });
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

/** One file for each entry, and one for each set of entries that share code. */
async function bundle(folder, format, entries) {
  const built = await rolldown({
    cwd: resolve(folder, COMPILED),
    input: Object.fromEntries(entries.map((entry) => [entry, `./${entry}.js`])),
    // The helpers of the compiler are part of it; all other packages are installed beside it.
    external: /^(?!tslib$)[^./]/,
    platform: 'node',
  });
  await built.write({
    dir: resolve(folder, format),
    format,
    chunkFileNames: 'shared/[name].js',
    comments: false,
    // Jest cannot import() without a flag.
    dynamicImportInCjs: false,
    // Nest and its users see the names of classes.
    keepNames: true,
  });
  await built.close();
}

/** The script and the style of the sandbox's console, for browsers. */
async function bundleConsole(folder) {
  const source = 'lib/sandbox/console';
  const built = await rolldown({
    input: `${source}/main.tsx`,
    platform: 'browser',
    tsconfig: false,
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  });
  await built.write({
    file: `${folder}/console.js`,
    format: 'iife',
    minify: true,
    banner: '/*! Includes Preact. MIT License. Copyright (c) 2015-present Jason Miller. */',
  });
  await built.close();
  copyFileSync(`${source}/console.css`, `${folder}/console.css`);
}

/**
 * The types that the entries lead to, for both formats: internal ones are no use to anybody.
 * What editors show has no tags that say where a statement comes from, such as [sdk: node]. To take
 * less space, lines are indented with tabs, as in the bundle, and what is only imported has no
 * comments, except for options, which those of the module extend.
 */
function writeTypes(folder, entries) {
  const compiled = join(folder, COMPILED);
  const exported = typesFrom(compiled, entries, EXPORTED);
  for (const [file, types] of typesFrom(compiled, entries, IMPORTED)) {
    const isShown = exported.has(file) || file.endsWith('.options.d.ts');
    const commented = isShown ? types : types.replaceAll(/^ *\/\*\*[^]*?\*\/\n/gm, '');
    const shown = commented
      .replaceAll(/ \[(?:doc|sdk|3p):[^\]]*\]/g, '')
      .replaceAll(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4));
    for (const format of ['esm', 'cjs']) {
      mkdirSync(join(folder, format, dirname(file)), { recursive: true });
      writeFileSync(join(folder, format, file), shown);
    }
  }
}

/** The content of the files to which such statements lead from the entries. */
function typesFrom(folder, entries, statement) {
  const reached = new Map(entries.map((entry) => [`${entry}.d.ts`, '']));
  for (const file of reached.keys()) {
    const types = readFileSync(join(folder, file), 'utf8');
    reached.set(file, types);
    for (const [, path] of types.matchAll(statement)) {
      const next = join(dirname(file), `${path}.d.ts`);
      if (!reached.has(next)) reached.set(next, '');
    }
  }
  return reached;
}
