import { spawn } from 'node:child_process';
import { jest } from '@jest/globals';
import { built } from '../support/built.js';

/** Runs a command of the command line in this process, and keeps what it writes. */
export async function runCommand(
  command: (args: string[]) => number | Promise<number>,
  args: string[],
) {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await command(args), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs the built command line in a process of its own; with nothing on standard input by default. */
export async function runBuilt(
  args: string[],
  environment: Record<string, string | undefined> = {},
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [built('dist/esm/cli/main.js'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  // It may end without having read it.
  child.stdin.on('error', () => {}).end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
