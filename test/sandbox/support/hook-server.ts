import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { closeAfterTest } from '../../support/closing.js';
import { readAll } from './raw-client.js';

/** A webhook as it arrived. */
export interface Hook {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

/** What to do with a webhook; without an answer the caller waits. */
export type Answer = (response: ServerResponse) => void;

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(code, headers).end('noted');
}

/** The application under test, as far as webhooks go: answers 200, or what it is told to. */
export class HookServer {
  readonly hooks: Hook[] = [];
  /** One for each webhook; then 200 again. */
  readonly answers: Answer[] = [];
  readonly #server: Server & { closeAllConnections(): void };

  private constructor(private readonly tls?: { key: string; cert: string }) {
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#take(request, response);
    this.#server = tls ? createTlsServer(tls, listener) : createServer(listener);
  }

  /** One for a test. */
  static async start(tls?: { key: string; cert: string }): Promise<HookServer> {
    const server = new HookServer(tls);
    await once(server.#server.listen(0, '127.0.0.1'), 'listening');
    closeAfterTest(() => server.close());
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.tls ? 'https' : 'http'}://127.0.0.1:${port}/hook`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const { method, url: path, headers } = request;
    this.hooks.push({ method, path, headers, body });
    (this.answers.shift() ?? status(200))(response);
  }
}
