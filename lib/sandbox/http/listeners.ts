import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SandboxOptionError } from '../options.js';
import type { SandboxSettings } from '../settings.js';
import { invalidRequest } from './api-exception.js';
import { JSON_CONTENT_TYPE, toApiJson } from './api-json.js';
import type { ServerCertificate } from './certificate-authority.js';
import { INERT_HEADERS } from './common-headers.js';

const LOOPBACK = '127.0.0.1';

/** Names by which this machine reaches itself. */
const LOOPBACK_NAMES = ['localhost', LOOPBACK, '::1'];

/** All interfaces of the machine: addresses to listen on, not to connect to. */
const WILDCARDS = new Set(['0.0.0.0', '::']);

/**
 * Longer than any client keeps an idle connection. Otherwise the sandbox might close a connection
 * just when a request is sent on it, which a test would see as a fault.
 */
const KEEP_ALIVE_MS = 120_000;

type HostSettings = Pick<SandboxSettings, 'host' | 'publicUrl'>;

/** The names of the sandbox: loopback, `host` and the name in `publicUrl`; IPv6 without brackets. */
export function hostNames({ host, publicUrl }: HostSettings): readonly string[] {
  const named = publicUrl === undefined ? [] : [withoutBrackets(new URL(publicUrl).hostname)];
  const listening = WILDCARDS.has(host) ? [] : [host];
  return [...new Set([...LOOPBACK_NAMES, ...listening, ...named])];
}

/** The URL to reach a listener. */
export function urlOfListener(
  protocol: 'http' | 'https',
  { host, publicUrl }: HostSettings,
  port: number,
): string {
  const address = WILDCARDS.has(host) ? LOOPBACK : host;
  const name = publicUrl === undefined ? address : new URL(publicUrl).hostname;
  return `${protocol}://${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[(.*)\]$/, '$1');
}

/** The servers of one sandbox and their connections. */
export class Listeners {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

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
  readonly reset = ({ socket: ofResponse }: ServerResponse): void => {
    if (!ofResponse) return;
    const connection = connectionOf(ofResponse);
    // By its addresses, since the response of a TLS request only knows the encrypted side.
    for (const socket of this.#sockets) {
      if (connectionOf(socket) === connection) socket.resetAndDestroy();
    }
  };

  /** Closes all connections, including those that wait for an answer. */
  async close(): Promise<void> {
    const closed = this.#servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    });
    for (const socket of this.#sockets) socket.destroy();
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
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
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

/** A client may use the same port for both listeners. */
function connectionOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}

/** Answers what is not HTTP, as Node does, but with a body. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = invalidRequest(
    'The request is malformed: it is not HTTP, or its head is too large.',
  );
  const body = toApiJson({ ...refusal.toBody() });
  const headers = {
    ...INERT_HEADERS,
    'content-type': JSON_CONTENT_TYPE,
    'content-length': Buffer.byteLength(body),
    'x-request-id': randomUUID(),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${refusal.code} ${STATUS_CODES[refusal.code]}\r\n`;
  socket.end(`${status}${lines.join('')}\r\n${body}`);
}
