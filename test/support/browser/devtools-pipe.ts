import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { within } from './within.js';

export type Message = Record<string, unknown>;

/** Messages of the DevTools protocol over a pipe: JSON, each followed by a NUL. */
export class DevToolsPipe extends EventEmitter {
  readonly #answers = new Map<unknown, (answer: Message) => void>();
  #sent = 0;
  #rest = '';
  #ended: Message | undefined;

  constructor(
    private readonly output: Writable,
    input: Readable,
  ) {
    super();
    input.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (this.#rest + chunk).split('\0');
      this.#rest = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
    for (const end of [input, output]) {
      // A write to a pipe that has ended also emits an error event.
      end.on('error', () => {}).once('close', () => this.#end('Chromium has ended'));
    }
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  async send(method: string, params: object = {}, sessionId?: string): Promise<Message> {
    const id = (this.#sent += 1);
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    if (this.#ended === undefined) {
      this.output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    }
    const { error, result } = this.#ended ?? (await within(method, answer));
    this.#answers.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Message;
  }

  #take(message: Message): void {
    const { id, method, params, sessionId } = message;
    if (id !== undefined) return this.#answers.get(id)?.(message);
    if (method === 'Inspector.targetCrashed') return this.#end('A page of Chromium has crashed');
    this.emit(`${String(sessionId)} ${String(method)}`, params);
  }

  #end(error: string): void {
    this.#ended ??= { error };
    for (const answer of this.#answers.values()) answer(this.#ended);
  }
}
