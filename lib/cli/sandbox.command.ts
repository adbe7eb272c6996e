import { once } from 'node:events';
import { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import { openInBrowser } from './open-in-browser.js';
import { printActivity } from './sandbox.activity.js';
import { sandboxExec } from './sandbox.exec.js';
import {
  describeStartError,
  parseSandboxFlags,
  SANDBOX_USAGE,
  type SandboxRun,
} from './sandbox.flags.js';
import {
  keptSecrets,
  type KeptSecrets,
  newSecrets,
  renewSecrets,
  withSecrets,
} from './sandbox.secrets.js';
import { networkWarningOf, summaryOf } from './sandbox.summary.js';

/**
 * `nestjs-berbix sandbox`: runs until SIGINT or SIGTERM.
 *
 * @returns 0 after a clean end, 1 if it cannot start, 2 for invalid flags
 */
export async function sandboxCommand(args: string[]): Promise<number> {
  if (args[0] === 'exec') return sandboxExec(args.slice(1));
  const flags = parseSandboxFlags(args);
  if ('help' in flags) {
    process.stdout.write(SANDBOX_USAGE);
    return 0;
  }
  if ('problem' in flags) {
    process.stderr.write(`${flags.problem}\nSee npx nestjs-berbix sandbox --help\n`);
    return 2;
  }
  // From here on, so that a signal during the start is not lost.
  const signal = listenForSignal();
  let kept: KeptSecrets | undefined;
  let sandbox: BerbixSandbox;
  try {
    kept = secretsFor(flags);
    sandbox = await BerbixSandbox.start(withSecrets(flags.options, kept?.secrets));
  } catch (error) {
    signal.ignore();
    // It may be the reason.
    printProblem(kept);
    process.stderr.write(`${describeStartError(error)}\n`);
    return 1;
  }
  if (!flags.quiet) printActivity(sandbox);
  process.stderr.write(networkWarningOf(flags.options));
  printProblem(kept);
  process.stdout.write(flags.json ? `${JSON.stringify(sandbox.ready())}\n` : summaryOf(sandbox));
  if (flags.open) openInBrowser(sandbox.url);
  await signal.received;
  await sandbox.close();
  // Unread lines would keep the process alive.
  if (process.stderr.writableLength > 0) process.exit(0);
  return 0;
}

/** The first SIGINT or SIGTERM; another one ends the process as usual. */
function listenForSignal(): { received: Promise<unknown>; ignore: () => void } {
  const ignored = new AbortController();
  const { signal } = ignored;
  const ignore = (): void => ignored.abort();
  const received = Promise.race([
    once(process, 'SIGINT', { signal }),
    once(process, 'SIGTERM', { signal }),
  ]).finally(ignore);
  // It rejects when it is ignored.
  received.catch(() => undefined);
  return { received, ignore };
}

function printProblem(kept: KeptSecrets | undefined): void {
  if (kept?.problem !== undefined) process.stderr.write(`${kept.problem}\n`);
}

/** A data directory keeps its own secrets, unless new ones are requested. */
function secretsFor({
  options: { dataDir },
  newSecrets: renew,
}: SandboxRun): KeptSecrets | undefined {
  if (dataDir !== undefined) return renew ? { secrets: newSecrets() } : undefined;
  return renew ? renewSecrets() : keptSecrets();
}
