import { once } from 'node:events';
import { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import { SandboxOptionError } from '../sandbox/errors/sandbox-option.error.js';
import { parseSandboxFlags, SANDBOX_USAGE, flagOf } from './sandbox.flags.js';
import { summaryOf } from './sandbox.summary.js';

/**
 * `nestjs-berbix sandbox`: runs until SIGINT or SIGTERM.
 *
 * @returns 0 after a clean end, 1 if it cannot start, 2 for flags that cannot be used
 */
export async function sandboxCommand(args: string[]): Promise<number> {
  const flags = parseSandboxFlags(args);
  if ('help' in flags) {
    process.stdout.write(SANDBOX_USAGE);
    return 0;
  }
  if ('problem' in flags) {
    process.stderr.write(`${flags.problem}\n\n${SANDBOX_USAGE}`);
    return 2;
  }
  // Listened for from here on, so that a signal during the start is not lost.
  const signal = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  let sandbox: BerbixSandbox;
  try {
    sandbox = await BerbixSandbox.start(flags.options);
  } catch (error) {
    process.stderr.write(`${sentenceOf(error)}\n`);
    return 1;
  }
  const ready = sandbox.ready();
  process.stdout.write(flags.json ? `${JSON.stringify(ready)}\n` : summaryOf(ready));
  await signal;
  await sandbox.close();
  return 0;
}

/** People here know flags, not options. */
function sentenceOf(error: unknown): string {
  if (error instanceof SandboxOptionError) return `${flagOf(error.option)} ${error.problem}.`;
  return error instanceof Error ? error.message : String(error);
}
