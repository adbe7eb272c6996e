import { Pool, type Dispatcher } from 'undici';
import type { BerbixHttpSettings } from './http.options.js';
import { openProxy } from './proxy.js';
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
export function openConnection(settings: BerbixHttpSettings): Connection {
  const { origin, timeoutMs, http } = settings;
  if (http.dispatcher !== undefined) {
    return { dispatcher: http.dispatcher, close: leftOpen, destroy: leftOpen };
  }
  const tls = http.ca === undefined ? {} : { ca: http.ca };
  const pool: Dispatcher =
    http.proxy === undefined
      ? new Pool(origin, { connections: http.connections, connect: { ...tls, timeout: timeoutMs } })
      : openProxy(http.proxy, settings);
  let closing: Promise<void> | undefined;
  return {
    dispatcher: pool,
    close: () => (closing ??= pool.close()),
    destroy: () => pool.destroy(),
  };
}

/** The user closes it. */
async function leftOpen(): Promise<void> {}
