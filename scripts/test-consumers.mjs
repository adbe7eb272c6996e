// Installs the packed package in each project of test/consumers and runs the project's tests.
// With names, only in those: node scripts/test-consumers.mjs nest12-vitest types
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CONSUMERS = join(ROOT, 'test/consumers');
/** Copied into every project. */
const SHARED = 'shared';
/** For one command; tests that leave something open do not end. */
const MOST_MS = 600_000;

const projects = readdirSync(CONSUMERS).filter((name) => name !== SHARED);
const chosen = process.argv.length > 2 ? process.argv.slice(2) : projects;
const unknown = chosen.filter((name) => !projects.includes(name));
if (unknown.length > 0) {
  console.error(`No such project: ${unknown.join(', ')}. There are: ${projects.join(', ')}.`);
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), 'nestjs-berbix-consumers-'));
try {
  const tarball = pack();
  for (const name of chosen) {
    if (!test(name, tarball)) process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Packs, which builds; the path of the tarball. */
function pack() {
  const { status, output } = npm(ROOT, ['pack', '--pack-destination', work]);
  if (status !== 0) throw new Error(`npm pack failed:\n${output}`);
  return join(
    work,
    readdirSync(work).find((file) => file.endsWith('.tgz')),
  );
}

/** Runs one project and prints how it went; whether it passed. */
function test(name, tarball) {
  const folder = join(work, name);
  for (const from of [SHARED, name]) {
    cpSync(join(CONSUMERS, from), folder, { recursive: true });
  }
  let result = npm(folder, ['install', '--no-audit', '--no-fund', '--no-package-lock', tarball]);
  if (result.status === 0) result = npm(folder, ['test']);
  const passed = result.status === 0;
  const columns = [
    passed ? 'pass' : 'FAIL',
    name.padEnd(Math.max(...projects.map(({ length }) => length))),
    `Nest ${version(folder, '@nestjs/core') ?? '(not installed)'}`,
    runner(folder),
    `Node ${process.versions.node}`,
  ];
  console.log(columns.join('  '));
  if (!passed) console.log(result.output);
  rmSync(folder, { recursive: true, force: true });
  return passed;
}

function npm(cwd, args) {
  // The caller's flags are none of the project's.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync('npm', args, {
    cwd,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: Infinity,
    timeout: MOST_MS,
  });
  return { status, output: `${stdout}${stderr}${error ?? ''}` };
}

/** What runs the tests, with its version. */
function runner(folder) {
  for (const [name, title] of [
    ['jest', 'Jest'],
    ['vitest', 'Vitest'],
    ['@nestjs/cli', 'Nest CLI'],
    ['webpack', 'esbuild, rolldown and webpack'],
    ['typescript', 'TypeScript'],
  ]) {
    const installed = version(folder, name);
    if (installed) return `${title} ${installed}`;
  }
  return 'node:test';
}

/** Of an installed package; undefined if it is not there. */
function version(folder, name) {
  try {
    return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
      .version;
  } catch {
    return undefined;
  }
}
