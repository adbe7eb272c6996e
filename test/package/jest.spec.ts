import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';

const FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

/** A PATH with Node.js and nothing else. */
const PATH = mkdtempSync(join(tmpdir(), 'nestjs-berbix-path-'));
symlinkSync(process.execPath, join(PATH, 'node'));
afterAll(() => rmSync(PATH, { recursive: true }));

/** Runs Jest in this repository, where nothing answers and nothing is installed. */
async function runJest(flags: string[], args: string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...args], {
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
  const SUITES = [
    'test/webhooks/crash.spec.ts',
    'test/token-store/redis-cluster.spec.ts',
    'test/sandbox/hosted-browser.spec.ts',
  ];
  const ON_PURPOSE = { CI: 'true', TEST_ALLOW_SKIPPED: 'true' };

  it('passes where nothing but Node.js is installed, and ends with what it skipped', async () => {
    const { code, stderr } = await runJest(FLAGS, SUITES, ON_PURPOSE);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('3 skipped') });
    const [, list = ''] = stderr.split('\nSkipped here:\n');
    const lines = list.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^ +\d+ tests in 1 file +need Chromium: .* CHROMIUM_PATH$/),
      expect.stringMatching(/^ +\d+ tests in 1 file +need PostgreSQL: .* TEST_POSTGRES_URL$/),
      expect.stringMatching(/^ +\d+ tests in 1 file +need Redis: .* TEST_REDIS_URL$/),
      expect.stringMatching(/^ +\d+ tests in 1 file +need redis-server: .* PATH$/),
    ]);
  });

  it('fails in CI where something is missing and nothing says that this is on purpose', async () => {
    const { code, stderr } = await runJest(FLAGS, SUITES.slice(0, 1), { CI: 'true' });
    expect(code).toBe(1);
    expect(stderr).toContain('CI=true, and these tests need PostgreSQL: start one at');
  });

  it('runs in watch mode the tests of what is changed in lib', async () => {
    const { stdout } = await runJest(FLAGS, [
      '--listTests',
      '--findRelatedTests',
      'lib/version.ts',
    ]);
    expect(stdout).toContain('test/package/package.spec.ts');
  });
});

describe('npx jest', () => {
  it('says what to type', async () => {
    const { code, stdout, stderr } = await runJest([], ['test/webhooks']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The tests [^\n]* Run: npm run test:jest -- <path>\n$/);
  });
});
