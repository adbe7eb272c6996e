// Installs the packed package in each project of test/consumers, runs the project's tests, and prints
// a table of what was tried. A project is a package.json with a `description` for the docs, and
// - `packageManager`: what installs it, npm by default;
// - `nodeVersions`: the major versions of Node.js to run its tests on, besides the current one;
// - no `dependencies`: nothing is installed, since its tests do that.
//
//   npm run test:consumers -- nest12-vitest types   only these projects
//   npm run test:consumers -- --docs                writes the projects into docs/compatibility.md
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'oxfmt';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CONSUMERS = join(ROOT, 'test/consumers');
const DOCS = join(ROOT, 'docs/compatibility.md');
/** Copied into every project. */
const SHARED = 'shared';
/** For one command; tests that leave something open do not end. */
const MOST_MS = 900_000;
/** As for the tests: in CI, nothing is skipped unless that is said to be on purpose. */
const MUST_NOT_SKIP = process.env.CI === 'true' && process.env.TEST_ALLOW_SKIPPED !== 'true';
const NPM_VERSION = run(ROOT, ['npm', '--version']).output.trim();

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

const projects = readdirSync(CONSUMERS)
  .filter((name) => name !== SHARED)
  .map((name) => ({ name, manifest: readJson(CONSUMERS, name, 'package.json') }));

/** What `fetchNode` has found, by major version. */
const fetched = new Map();

/** The columns of the printed table, with their widths. */
const COLUMNS = {
  outcome: 7,
  project: Math.max(...projects.map(({ name }) => name.length)),
  Nest: 7,
  'Node.js': 8,
  installer: 12,
  with: 37,
  time: 5,
  remarks: 0,
};

const names = process.argv.slice(2);
if (names[0] === '--docs') await writeDocs();
else testAll(names);

function testAll(wanted) {
  const unknown = wanted.filter((wish) => !projects.some(({ name }) => name === wish));
  if (unknown.length > 0) {
    const known = projects.map(({ name }) => name).join(', ');
    console.error(`No such project: ${unknown.join(', ')}. There are: ${known}.`);
    process.exitCode = 2;
    return;
  }
  const work = mkdtempSync(join(tmpdir(), 'nestjs-berbix-consumers-'));
  try {
    const tarball = pack(work);
    printRow(Object.keys(COLUMNS));
    printRow(Object.values(COLUMNS).map((width) => '-'.repeat(Math.max(width, 3))));
    for (const project of projects) {
      if (wanted.length === 0 || wanted.includes(project.name)) test(project, work, tarball);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Packs, which builds; the path of the tarball. */
function pack(work) {
  const { status, output } = run(ROOT, ['npm', 'pack', '--pack-destination', work]);
  if (status !== 0) throw new Error(`npm pack failed:\n${output}`);
  return join(
    work,
    readdirSync(work).find((file) => file.endsWith('.tgz')),
  );
}

/** Installs one project, and runs its tests on each version of Node.js. */
function test({ name, manifest }, work, tarball) {
  const folder = join(work, name);
  for (const from of [SHARED, name]) {
    cpSync(join(CONSUMERS, from), folder, { recursive: true });
  }
  const { npm, installer, args } = installerOf(manifest);
  const report = (outcome, node, { output, ms = 0 }, remarks = '') => {
    const nest = version(folder, '@nestjs/core') ?? '';
    const time = `${Math.round(ms / 1000)} s`;
    printRow([outcome, name, nest, node, installer, runner(folder), time, remarks]);
    if (outcome === 'ok') return;
    console.log(output);
    if (outcome === 'failed' || MUST_NOT_SKIP) process.exitCode = 1;
  };

  const installation = manifest.dependencies
    ? run(folder, [...npm, ...args, tarball])
    : { status: 0, ms: 0 };
  if (installation.status !== 0) {
    report('failed', process.versions.node, installation, 'not installed');
    return;
  }
  let { ms } = installation;
  for (const { node, command, missing } of nodesFor(manifest)) {
    if (missing) {
      report('skipped', node, missing, 'npm cannot fetch this Node.js');
      continue;
    }
    const result = run(folder, [...command, ...npm, 'test'], { NESTJS_BERBIX_TARBALL: tarball });
    const [, remarks] = /^result: (.*)$/m.exec(result.output) ?? [];
    ms += result.ms;
    report(result.status === 0 ? 'ok' : 'failed', node, { ...result, ms }, remarks);
    ms = 0;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The package manager of a project: how it is called, its version, and its arguments to install. */
function installerOf({ packageManager }) {
  if (packageManager === undefined) {
    const args = ['install', '--no-audit', '--no-fund', '--no-package-lock'];
    return { npm: ['npm'], installer: `npm ${NPM_VERSION}`, args };
  }
  const npm = ['npx', '--yes', packageManager];
  return { npm, installer: packageManager.replace('@', ' '), args: ['add'] };
}

/** The current Node.js, and those of `nodeVersions` that npm can fetch. */
function nodesFor({ nodeVersions = [] }) {
  const [current] = process.versions.node.split('.').map(Number);
  const others = nodeVersions.filter((major) => major !== current);
  return [{ node: process.versions.node, command: [] }, ...others.map(fetchNode)];
}

function fetchNode(major) {
  if (!fetched.has(major)) {
    const command = ['npx', '--yes', '--package', `node@${major}`, '--'];
    const result = run(ROOT, [...command, 'node', '--version']);
    const [node] = /(?<=^v)[\d.]+$/m.exec(result.output) ?? [];
    fetched.set(major, node ? { node, command } : { node: String(major), missing: result });
  }
  return fetched.get(major);
}

function run(cwd, [program, ...args], more = {}) {
  // The caller's flags are none of the project's.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: { ...env, ...more },
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: Infinity,
    timeout: MOST_MS,
  });
  const ms = performance.now() - began;
  return { status, ms, output: `${stdout}${stderr}${error ?? ''}` };
}

/** What runs the tests, with its version. */
function runner(folder) {
  for (const [name, title] of [
    ['@nestjs/cli', 'Nest CLI'],
    ['jest', 'Jest'],
    ['vitest', 'Vitest'],
    ['webpack', 'esbuild, rolldown and webpack'],
    ['typescript', 'TypeScript'],
  ]) {
    const installed = version(folder, name);
    if (installed) return `${title} ${installed}`;
  }
  return 'node:test';
}

/** Of a package in a project, or in the application that its tests have made; undefined if it is not there. */
function version(folder, name) {
  for (const application of [folder, join(folder, 'my-app')]) {
    try {
      return readJson(application, 'node_modules', name, 'package.json').version;
    } catch {
      // It is not there.
    }
  }
  return undefined;
}

/** One row of the table; GitHub shows it on the page of the run. */
function printRow(cells) {
  const widths = Object.values(COLUMNS);
  const row = `| ${cells.map((cell, index) => cell.padEnd(widths[index])).join(' | ')} |`;
  console.log(row);
  const { GITHUB_STEP_SUMMARY: summary } = process.env;
  if (summary) appendFileSync(summary, `${row}\n`);
}

/** The projects as a table in the docs, in place of the one that is there. */
async function writeDocs() {
  const rows = projects.map(({ name, manifest }) => `| \`${name}\` | ${manifest.description} |`);
  const table = ['| project | what it tries |', '| --- | --- |', ...rows].join('\n');
  const page = readFileSync(DOCS, 'utf8').replace(/^\| project [^]*?\n(?=\n)/m, `${table}\n`);
  writeFileSync(DOCS, (await format(DOCS, page)).code);
}
