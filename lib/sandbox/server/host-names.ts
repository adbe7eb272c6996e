import { isIP } from 'node:net';
import type { SandboxSettings } from '../sandbox.settings.js';

/** The sandbox is for this machine only, unless somebody says otherwise. */
export const LOOPBACK = '127.0.0.1';

/** The names by which this machine reaches itself. */
const LOOPBACK_NAMES = ['localhost', LOOPBACK, '::1'];

/** All interfaces of the machine: addresses to listen on, not to connect to. */
const WILDCARDS = new Set(['0.0.0.0', '::']);

type HostSettings = Pick<SandboxSettings, 'host' | 'publicUrl'>;

/**
 * The names by which the sandbox may be called: the loopback names, and what `host` and `publicUrl` name. An
 * IPv6 address has no brackets.
 */
export function hostNames({ host, publicUrl }: HostSettings): readonly string[] {
  const named = publicUrl === undefined ? [] : [withoutBrackets(new URL(publicUrl).hostname)];
  const listening = WILDCARDS.has(host) ? [] : [host];
  return [...new Set([...LOOPBACK_NAMES, ...listening, ...named])];
}

/** The URL by which a listener is reached. */
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
