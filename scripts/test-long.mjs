// Runs the tests that have a long form in it: a thousand runs of each property, many kills of a fleet.
import { spawnSync } from 'node:child_process';

const HOUR_MS = 3_600_000;

const build = spawnSync(process.execPath, ['scripts/build.mjs', '--apps'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/jest/bin/jest.js',
    `--testTimeout=${HOUR_MS}`,
    '--findRelatedTests',
    'test/support/long.ts',
    ...process.argv.slice(2),
  ],
  { env: { ...process.env, TEST_LONG: 'true' }, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
