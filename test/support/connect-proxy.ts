import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { closeAfterTest } from './closing.js';
import { listening } from './services.js';

/** An HTTP proxy that opens tunnels. */
export interface ConnectProxy {
  url: string;
  /** The destinations of the tunnels, whether they were opened or not. */
  tunnels: string[];
  /** The Proxy-Authorization headers. */
  authorizations: (string | undefined)[];
  /**
   * What it does instead of opening a tunnel: closes the connection, does not answer, or answers
   * with a status, or these bytes.
   */
  instead?: 'hang up' | 'hang' | number | Buffer | undefined;
  /** Names that only the proxy can resolve, with the URLs that they stand for. */
  names: Map<string, string>;
  /** Called for each client, if it is reached over TLS. */
  onClient?(socket: TLSSocket): void;
  /** Destroys the connections of all clients. */
  cutTunnels(): void;
}

/** @param secure its certificate and key, if it is reached over TLS */
export async function startConnectProxy(secure?: TlsOptions): Promise<ConnectProxy> {
  const clients = new Set<Duplex>();
  const proxy: ConnectProxy = {
    url: '',
    tunnels: [],
    authorizations: [],
    names: new Map(),
    cutTunnels: () => clients.forEach((client) => client.destroy()),
  };
  const server = secure === undefined ? createServer() : createTlsServer(secure);
  server.on('connect', (request, client: Duplex, head) => {
    client.on('error', () => {});
    clients.add(client);
    if (client instanceof TLSSocket) proxy.onClient?.(client);
    proxy.tunnels.push(String(request.url));
    proxy.authorizations.push(request.headers['proxy-authorization']);
    const { instead } = proxy;
    if (instead === 'hang') return;
    if (instead === 'hang up') return void client.destroy();
    if (typeof instead === 'number') return void client.end(`HTTP/1.1 ${instead} No\r\n\r\n`);
    if (instead !== undefined) return void client.write(instead);
    const { hostname, port } = new URL(
      proxy.names.get(String(request.url)) ?? `http://${request.url}`,
    );
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    }).on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  closeAfterTest(async () => proxy.cutTunnels());
  const url = await listening(server);
  proxy.url = secure === undefined ? url : url.replace('http:', 'https:');
  return proxy;
}
