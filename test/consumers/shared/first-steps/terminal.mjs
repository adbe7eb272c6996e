// Commands as in a terminal, with what they print.
import { equal, notEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** For one command to become ready, and to end. */
const LIMIT_MS = 600_000;

export class Terminal {
  constructor(cwd, env) {
    this.cwd = cwd;
    this.env = { ...process.env, ...env };
  }

  /** Runs a command to its end; what it printed. */
  async run(command) {
    const { child, printed } = this.#spawn(command);
    const timer = setTimeout(() => kill(child, 'SIGKILL'), LIMIT_MS);
    const [status] = await once(child, 'close');
    clearTimeout(timer);
    equal(status, 0, `${command} ended with ${status}:\n${printed()}`);
    return printed();
  }

  /** Starts a command and waits until it prints a text; how to end it with Ctrl+C. */
  async start(command, ready) {
    const { child, printed } = this.#spawn(command);
    const closed = once(child, 'close');
    await new Promise((resolve, reject) => {
      const fail = (what) => reject(new Error(`${command} ${what}:\n${printed()}`));
      const timer = setTimeout(() => fail('is not ready'), LIMIT_MS);
      child.stdout.on('data', () => {
        if (printed().includes(ready)) resolve(clearTimeout(timer));
      });
      child.on('close', () => fail('ended'));
    }).catch((error) => {
      kill(child, 'SIGKILL');
      throw error;
    });
    return async () => {
      kill(child, 'SIGINT');
      const timer = setTimeout(() => kill(child, 'SIGKILL'), LIMIT_MS);
      const [, signal] = await closed;
      clearTimeout(timer);
      notEqual(signal, 'SIGKILL', `${command} does not end with Ctrl+C:\n${printed()}`);
    };
  }

  /** In a process group of its own, as a shell with job control does it. */
  #spawn(command) {
    const child = spawn('sh', ['-c', command], {
      cwd: this.cwd,
      env: this.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    return { child, printed: () => output };
  }
}

/** The command and all that it started. */
function kill({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
