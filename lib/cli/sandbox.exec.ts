import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import type { BerbixSandboxOptions } from '../sandbox/options.js';
import { environmentOf, startEnvironmentOf } from './sandbox.environment.js';
import { describeStartError, parseSandboxFlags } from './sandbox.flags.js';
import { networkWarningOf } from './sandbox.summary.js';

const USAGE = `Usage: nestjs-berbix sandbox exec [options] -- <command> [arguments]

Starts a sandbox, runs the command with the variables that berbixConfig reads,
and ends with its exit code. The options are those of the sandbox, such as
--refresh-token; each run has new secrets, and free ports by default.

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
  if ('problem' in flags) return refuse(flags.problem);
  if (!program) return refuse('A command is missing after --.');
  if (flags.json || flags.open) return refuse('exec prints nothing itself, and opens no page.');
  const signals = new SignalForwarder();
  try {
    return await runWith(program, rest, flags.options, signals);
  } finally {
    signals.close();
  }
}

function refuse(problem: string): number {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  return 2;
}

async function runWith(
  program: string,
  args: string[],
  options: BerbixSandboxOptions,
  signals: SignalForwarder,
): Promise<number> {
  let sandbox: BerbixSandbox;
  try {
    sandbox = await BerbixSandbox.start(options);
  } catch (error) {
    process.stderr.write(`${describeStartError(error)}\n`);
    return 1;
  }
  try {
    if (signals.received !== undefined) return codeOf(null, signals.received);
    process.stderr.write(networkWarningOf(options));
    const variables = { ...environmentOf(sandbox), ...startEnvironmentOf(sandbox) };
    const env = { ...process.env, ...variables };
    const child = start(() => spawn(program, args, { stdio: 'inherit', env }));
    if (child === undefined) return NOT_STARTED;
    signals.forwardTo(child);
    return await exitCodeOf(child);
  } finally {
    await sandbox.close();
  }
}

/** Node emits some errors, and throws others, such as that of a path through a file. */
function start(spawned: () => ChildProcess): ChildProcess | undefined {
  try {
    return spawned();
  } catch (error) {
    process.stderr.write(notStarted(error as NodeJS.ErrnoException));
    return undefined;
  }
}

function notStarted({ code }: NodeJS.ErrnoException): string {
  return `The command cannot be started (${code}).\n`;
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(codeOf(code, signal)));
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(notStarted(error));
      resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_STARTED);
    });
  });
}

/** As a shell reports it. */
function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Passes signals to the command, which decides when to end. */
class SignalForwarder {
  /** The first one. */
  received: NodeJS.Signals | undefined;
  #child: ChildProcess | undefined;

  readonly #forward = (signal: NodeJS.Signals): void => {
    this.received ??= signal;
    // A terminal sends Ctrl+C to the command too, which may take a second one for impatience.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) this.#child?.kill(signal);
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#forward);
  }

  forwardTo(child: ChildProcess): void {
    this.#child = child;
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#forward);
  }
}
