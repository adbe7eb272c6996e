import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

type Reply<Answer> = { answer: Answer } | { error: string };

/** How a process is started. */
interface PeerOptions {
  args?: readonly string[];
  /** Environment variables besides those of this process. */
  env?: Record<string, string>;
  /** Flags of Node. */
  flags?: readonly string[];
}

/** Another process of a benchmark. It is asked one thing at a time, and ends with this one. */
export class Peer<Question, Answer> {
  readonly #child: ChildProcess;

  /** @param file a module that calls {@link answer} */
  constructor(file: URL, { args = [], env = {}, flags = [] }: PeerOptions = {}) {
    this.#child = fork(fileURLToPath(file), args, {
      env: { ...process.env, ...env },
      execArgv: [...flags],
    });
  }

  /** @throws {Error} with the stack of the other process, or when that has ended */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`A process of the benchmark ended (exit code ${code}); see above.`));
      this.#child.once('exit', ended);
      this.#child.once('message', (reply: Reply<Answer>) => {
        this.#child.off('exit', ended);
        if ('error' in reply) reject(new Error(reply.error));
        else resolve(reply.answer);
      });
      this.#child.send(question as object, (error) => error && reject(error));
    });
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (!this.#child.connected) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

/** The other side: answers the process that started this one, and ends with it. */
export function answer<Question, Answer>(
  handle: (question: Question) => Answer | Promise<Answer>,
): void {
  const reply = async (question: Question): Promise<void> => {
    try {
      process.send?.({ answer: await handle(question) });
    } catch (error) {
      // The official SDK throws plain objects.
      process.send?.({ error: error instanceof Error ? error.stack : inspect(error) });
    }
  };
  process.on('message', (question) => void reply(question as Question));
  process.on('disconnect', () => process.exit());
}

/** Starts a process, asks it one thing, and ends it. */
export async function askOnce<Answer>(
  file: URL,
  question: object | string,
  options?: PeerOptions,
): Promise<Answer> {
  const peer = new Peer<object | string, Answer>(file, options);
  try {
    return await peer.ask(question);
  } finally {
    await peer.stop();
  }
}
