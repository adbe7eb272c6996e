import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directories.js';
import { built } from '../support/programs.js';

/** Starts the built command line; what is not a file is a pipe, and standard input is empty. */
function start(args: string[], { stdin, stdout }: { stdin?: number; stdout?: number } = {}) {
  const child = spawn(process.execPath, [built('dist/esm/cli/main.js'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: [stdin ?? 'ignore', stdout ?? 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
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
      const { child, ended } = start(args);
      child.stdout?.destroy();
      await expect(ended).resolves.toEqual({ code: 1, stderr: '' });
    },
  );

  it('exits with 1 after an unexpected error, and prints it', async () => {
    const stdin = openSync(join(temporaryDirectory(), 'file'), 'w');
    const { ended } = start(['refresh'], { stdin });
    closeSync(stdin);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: EBADF: bad file descriptor, read\n/);
  });
});

describeOnLinux('nestjs-berbix on a full disk', () => {
  it('says why its output cannot be written', async () => {
    const stdout = openSync('/dev/full', 'w');
    const { ended } = start(['table', 'sql'], { stdout });
    closeSync(stdout);
    await expect(ended).resolves.toEqual({
      code: 1,
      stderr: 'Standard output cannot be written (ENOSPC).\n',
    });
  });
});
