import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SandboxOptionError } from '../errors/sandbox-option.error.js';
import type { RequestListener } from '../requests/request-pipeline.js';
import type { ServerCertificate } from './certificate-authority.js';
import { answerClientError } from './client-error.js';

/** The sandbox is for this machine only. */
export const LOOPBACK = '127.0.0.1';

/**
 * Longer than any client keeps an idle connection, so that the sandbox is never the one who closes:
 * a request on a connection that is just being closed fails, which a test would see as a fault.
 */
const KEEP_ALIVE_MS = 120_000;

/** The servers of one sandbox and their connections. */
export class Listeners {
  readonly #servers: Server[] = [];
  /** By the port of the client: under TLS a request knows the encrypted side of its socket only. */
  readonly #sockets = new Map<number | undefined, Socket>();

  /** @returns the port */
  listenHttp(port: number, listener: RequestListener): Promise<number> {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
    return this.#listen(server, port, 'port');
  }

  /** @returns the port */
  listenHttps(
    port: number,
    { key, cert }: ServerCertificate,
    listener: RequestListener,
  ): Promise<number> {
    const server = createTlsServer({ key, cert, keepAliveTimeout: KEEP_ALIVE_MS }, listener);
    return this.#listen(server, port, 'tlsPort');
  }

  /** Resets the connection (RST), under TLS too. */
  readonly reset = ({ socket }: ServerResponse): void => {
    this.#sockets.get(socket?.remotePort)?.resetAndDestroy();
  };

  /** Ends all connections, also those that wait for an answer. */
  async close(): Promise<void> {
    const closed = this.#servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    });
    for (const socket of this.#sockets.values()) socket.destroy();
    await Promise.all(closed);
  }

  async #listen(server: Server, port: number, option: 'port' | 'tlsPort'): Promise<number> {
    server.on('connection', (socket: Socket) => this.#track(socket));
    server.on('clientError', answerClientError);
    try {
      await once(server.listen(port, LOOPBACK), 'listening');
    } catch (error) {
      throw listenError(option, port, error as NodeJS.ErrnoException);
    }
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  #track(socket: Socket): void {
    const port = socket.remotePort;
    this.#sockets.set(port, socket);
    socket.once('close', () => this.#sockets.delete(port));
  }
}

function listenError(option: string, port: number, error: NodeJS.ErrnoException): Error {
  const advice = 'choose another, or 0 for a free one';
  if (error.code === 'EADDRINUSE') {
    return new SandboxOptionError(option, `is ${port}, which is in use; ${advice}`);
  }
  return new SandboxOptionError(
    option,
    `is ${port}, which cannot be used (${error.code}); ${advice}`,
  );
}
