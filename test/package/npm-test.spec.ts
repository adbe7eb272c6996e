import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directories.js';
import { until } from '../support/until.js';

/** A project whose build, checks and Jest are these programs. */
let project: string;

beforeEach(() => {
  project = temporaryDirectory();
  cpSync('scripts/test.mjs', join(project, 'scripts/test.mjs'));
  write('scripts/build.mjs', 'console.log("built")');
  write('node_modules/jest/bin/jest.js', 'console.log("tested", ...process.argv.slice(2))');
  write('first.mjs', 'console.log("first")');
  const scripts = { lint: 'node first.mjs && echo second', package: 'echo third' };
  write('package.json', JSON.stringify({ scripts }));
});

function write(file: string, content: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), content);
}

function start(...names: string[]) {
  const child = spawn(process.execPath, ['scripts/test.mjs', ...names], { cwd: project });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  return {
    child,
    async result() {
      const [stdout, stderr] = await output;
      return { code: await ended, stdout, stderr, summary: summaryOf(stderr) };
    },
  };
}

/** The summary in the last lines, without the times. */
const summaryOf = (stderr: string): string[] =>
  [...stderr.matchAll(/^(passed|FAILED|not run) +\d+ s {2}(.*)$/gm)].map(
    ([, result, title]) => `${result} ${title}`,
  );

describe('npm test', () => {
  it('builds, then runs Jest and the checks', async () => {
    const { code, stdout, summary } = await start('lint', 'package', '--', 'a b', '-t').result();
    expect(code).toBe(0);
    expect(stdout).toBe('built\ntested a b -t\n');
    const checks = ['passed node first.mjs', 'passed echo second', 'passed echo third'];
    expect(summary).toEqual(['passed build', ...checks, 'passed jest']);
  });

  it('says which check failed and why, and still runs the others', async () => {
    write('first.mjs', 'console.log("a reason"); process.exitCode = 3');
    const { code, stdout, stderr, summary } = await start('lint', 'package').result();
    expect(code).toBe(1);
    expect(stdout).toBe('built\ntested\n');
    expect(stderr).toContain('$ node first.mjs\na reason\n');
    const others = ['passed echo second', 'passed echo third'];
    expect(summary).toEqual(['passed build', 'FAILED node first.mjs', ...others, 'passed jest']);
  });

  it('runs the checks if a test failed', async () => {
    write('node_modules/jest/bin/jest.js', 'process.exitCode = 1');
    const { code, summary } = await start('package').result();
    expect({ code, summary }).toEqual({
      code: 1,
      summary: ['passed build', 'passed echo third', 'FAILED jest'],
    });
  });

  it('runs only the checks if the build failed', async () => {
    write('scripts/build.mjs', 'process.exitCode = 1');
    const { code, summary } = await start('package').result();
    expect({ code, summary }).toEqual({
      code: 1,
      summary: ['FAILED build', 'passed echo third', 'not run jest'],
    });
  });

  it('rejects an unknown script', async () => {
    const { code, stderr } = await start('lent').result();
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'No such npm script: lent\n' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends all its child processes on %s', async (signal) => {
    const waiting = `
      import { spawn } from 'node:child_process';
      import { renameSync, writeFileSync } from 'node:fs';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      const file = process.argv[1].replace(/.m?js$/, '.pids');
      writeFileSync(file + '.new', JSON.stringify([process.pid, child.pid]));
      renameSync(file + '.new', file);`;
    write('node_modules/jest/package.json', '{"type":"module"}');
    write('node_modules/jest/bin/jest.js', waiting);
    write('first.mjs', waiting);
    const run = start('lint');
    const files = ['node_modules/jest/bin/jest.pids', 'first.pids'];
    const pids: number[] = [];
    for (const file of files) {
      const read = () => readFileSync(join(project, file), 'utf8');
      await until(() => isDone(read));
      pids.push(...(JSON.parse(read()) as number[]));
    }
    run.child.kill(signal);
    const { code, summary } = await run.result();
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(summary).toEqual([
      'passed build',
      'not run node first.mjs',
      'not run echo second',
      'not run jest',
    ]);
    expect(pids).toHaveLength(4);
    await until(() => pids.every((pid) => !isDone(() => process.kill(pid, 0))));
  });
});

/** Whether the action does not throw. */
function isDone(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
