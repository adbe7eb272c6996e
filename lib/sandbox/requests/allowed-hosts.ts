import { isIPv6, type Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../../loopback.js';

/** A name or an address, perhaps with a port: nothing that a URL parser could read differently. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

/**
 * The names under which the sandbox answers. Another site can make its own name resolve to
 * 127.0.0.1 (DNS rebinding); to the browser the sandbox is then part of that site, and only the `Host`
 * header shows it.
 */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;

  /** @param names without ports and brackets; those of this machine are allowed anyway */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => hostOf(name.toLowerCase())));
  }

  /** Whether the `Host` header names this sandbox, with whichever port. */
  allow({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): boolean {
    const [, name] = HOST.exec(headers.host?.toLowerCase() ?? '') ?? [];
    if (name === undefined) return false;
    return isLocal(name) || this.#names.has(name) || name === localHostOf(socket);
  }
}

/** Browsers resolve what ends in `.localhost` themselves. [RFC 6761 section 6.3] */
function isLocal(name: string): boolean {
  return isLoopback(name) || name.endsWith('.localhost');
}

/** The address that the client connected to; only names can be rebound. */
function localHostOf({ localAddress = '' }: Pick<Socket, 'localAddress'>): string {
  return hostOf(localAddress.replace(/^::ffff:(?=\d+\.)/, ''));
}

/** As a `Host` header has it. */
function hostOf(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}
