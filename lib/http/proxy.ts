import { BlockList, isIP } from 'node:net';
import { Logger } from '@nestjs/common';
import { BerbixConfigurationError } from '../errors/index.js';
import { isLoopback } from '../wire/index.js';

/** The proxy between this process and the API. */
export interface HttpProxy {
  /** The option or the environment variable that named it, for messages. */
  readonly source: string;
  /** Scheme, host and port, without the credentials. */
  readonly origin: string;
  /** The Proxy-Authorization header, if the URL has credentials. */
  readonly token?: string;
}

const EXAMPLE = 'http://proxy.internal:3128';

/**
 * The proxy of the option `http.proxy`: of its URL, or of the environment.
 *
 * Undici's EnvHttpProxyAgent is not used. It would report a malformed variable with the first
 * request instead of at boot, ignores a user without a password, and does not say which proxy it
 * has chosen, which the message for a 407 needs.
 *
 * @param origin of the API
 * @throws {BerbixConfigurationError} that names the option or the variable
 */
export function readProxy(option: unknown, origin: string): HttpProxy | undefined {
  if (option === undefined) return undefined;
  if (option !== 'environment') return parseProxy('http.proxy', option);
  const found = proxyVariable(origin);
  if (found === undefined) return undefined;
  // The scheme may be missing, as for curl.
  return parseProxy(
    found.name,
    found.value.includes('://') ? found.value : `http://${found.value}`,
  );
}

/**
 * The environment variable with the proxy for an origin: `HTTPS_PROXY` for https, `HTTP_PROXY` for
 * http, or the same in lower case, which comes first. Undefined if it is not set, `NO_PROXY` names
 * the host, or the host is this machine.
 */
export function proxyVariable(origin: string): { name: string; value: string } | undefined {
  const url = new URL(origin);
  return needsNoProxy(url) ? undefined : readVariable(variableFor(url));
}

/**
 * Warns at boot if an origin is reached without a proxy, although the environment has one for it, or
 * should have one.
 *
 * @param option the option `http.proxy`
 */
export function warnOfNoProxy(option: unknown, origin: string): void {
  const url = new URL(origin);
  if (needsNoProxy(url)) return;
  const name = readVariable(variableFor(url))?.name;
  const isWanted = option === 'environment';
  if (name === undefined && !isWanted) return;
  new Logger('BerbixModule').warn(
    isWanted
      ? `http.proxy (or BERBIX_PROXY) is 'environment', but ${variableFor(url).toUpperCase()} is not set, so Berbix is called directly.`
      : `${name} is set, but Berbix is called without that proxy. Set the option http.proxy to 'environment' ` +
          `(or BERBIX_PROXY=environment) to use it. If the direct connection is intended, add ${url.hostname} to NO_PROXY.`,
  );
}

/** Whether the host is this machine, or `NO_PROXY` names it. */
function needsNoProxy(url: URL): boolean {
  const exceptions = readVariable('no_proxy')?.value.split(/[,\s]+/) ?? [];
  return isLoopback(url.hostname) || exceptions.some((exception) => covers(exception, url));
}

function variableFor({ protocol }: URL): 'https_proxy' | 'http_proxy' {
  return protocol === 'https:' ? 'https_proxy' : 'http_proxy';
}

/** The variable in lower or upper case, unless it is empty. */
function readVariable(lowerCase: string): { name: string; value: string } | undefined {
  for (const name of [lowerCase, lowerCase.toUpperCase()]) {
    const value = process.env[name]?.trim();
    if (value) return { name, value };
  }
  return undefined;
}

/**
 * Whether an entry of `NO_PROXY` names the host of the URL: `*`, an address, a network such as
 * `10.0.0.0/8`, or a domain with its subdomains. An entry with a port is for that port only.
 */
function covers(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const host = withoutBrackets(url.hostname);
  const [network = '', bits] = entry.split('/');
  if (bits !== undefined) return isWithin(host, withoutBrackets(network), Number(bits));
  const [, name = entry, port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (port !== undefined && port !== (url.port || defaultPort(url))) return false;
  const domain = withoutBrackets(name)
    .replace(/^\*?\./, '')
    .toLowerCase();
  return domain !== '' && (host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`)));
}

function isWithin(host: string, network: string, bits: number): boolean {
  const version = isIP(network);
  const longest = version === 6 ? 128 : 32;
  if (version === 0 || isIP(host) !== version) return false;
  if (!Number.isInteger(bits) || bits < 0 || bits > longest) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}

/** The host; an IPv6 address without its brackets. */
function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function defaultPort({ protocol }: URL): string {
  return protocol === 'https:' ? '443' : '80';
}

/** The messages quote nothing of the URL, which may contain a password (I10). */
function parseProxy(source: string, value: unknown): HttpProxy {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    const otherwise = source === 'http.proxy' ? `, or 'environment'` : '';
    throw new BerbixConfigurationError(
      `${source} must be the URL of an HTTP proxy, such as ${EXAMPLE}${otherwise}.`,
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new BerbixConfigurationError(
      `${source} must be only scheme, host and port, such as ${EXAMPLE}. A user and a password before the host are percent-encoded.`,
    );
  }
  if (url.username === '' && url.password !== '') {
    throw new BerbixConfigurationError(`${source} has a password without a user.`);
  }
  if (url.username === '') return { source, origin: url.origin };
  // A token, since undici would ignore a user without a password.
  const credentials = `${decode(source, url.username)}:${decode(source, url.password)}`;
  const token = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { source, origin: url.origin, token };
}

function decode(source: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BerbixConfigurationError(
      `${source} has a % in its user or password that is not percent-encoding. Write it as %25.`,
    );
  }
}
