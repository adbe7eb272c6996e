import { equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const [major, minor] = process.versions.node.split('.').map(Number);
const isStable = major > 22 || (major === 22 && minor >= 13);

test('needs no permission but to read the application, and the network', () => {
  const args = [
    isStable ? '--permission' : '--experimental-permission',
    `--allow-fs-read=${process.cwd()}/`,
    ...(major < 25 ? [] : ['--allow-net']),
    'permissions.mjs',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  equal(status, 0, `${stdout}${stderr}`);
});
