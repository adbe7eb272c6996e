import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { BerbixHttpSettings } from './http.options.js';
import type { BerbixDispatcher } from './undici.adapter.js';

/** What carries the requests, and how it is let go. */
export interface Connection {
  dispatcher: BerbixDispatcher;
  /**
   * Takes no more requests, and waits for the answers under way; a dispatcher of the user's is left
   * open. May be called again.
   */
  close(): Promise<void>;
  /** Closes what is left at once. */
  destroy(): Promise<void>;
}

/** Opens no socket yet; connections are made when needed and kept for the next call. */
export function openConnection({ origin, timeoutMs, http }: BerbixHttpSettings): Connection {
  if (http.dispatcher !== undefined) {
    return { dispatcher: http.dispatcher, close: leftOpen, destroy: leftOpen };
  }
  const tls = http.ca === undefined ? {} : { ca: http.ca };
  const pool: Dispatcher =
    http.proxy === undefined
      ? new Pool(origin, { connections: http.connections, connect: { ...tls, timeout: timeoutMs } })
      : new ProxyAgent({
          uri: http.proxy,
          connections: http.connections,
          requestTls: { ...tls, timeout: timeoutMs },
          proxyTls: { timeout: timeoutMs },
          // A tunnel is no call's own: without this, one that the proxy never opens is kept for minutes.
          clientFactory: (uri, options) => new Pool(uri, { ...options, headersTimeout: timeoutMs }),
        });
  let closing: Promise<void> | undefined;
  return {
    dispatcher: pool,
    close: () => (closing ??= pool.close()),
    destroy: () => pool.destroy(),
  };
}

/** The user closes it. */
async function leftOpen(): Promise<void> {}
