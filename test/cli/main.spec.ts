import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directories.js';
import { built } from '../support/programs.js';

/** Starts the built command line with pipes for its output. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [built('dist/esm/cli/main.js'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise((resolve) =>
    child.on('close', (code) => resolve({ code, stderr })),
  ) as Promise<{ code: number | null; stderr: string }>;
  return { child, ended };
}

/** Linux has a disk that is always full. */
const describeOnLinux = existsSync('/dev/full') ? describe : describe.skip;

describe('nestjs-berbix', () => {
  it.each([['table', 'sql'], ['--help']])(
    'ends without a stack trace if nobody reads the output of %s',
    async (...args) => {
      const { child, ended } = start(...args);
      child.stdout.destroy();
      await expect(ended).resolves.toEqual({ code: 1, stderr: '' });
    },
  );

  it('ends with 1 after an error that nobody expects, and shows where it comes from', async () => {
    const unreadable = openSync(join(temporaryDirectory(), 'file'), 'w');
    const child = spawn(process.execPath, [built('dist/esm/cli/main.js'), 'refresh'], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: [unreadable, 'ignore', 'pipe'],
    });
    closeSync(unreadable);
    let stderr = '';
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^Error: EBADF/) });
  });
});

describeOnLinux('nestjs-berbix on a full disk', () => {
  it('says why its output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [built('dist/esm/cli/main.js'), 'table', 'sql'], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'Standard output cannot be written (ENOSPC).\n',
    });
  });
});
