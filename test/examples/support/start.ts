import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import type { Database } from '../../../examples/backend/database/database.js';
import { PgliteDatabase } from '../../../examples/backend/database/pglite.database.js';
import { runDemo, sentenceOf } from '../../../examples/backend/demo/run-demo.js';
import { built } from '../../support/programs.js';
import { closeAfterTest } from '../../support/closing.js';
import { temporaryDirectory } from '../../support/directories.js';
import { changeEnvironment } from '../../support/environment.js';
import { databaseTemplate } from '../../support/pglite.js';
import { sharedPglite } from '../../support/servers.js';

const MAIN = built('build/examples/backend/main.js');

/** How a run of the command ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A run of the command. */
export interface Run {
  /** Resolves with all output so far when it contains the text; rejects if it ends before. */
  shows(text: string): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

/** A directory in which the command finds empty databases with these names. */
export async function preparedDirectory(...names: string[]): Promise<string> {
  const directory = temporaryDirectory();
  for (const name of names) {
    const database = join(directory, '.data', 'backend', name, 'postgres');
    await cp(await databaseTemplate(), database, { recursive: true });
  }
  return directory;
}

/** Runs `npm start -- …args`, without its build, in a directory without an `.env`. */
export function start(
  directory: string,
  args: string[],
  environment: Record<string, string> = {},
): Run {
  // It ends before it is worth optimizing.
  const child = spawn(process.execPath, ['--liftoff-only', '--no-opt', MAIN, ...args], {
    cwd: directory,
    env: { ...cleanEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Stops it if the test fails.
  closeAfterTest(async () => child.kill('SIGKILL'));
  return { ...watchChild(child), kill: (signal) => child.kill(signal) };
}

/**
 * The same in this process, which is faster; any signal stops it. Concurrent runs need the same
 * directory and environment.
 */
export function startHere(
  directory: string,
  args: string[],
  environment: Record<string, string> = {},
): Run {
  const workingDirectory = process.cwd();
  const others = Object.fromEntries(variablesOfTheCommand().map((name) => [name, undefined]));
  const restoreEnvironment = changeEnvironment({ ...others, ...environment });
  process.chdir(directory);
  const output = new EventEmitter();
  const print = (line: string): boolean => output.emit('stdout', `${line}\n`);
  const run = watch(output);
  const stop = once(output, 'stop');
  const ended = runDemo(args, stop, print)
    .then(
      () => 0,
      (error: unknown) => {
        output.emit('stderr', `${sentenceOf(error)}\n`);
        return 1;
      },
    )
    .then((code) => output.emit('close', code));
  closeAfterTest(async () => {
    output.emit('stop');
    await ended;
    restoreEnvironment();
    process.chdir(workingDirectory);
  });
  return { ...run, kill: () => output.emit('stop') };
}

/** Runs `startHere` with `--once` until it ends. */
export async function startOnce(
  directory: string,
  environment: Record<string, string> = {},
  ...args: string[]
): Promise<Ended> {
  return startHere(directory, ['--once', ...args], environment).ended;
}

/**
 * For one test: if a run in this process would open the database in a directory, it gets a schema
 * in a database in memory, which is faster.
 */
export async function storeInMemory(): Promise<void> {
  const pglite = await sharedPglite();
  const open = jest.spyOn(PgliteDatabase, 'open').mockImplementation(async (directory) => {
    const location = resolve(directory);
    const schema = `s${createHash('md5').update(location).digest('hex')}`;
    await pglite.exec(`CREATE SCHEMA IF NOT EXISTS ${schema}; SET search_path TO ${schema}`);
    const database: Database = { location, query: (sql, values) => pglite.query(sql, values) };
    return database as PgliteDatabase;
  });
  closeAfterTest(async () => open.mockRestore());
}

function watch(source: EventEmitter): Omit<Run, 'kill'> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    source.on(name, (text: string) => (output[name] += text));
  }
  const ended = once(source, 'close').then(([code]): Ended => ({ code, ...output }));
  const shows = (text: string): Promise<string> =>
    new Promise((found, missed) => {
      const look = (): void => {
        if (output.stdout.includes(text)) found(output.stdout);
      };
      source.on('stdout', look);
      void ended.then(({ stdout, stderr }) => missed(new Error(stdout + stderr)));
      look();
    });
  return { shows, ended };
}

function watchChild(child: ChildProcess): Omit<Run, 'kill'> {
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => child.emit(name, text));
  }
  return watch(child);
}

/** The environment without the variables that the command reads. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of variablesOfTheCommand()) delete env[name];
  return env;
}

function variablesOfTheCommand(): string[] {
  return Object.keys(process.env).filter((name) =>
    /^(BERBIX_|PORT$|DATA_DIR$|DATABASE_URL$|REDIS_URL$|OTEL_EXPORTER_OTLP_ENDPOINT$|NODE_OPTIONS$)/.test(
      name,
    ),
  );
}
