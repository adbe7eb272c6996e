import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sandboxCommand } from '../../../lib/cli/sandbox.command.js';
import { built } from '../../support/programs.js';
import { startCommand } from '../../cli/support/run-command.js';
import { closeAfterTest } from '../../support/closing.js';
import { temporaryDirectory } from '../../support/directories.js';
import { until } from '../../support/until.js';
import { readAll } from './raw-client.js';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** The command as it is shipped: `npm run build` makes it, or a private build somewhere else. */
export const MAIN = built(join(process.env.BERBIX_DIST ?? join(ROOT, 'dist/esm'), 'cli/main.js'));

export interface Run {
  child: ChildProcess;
  stdout: Promise<string>;
  stderr: Promise<string>;
  code: Promise<number | null>;
}

/** Runs the command for a test, with a state directory of its own, not that of the developer. */
export class CommandRuns {
  readonly state = temporaryDirectory('nestjs-berbix-state-');

  run(args: string[], env: NodeJS.ProcessEnv = {}, errors: 'read' | 'unread' = 'read'): Run {
    // Its PGlite ends before it is worth optimizing.
    const child = spawn(process.execPath, ['--liftoff-only', MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_STATE_HOME: this.state, LOCALAPPDATA: this.state, ...env },
    });
    closeAfterTest(() => child.kill('SIGKILL'));
    const end = errors === 'read' ? 'close' : 'exit';
    const code = once(child, end).then(([exitCode]) => exitCode as number | null);
    const stderr = errors === 'read' ? readAll(child.stderr) : Promise.resolve('');
    return { child, stdout: readAll(child.stdout), stderr, code };
  }

  /** Runs to the end. */
  async finish(...args: string[]) {
    const { stdout, stderr, code } = this.run(args);
    return { stdout: await stdout, stderr: await stderr, code: await code };
  }

  /** Runs until the first output. */
  async start(
    args: string[],
    env?: NodeJS.ProcessEnv,
    errors?: 'read' | 'unread',
  ): Promise<Run & { output: string }> {
    const running = this.run(args, env, errors);
    const output = once(running.child.stdout ?? running.child, 'data').then(([chunk]) =>
      String(chunk),
    );
    const failed = running.code.then(async () => Promise.reject(new Error(await running.stderr)));
    failed.catch(() => undefined);
    return { ...running, output: await Promise.race([output, failed]) };
  }

  /** `sandbox` in this process, until its first output; `end` ends it as a signal does. */
  async startHere(args: string[], env: NodeJS.ProcessEnv = {}) {
    const state = { XDG_STATE_HOME: this.state, LOCALAPPDATA: this.state };
    const { written, ended } = startCommand(sandboxCommand, args, { ...state, ...env });
    let isEnded = false;
    void ended.finally(() => (isEnded = true));
    await until(() => written.stdout !== '' || isEnded);
    const end = () => {
      process.emit('SIGTERM');
      return ended;
    };
    closeAfterTest(end);
    return { output: written.stdout, end };
  }
}
