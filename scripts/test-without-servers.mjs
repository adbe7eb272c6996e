// Runs the tests that need a server or a program beside Node.js where there is none of them: those that
// can run still pass, and the run ends with a list of the others.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { CHROMIUM_PATH: _, ...env } = process.env;
const path = mkdtempSync(join(tmpdir(), 'nestjs-berbix-path-'));
try {
  symlinkSync(process.execPath, join(path, 'node'));
  const { status } = spawnSync(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      '--findRelatedTests',
      'test/support/requirements.ts',
      ...process.argv.slice(2),
    ],
    {
      env: {
        ...env,
        PATH: path,
        TEST_POSTGRES_URL: 'postgres://127.0.0.1:1/test',
        TEST_REDIS_URL: 'redis://127.0.0.1:1',
        TEST_ALLOW_SKIPPED: 'true',
      },
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(path, { recursive: true });
}
