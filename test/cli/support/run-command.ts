import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { jest } from '@jest/globals';
import { built } from '../../support/programs.js';
import { changeEnvironment } from '../../support/environment.js';

type Environment = Record<string, string | undefined>;

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a command of the command line in this process and records its output, with an empty
 * standard input by default.
 */
export async function runCommand(
  command: (args: string[]) => number | Promise<number>,
  args: string[],
  environment: Environment = {},
  input = '',
): Promise<Ended> {
  return startCommand(command, args, environment, input).ended;
}

/** The same, with access to what it has written so far. Only one can run at a time. */
export function startCommand(
  command: (args: string[]) => number | Promise<number>,
  args: string[],
  environment: Environment = {},
  input = '',
): { written: Omit<Ended, 'code'>; ended: Promise<Ended> } {
  const written = { stdout: '', stderr: '' };
  const outputs = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  const stdin = Readable.from([input]) as typeof process.stdin;
  const spies = [jest.spyOn(process, 'stdin', 'get').mockReturnValue(stdin), ...outputs];
  const restoreEnvironment = changeEnvironment(environment);
  const run = async (): Promise<Ended> => {
    try {
      return { code: await command(args), ...written };
    } finally {
      restoreEnvironment();
      for (const spy of spies) spy.mockRestore();
    }
  };
  return { written, ended: run() };
}

/** Runs the built command line in a process of its own, with an empty standard input by default. */
export async function runBuilt(
  args: string[],
  environment: Environment = {},
  input = '',
): Promise<Ended> {
  const child = spawn(process.execPath, [built('dist/esm/cli/main.js'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  // The process may end without reading its input.
  child.stdin.on('error', () => {}).end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
