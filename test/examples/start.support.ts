import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../support/built.js';
import { closeAfterTest } from '../support/services.js';

const MAIN = built('build/examples/backend/main.js');

/** How a run of the command ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A run of the command. */
export interface Run {
  /** Resolves with all output so far when it contains the text; rejects when it ends without. */
  shows(text: string): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

export const createDirectory = (): Promise<string> =>
  mkdtemp(join(tmpdir(), 'nestjs-berbix-start-'));

export const removeDirectory = (directory: string): Promise<void> =>
  rm(directory, { recursive: true, force: true });

/** A directory for one test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await createDirectory();
  closeAfterTest(() => removeDirectory(directory));
  return directory;
}

/** `npm start -- …args`, after its build; from a directory without an `.env`. */
export function start(
  directory: string,
  args: string[],
  environment: Record<string, string> = {},
): Run {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing. Run: npm run build:apps`);
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory,
    env: { ...cleanEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that fails leaves nothing running.
  closeAfterTest(async () => child.kill('SIGKILL'));
  return watch(child);
}

function watch(child: ChildProcess): Run {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
      child.emit('output');
    });
  }
  const ended = new Promise<Ended>((done) =>
    child.once('close', (code) => done({ code, ...output })),
  );
  const shows = (text: string): Promise<string> =>
    new Promise((found, missed) => {
      const look = (): void => {
        if (output.stdout.includes(text)) found(output.stdout);
      };
      child.on('output', look);
      child.once('close', () => missed(new Error(output.stdout + output.stderr)));
      look();
    });
  return { shows, ended, kill: (signal) => child.kill(signal) };
}

/** Nothing of the machine decides what a run does. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(BERBIX_|PORT$|DATA_DIR$|DATABASE_URL$|REDIS_URL$|NODE_OPTIONS$)/.test(name),
  );
  return Object.fromEntries(entries);
}
