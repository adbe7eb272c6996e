import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SandboxOptionError } from '../errors/sandbox-option.error.js';
import type { RequestListener } from '../requests/request-pipeline.js';
import type { ServerCertificate } from './certificate-authority.js';
import { answerClientError } from './client-error.js';

/**
 * Longer than any client keeps an idle connection, so that the sandbox is never the one who closes:
 * a request on a connection that is just being closed fails, which a test would see as a fault.
 */
const KEEP_ALIVE_MS = 120_000;

/** The servers of one sandbox and their connections. */
export class Listeners {
  readonly #servers: Server[] = [];
  /** By the address of the client: under TLS a request knows the encrypted side of its socket only. */
  readonly #sockets = new Map<string, Socket>();

  /** @param host the IP address to listen on */
  constructor(private readonly host: string) {}

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
    if (socket) this.#sockets.get(addressOf(socket))?.resetAndDestroy();
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
      await once(server.listen(port, this.host), 'listening');
    } catch (error) {
      throw this.#listenError(option, port, error as NodeJS.ErrnoException);
    }
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  #track(socket: Socket): void {
    const address = addressOf(socket);
    this.#sockets.set(address, socket);
    socket.once('close', () => this.#sockets.delete(address));
  }

  #listenError(option: string, port: number, { code }: NodeJS.ErrnoException): Error {
    if (code === 'EADDRNOTAVAIL') {
      return new SandboxOptionError('host', `is ${this.host}, which this machine does not have`);
    }
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
    return new SandboxOptionError(
      option,
      `is ${port}, which ${why}; choose another, or 0 for a free one`,
    );
  }
}

/** Address and port of the client. */
function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
