// Builds, then runs Jest and, beside it, the npm scripts that are named, command after command:
// node scripts/test.mjs lint check:package -- test/tokens
//
// Each command runs to its end, even if another one fails. The output of Jest appears as it comes. At
// the end, the output of each failed check follows, then a line for each command.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, resolve } from 'node:path';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const separator = process.argv.indexOf('--');
const names = process.argv.slice(2, separator < 0 ? undefined : separator);
const jestArguments = separator < 0 ? [] : process.argv.slice(separator + 1);
const unknown = names.filter((name) => scripts[name] === undefined);
if (unknown.length > 0) {
  console.error(`No such npm script: ${unknown.join(', ')}`);
  process.exit(2);
}

/** A group of processes for each command, which ends as a whole; Windows has no such groups. */
const detached = process.platform !== 'win32';
const running = new Set();
let signal;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    signal ??= name;
    for (const child of running) kill(child);
  });
}

const build = await run('build', process.execPath, ['scripts/build.mjs', '--apps'], 'inherit');
const [jest, checks] = await Promise.all([
  // What the tests start is not there without the build.
  build.code === 0
    ? run('jest', process.execPath, ['node_modules/jest/bin/jest.js', ...jestArguments], 'inherit')
    : { title: 'jest' },
  runChecks(names.flatMap((name) => scripts[name].split(' && '))),
]);
const results = [build, ...checks, jest];
report(results);
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
if (signal !== undefined) process.exitCode = 128 + constants.signals[signal];

/** One after the other: Jest has its share of the cores. */
async function runChecks(commands) {
  const done = [];
  for (const command of commands) {
    const result = await run(command, command, [], 'pipe');
    if (result.code !== 0 && signal === undefined) console.error(`FAILED: ${command}`);
    done.push(result);
  }
  return done;
}

/** Runs a program, or a command line. Without a code, a signal has ended it. */
function run(title, program, parameters, stdio) {
  if (signal !== undefined) return { title };
  const start = performance.now();
  const output = [];
  const child = spawn(program, parameters, {
    shell: parameters.length === 0,
    detached,
    env: { ...process.env, PATH: [resolve('node_modules/.bin'), process.env.PATH].join(delimiter) },
    stdio: ['ignore', stdio, stdio],
  });
  running.add(child);
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  return new Promise((resolveRun, reject) => {
    child.once('error', reject).once('close', (code) => {
      running.delete(child);
      const seconds = (performance.now() - start) / 1_000;
      resolveRun({ title, code, seconds, output: Buffer.concat(output).toString() });
    });
  });
}

function kill({ pid }) {
  try {
    process.kill(detached ? -pid : pid, 'SIGTERM');
  } catch (error) {
    // It has ended by itself.
    if (error.code !== 'ESRCH') throw error;
  }
}

function report(all) {
  for (const { title, code, output } of all) {
    if (code !== 0 && output) console.error(`\n$ ${title}\n${output.trimEnd()}`);
  }
  const lines = all.map(({ title, code = null, seconds = 0 }) => {
    const result = code === null ? 'not run' : code === 0 ? 'passed' : 'FAILED';
    return `${result.padEnd(8)} ${`${seconds.toFixed(0)} s`.padStart(5)}  ${title}`;
  });
  console.error(`\n${lines.join('\n')}`);
}
