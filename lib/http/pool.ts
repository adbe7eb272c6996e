import type { SecureContext } from 'node:tls';
import { Pool, ProxyAgent, buildConnector, type Dispatcher } from 'undici';
import type { BerbixHttpSettings } from './http.options.js';
import { ProxyFailure, shortCode } from './wire-failure.js';

/** Connections to the API, directly or through a proxy. Does not open a socket yet. */
export function openPool({ origin, timeoutMs, http }: BerbixHttpSettings): Dispatcher {
  const { connections, proxy, tls } = http;
  const connect = { ...withContext(tls?.api), timeout: timeoutMs };
  if (proxy === undefined) {
    return new Pool(origin, { connections, connect: reporting(buildConnector(connect)) });
  }
  return new ProxyAgent({
    uri: proxy.origin,
    ...(proxy.token === undefined ? {} : { token: proxy.token }),
    connections,
    factory: (to, options) => {
      const { connect: open } = options as { connect: buildConnector.connector };
      return new Pool(to, { ...options, connect: reporting(open) });
    },
    // A ProxyAgent ignores `connect`.
    requestTls: connect,
    proxyTls: { ...withContext(tls?.proxy), timeout: timeoutMs },
    // A CONNECT tunnel has no request deadline of its own; bound it here.
    clientFactory: (uri, options) =>
      new ProxyPool(uri, { ...options, headersTimeout: timeoutMs }) as never,
  });
}

/** Undici passes it on to `tls.connect`, though its types do not list it. */
function withContext(secureContext: SecureContext | undefined): object {
  return secureContext === undefined ? {} : { secureContext };
}

/**
 * Opens sockets that end with their first error. Undici alone would report the end of the
 * connection that follows a TLS alert, and not the alert, which says why.
 */
function reporting(open: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    open(options, (...opened) => {
      const socket = opened[1];
      socket?.once('error', (first) => socket.destroy(first));
      callback(...opened);
    });
}

/** The connections to the proxy. */
class ProxyPool extends Pool {
  override async connect(options: never): Promise<never> {
    const data = await (super.connect(options) as Promise<Dispatcher.ConnectData>).catch(
      (error: unknown) => {
        const code = shortCode(error);
        // Undici would retry forever if the proxy hangs up on CONNECT.
        throw new ProxyFailure(code === 'UND_ERR_SOCKET' ? 'ECONNRESET' : code);
      },
    );
    if (data.statusCode === 200) return data as never;
    data.socket.on('error', () => {}).destroy();
    throw new ProxyFailure(`HTTP_${data.statusCode}`);
  }
}
