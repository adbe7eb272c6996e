import { BerbixConfigurationError } from '../errors/index.js';
import { isLoopback } from '../loopback.js';
import { PRODUCTION_HOST } from '../wire/index.js';
import type {
  BerbixHttpModuleOptions,
  BerbixHttpOptions,
  BerbixHttpSettings,
  BerbixRetryOptions,
} from './http.options.js';

/** A day; a longer time is a mistake in the unit, and timers overflow at 24.8 days. */
const MAX_MS = 86_400_000;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {BerbixConfigurationError} that names the option and says what to do
 */
export function httpSettings(options: BerbixHttpModuleOptions): BerbixHttpSettings {
  const retry =
    typeof options.retry === 'number' ? { limit: options.retry } : (options.retry ?? {});
  const http = options.http ?? {};
  onlyKnown('retry', retry, ['limit', 'backoffLimit'] satisfies (keyof BerbixRetryOptions)[]);
  onlyKnown('http', http, [
    'connections',
    'ca',
    'proxy',
    'dispatcher',
    'configureAxios',
  ] satisfies (keyof BerbixHttpOptions)[]);
  const settings = {
    origin: origin(
      options.apiHost ?? PRODUCTION_HOST,
      flag('allowInsecure', options.allowInsecure),
    ),
    timeoutMs: checkInteger('timeoutMs', options.timeoutMs, 5_000),
    totalTimeoutMs: checkInteger('totalTimeoutMs', options.totalTimeoutMs, 15_000),
    retry: {
      limit: checkInteger('retry.limit', retry.limit, 2, 0, 10),
      backoffLimit: checkInteger('retry.backoffLimit', retry.backoffLimit, 2_000, 0),
    },
    http: {
      ...http,
      connections: checkInteger('http.connections', http.connections, 32, 1, 10_000),
    },
  };
  // The default needs no check: the whole call ends first.
  if (options.timeoutMs !== undefined && settings.timeoutMs > settings.totalTimeoutMs) {
    throw new BerbixConfigurationError(
      `timeoutMs (${settings.timeoutMs}) must not be more than totalTimeoutMs (${settings.totalTimeoutMs}): no attempt could take that long. Raise totalTimeoutMs too.`,
    );
  }
  checkHttp(http);
  return settings;
}

/**
 * Refuses names that are no option: a misspelt option is otherwise ignored in silence.
 *
 * @throws {BerbixConfigurationError}
 */
export function onlyKnown(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BerbixConfigurationError(
      `${where} must be an object with the options of the README.`,
    );
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new BerbixConfigurationError(
      `${where} has no option named "${unknown}". It takes ${known.join(', ')}.`,
    );
  }
}

/**
 * Checks an option that is a whole number; by default one of milliseconds, a day at most.
 *
 * @param name of the option, as the user writes it
 * @returns the value, or `fallback` where there is none
 * @throws {BerbixConfigurationError}
 */
export function checkInteger(
  name: string,
  value: unknown,
  fallback: number | undefined,
  min = 1,
  max = MAX_MS,
): number {
  if (value === undefined && fallback !== undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  const range = max === Infinity ? `, ${min} or more` : ` from ${min} to ${max}`;
  const otherwise = fallback === undefined ? '' : `, or left out for ${fallback}`;
  throw new BerbixConfigurationError(`${name} must be a whole number${range}${otherwise}.`);
}

function origin(apiHost: unknown, allowInsecure: boolean): string {
  const url = typeof apiHost === 'string' && URL.canParse(apiHost) ? new URL(apiHost) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new BerbixConfigurationError(
      `apiHost must be a URL with scheme and host, such as ${PRODUCTION_HOST}.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new BerbixConfigurationError(
      'apiHost must not contain credentials; give the API secret as apiSecret.',
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new BerbixConfigurationError(
      `apiHost must be scheme and host alone, such as ${url.origin}; the paths of the API are added to it.`,
    );
  }
  if (url.protocol === 'http:' && !allowInsecure && !isLoopback(url.hostname)) {
    throw new BerbixConfigurationError(
      `apiHost must begin with https:// since the API secret travels in a header. Set allowInsecure ` +
        'for a test host in a closed network.',
    );
  }
  return url.origin;
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new BerbixConfigurationError(`${name} must be true or false.`);
}

function checkHttp(http: BerbixHttpOptions): void {
  if (http.dispatcher !== undefined) {
    if (typeof http.dispatcher?.dispatch !== 'function') {
      throw new BerbixConfigurationError(
        'http.dispatcher must be an undici dispatcher, such as an Agent.',
      );
    }
    if (http.ca !== undefined || http.proxy !== undefined) {
      throw new BerbixConfigurationError(
        'http.ca and http.proxy have no effect beside http.dispatcher; set them on the dispatcher.',
      );
    }
  }
  if (http.proxy !== undefined) checkProxy(http.proxy);
  if (http.ca !== undefined && !isPem(http.ca)) {
    throw new BerbixConfigurationError(
      'http.ca must be a certificate in PEM form: the text of the file, not its path.',
    );
  }
  if (http.configureAxios !== undefined && typeof http.configureAxios !== 'function') {
    throw new BerbixConfigurationError(
      'http.configureAxios must be a function that takes an axios instance.',
    );
  }
}

/** No message quotes the URL, which may have a password. */
function checkProxy(proxy: unknown): void {
  const url = typeof proxy === 'string' && URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new BerbixConfigurationError(
      'http.proxy must be the URL of an HTTP proxy, such as http://proxy.internal:3128.',
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new BerbixConfigurationError(
      `http.proxy must be scheme, host and port only, such as ${url.origin}; a proxy has no path.`,
    );
  }
  if (url.username === '' && url.password !== '') {
    throw new BerbixConfigurationError('http.proxy has a password without a user.');
  }
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new BerbixConfigurationError(
      'http.proxy has a % in its user or password that encodes nothing. Write it as %25.',
    );
  }
}

function isPem(ca: unknown): boolean {
  return (
    (typeof ca === 'string' || Buffer.isBuffer(ca)) && ca.includes('-----BEGIN CERTIFICATE-----')
  );
}
