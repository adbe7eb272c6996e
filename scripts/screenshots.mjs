// Takes the pictures in docs/images from a sandbox that runs. It needs Chromium.
import { spawnSync } from 'node:child_process';

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const { status } = spawnSync(
  process.execPath,
  ['node_modules/jest/bin/jest.js', 'test/sandbox/console/screenshots.spec.ts'],
  { env: { ...process.env, SCREENSHOTS: 'docs/images' }, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
