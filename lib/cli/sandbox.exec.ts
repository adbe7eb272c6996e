import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import { environmentOf, startEnvironmentOf } from './sandbox.environment.js';
import { describeStartError, parseSandboxFlags, type SandboxRun } from './sandbox.flags.js';
import { newSecrets, withSecrets } from './sandbox.secrets.js';
import { networkWarningOf } from './sandbox.summary.js';

const USAGE = `Usage: nestjs-berbix sandbox exec [options] -- <command> [arguments]

Starts a sandbox, runs the command with the variables that berbixConfig reads,
and ends with its exit code. The options are those of the sandbox, such as
--refresh-token; each run has new secrets, unless --data has some, and free
ports by default.

Example:
  nestjs-berbix sandbox exec --refresh-token rotate -- npm test
`;

/** The shell's codes for a command that does not exist, and for one that cannot be started. */
const [NOT_FOUND, NOT_STARTED] = [127, 126];

/** Signals that end programs. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * `nestjs-berbix sandbox exec`: a sandbox for one command, such as a test run in CI.
 *
 * @returns the exit code of the command, or 128 and the number of the signal that ended it; 1 if the
 * sandbox cannot start, 2 for invalid flags
 */
export async function sandboxExec(args: string[]): Promise<number> {
  const separator = args.indexOf('--');
  const flags = parseSandboxFlags(separator === -1 ? args : args.slice(0, separator));
  const [program, ...rest] = separator === -1 ? [] : args.slice(separator + 1);
  if ('help' in flags) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (separator === -1) {
    return refuse('Put -- before the command: nestjs-berbix sandbox exec -- npm test');
  }
  if ('problem' in flags) return refuse(flags.problem);
  if (!program) return refuse('A command is missing after --.');
  if (flags.json || flags.open) return refuse('sandbox exec takes neither --json nor --open.');
  const signals = new SignalForwarder();
  try {
    return await runWith([program, ...rest], flags, signals);
  } finally {
    signals.close();
  }
}

function refuse(problem: string): number {
  process.stderr.write(`${problem}\nSee npx nestjs-berbix sandbox exec --help\n`);
  return 2;
}

async function runWith(
  [program, ...args]: [string, ...string[]],
  { options, quiet, newSecrets: renew }: SandboxRun,
  signals: SignalForwarder,
): Promise<number> {
  let sandbox: BerbixSandbox;
  try {
    // Without a data directory, they are new anyway.
    sandbox = await BerbixSandbox.start(withSecrets(options, renew ? newSecrets() : undefined));
  } catch (error) {
    process.stderr.write(`${describeStartError(error)}\n`);
    return 1;
  }
  try {
    if (signals.received !== undefined) return codeOf(null, signals.received);
    process.stderr.write(networkWarningOf(options));
    if (!quiet) process.stderr.write(`The console of the sandbox is at ${sandbox.url}/\n`);
    const variables = { ...environmentOf(sandbox), ...startEnvironmentOf(sandbox) };
    const env = { ...process.env, ...variables };
    const child = start(program, () =>
      spawn(program, args, { stdio: 'inherit', env, detached: signals.needGroup }),
    );
    if (child === undefined) return NOT_STARTED;
    signals.forwardTo(child);
    return await exitCodeOf(program, child);
  } finally {
    await sandbox.close();
  }
}

/** Node emits some errors, and throws others, such as that of a path through a file. */
function start(program: string, spawned: () => ChildProcess): ChildProcess | undefined {
  try {
    return spawned();
  } catch (error) {
    process.stderr.write(notStarted(program, error as NodeJS.ErrnoException));
    return undefined;
  }
}

function notStarted(program: string, { code }: NodeJS.ErrnoException): string {
  return code === 'ENOENT'
    ? `There is no program ${JSON.stringify(program)} (${code}).\n`
    : `The program ${JSON.stringify(program)} cannot be started (${code}).\n`;
}

function exitCodeOf(program: string, child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(codeOf(code, signal)));
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(notStarted(program, error));
      resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_STARTED);
    });
  });
}

/** As a shell reports it. */
function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Passes signals to the command, which decides when to end, and to what it has started. */
class SignalForwarder {
  /**
   * Whether the command gets a group of processes of its own. At a terminal, it stays in that of the
   * terminal: it could not read from it otherwise, and Ctrl+C reaches the whole group already.
   * Windows has no groups.
   */
  readonly needGroup = process.platform !== 'win32' && !process.stdin.isTTY;
  /** The first one. */
  received: NodeJS.Signals | undefined;
  #child: ChildProcess | undefined;

  readonly #forward = (signal: NodeJS.Signals): void => {
    this.received ??= signal;
    // A terminal sends Ctrl+C to the command too, which may take a second one for impatience.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) this.#send(signal);
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#forward);
  }

  forwardTo(child: ChildProcess): void {
    this.#child = child;
  }

  #send(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    if (!this.needGroup) return void this.#child?.kill(signal);
    try {
      process.kill(-pid, signal);
    } catch {
      // All of it has ended by itself.
    }
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#forward);
  }
}
