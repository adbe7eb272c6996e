import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, jest } from '@jest/globals';
import { closeAfterTest } from '../support/closing.js';
import { temporaryDirectory } from '../support/directories.js';
import { changeEnvironment } from '../support/environment.js';
import { describeWith } from '../support/requirements.js';

/** A PATH with only Node.js. */
const PATH = temporaryDirectory();
symlinkSync(process.execPath, join(PATH, 'node'));

/** Runs Jest in this repository, in one process, where nothing answers and nothing is installed. */
async function runJest(args: string[], environment: NodeJS.ProcessEnv = {}) {
  // It ends before it is worth optimizing.
  const program = ['--no-opt', 'node_modules/jest/bin/jest.js', '-i'];
  const child = spawn(process.execPath, [...program, ...args], {
    env: {
      PATH,
      TEST_POSTGRES_URL: 'postgres://127.0.0.1:1/test',
      TEST_REDIS_URL: 'redis://127.0.0.1:1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

describe('npm run test:jest', () => {
  const NEEDY = [
    'test/webhooks/crash.spec.ts',
    'test/token-store/redis-cluster.spec.ts',
    'test/sandbox/hosted-browser.spec.ts',
  ];

  it('passes if only Node.js is installed, isolates spec files that run in one process, and ends with a list of what it skipped', async () => {
    const { code, stderr } = await runJest([...NEEDY, 'test/package/isolation']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('3 skipped') });
    // The tests of the two files on isolation.
    expect(stderr).toContain(' 4 passed');
    const [, list = ''] = stderr.split('\nSkipped here:\n');
    const lines = list.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^ +\d+ tests? in 1 file +need Chromium: .* CHROMIUM_PATH$/),
      expect.stringMatching(/^ +\d+ tests? in 1 file +need PostgreSQL: .* TEST_POSTGRES_URL$/),
      expect.stringMatching(/^ +\d+ tests? in 1 file +need Redis: .* TEST_REDIS_URL$/),
      expect.stringMatching(/^ +\d+ tests? in 1 file +need redis-server: .* PATH$/),
    ]);
  });

  it('fails in CI if something is missing, unless that is allowed', async () => {
    const { code, stderr } = await runJest(['test/cli/table.spec.ts'], { CI: 'true' });
    expect(code).toBe(1);
    expect(stderr).toContain('CI=true, and these tests need PostgreSQL: start one at');
    closeAfterTest(changeEnvironment({ CI: 'true', TEST_ALLOW_SKIPPED: 'true' }));
    expect(() => describeWith('PostgreSQL', false)).not.toThrow();
  });

  it('fails if no spec compares an approved file any more, once all of them have run', async () => {
    const { href } = new URL('../support/jest/end-of-run.reporter.js', import.meta.url);
    const { default: EndOfRunReporter } = (await import(href)) as {
      default: new (...options: object[]) => {
        onRunComplete: (contexts: object, results: object) => void;
        getLastError: () => Error | undefined;
      };
    };
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'pages'));
    for (const name of ['pages.spec.ts', 'README.md', 'pages/home.txt', 'pages/old.txt']) {
      writeFileSync(join(folder, name), '');
    }
    const errorAfter = (status: string, ...names: string[]) => {
      const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      const reporter = new EndOfRunReporter({ watch: true }, { approved: folder });
      const approvedFiles = names.map((name) => join(folder, name));
      const testFilePath = join(folder, 'pages.spec.ts');
      const testResults = [
        { testFilePath, approvedFiles, testResults: [{ status, ancestorTitles: [] }] },
      ];
      reporter.onRunComplete(new Set(), { testResults });
      const list = written.mock.calls.join('');
      written.mockRestore();
      // Jest does not print the error itself.
      expect(reporter.getLastError()?.message ?? '').toBe(list);
      return list;
    };
    expect(errorAfter('passed', 'pages/home.txt')).toBe(
      '\nNo spec compares these approved files any more; delete them:\n  pages/old.txt\n',
    );
    expect(errorAfter('passed', 'pages/home.txt', 'pages/old.txt')).toBe('');
    for (const status of ['failed', 'pending']) expect(errorAfter(status)).toBe('');
  });

  it('relates a file of lib to the tests that import the package by its name', async () => {
    const { stdout } = await runJest(['--listTests', '--findRelatedTests', 'lib/version.ts']);
    expect(stdout).toContain('test/package/package.spec.ts');
  });
});
