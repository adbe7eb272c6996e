import { setImmediate as turn } from 'node:timers/promises';
import { runCommand } from './run-command.js';

let runs = 0;

/** Runs the command line in this process, as it is in the sources. */
export function runMain(args: string[]): ReturnType<typeof runCommand> {
  return runCommand(async () => {
    const [argv, exitCode] = [process.argv, process.exitCode];
    const listeners = new Set(process.stdout.listeners('error'));
    process.argv = [...argv.slice(0, 2), ...args];
    process.exitCode = undefined;
    try {
      // Each run is a module of its own.
      runs += 1;
      await import(`../../../lib/cli/main.js?run=${runs}`);
      while (process.exitCode === undefined) await turn();
      return Number(process.exitCode);
    } finally {
      Object.assign(process, { argv, exitCode });
      for (const listener of process.stdout.listeners('error')) {
        if (!listeners.has(listener)) process.stdout.off('error', listener as () => void);
      }
    }
  }, []);
}
