import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { BerbixHttpSettings } from './http.options.js';
import { ProxyFailure } from './proxy-failure.js';
import { shortCode } from './short-code.js';

/** A dispatcher that sends everything through the proxy of the options. */
export function openProxy(proxy: string, settings: BerbixHttpSettings): Dispatcher {
  const { timeoutMs, http } = settings;
  const { origin, username, password } = new URL(proxy);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const tls = http.ca === undefined ? {} : { ca: http.ca };
  return new ProxyAgent({
    uri: origin,
    // Undici sends nothing where there is a user without a password.
    ...(username !== '' && { token: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    connections: http.connections,
    requestTls: { ...tls, timeout: timeoutMs },
    proxyTls: { timeout: timeoutMs },
    // A CONNECT tunnel has no request deadline of its own; bound it here.
    clientFactory: (uri, options) =>
      new ProxyPool(uri, { ...options, headersTimeout: timeoutMs }) as never,
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
