import { BerbixConfigurationError } from '../errors/index.js';
import { checkBoolean, checkFunction, checkInteger, onlyKnown } from '../options/index.js';
import { PRODUCTION_HOST, isLoopback } from '../wire/index.js';
import type {
  BerbixDispatcher,
  BerbixHttpModuleOptions,
  BerbixHttpOptions,
  BerbixHttpSettings,
  BerbixRetryOptions,
} from './http.options.js';
import { readProxy } from './proxy.js';
import { tlsSettings } from './tls.js';

/**
 * Validates the options and adds the defaults.
 *
 * @throws {BerbixConfigurationError} that names the option and says what to do
 */
export function httpSettings(
  options: Omit<BerbixHttpModuleOptions, 'apiSecret'>,
): BerbixHttpSettings {
  const { retry: given = {}, http = {} } = options;
  const retry = typeof given === 'number' ? { limit: given } : given;
  onlyKnown<BerbixRetryOptions>('retry', retry, { limit: true, backoffLimit: true });
  onlyKnown<BerbixHttpOptions>('http', http, {
    connections: true,
    ca: true,
    extraCa: true,
    cert: true,
    key: true,
    proxy: true,
    dispatcher: true,
    configureAxios: true,
  });
  const origin = originOf(
    options.apiHost ?? PRODUCTION_HOST,
    checkBoolean('allowInsecure', options.allowInsecure),
  );
  const settings = {
    origin,
    timeoutMs: checkInteger('timeoutMs', options.timeoutMs, 5_000),
    totalTimeoutMs: checkInteger('totalTimeoutMs', options.totalTimeoutMs, 15_000),
    retry: {
      limit: checkInteger('retry.limit', retry.limit, 2, 0, 10),
      backoffLimit: checkInteger('retry.backoffLimit', retry.backoffLimit, 2_000, 0),
    },
    http: {
      connections: checkInteger('http.connections', http.connections, 32, 1, 10_000),
      dispatcher: checkDispatcher(http),
      proxy: readProxy(http.proxy, origin),
      tls: tlsSettings(http),
      configureAxios: checkFunction('http.configureAxios', http.configureAxios),
    },
  };
  // The default need not be checked: totalTimeoutMs ends the call first.
  if (options.timeoutMs !== undefined && settings.timeoutMs > settings.totalTimeoutMs) {
    throw new BerbixConfigurationError(
      `timeoutMs (${settings.timeoutMs}) must not be more than totalTimeoutMs (${settings.totalTimeoutMs}), which ends the whole call. Raise totalTimeoutMs too.`,
    );
  }
  return settings;
}

function originOf(apiHost: unknown, allowInsecure: boolean): string {
  const url = typeof apiHost === 'string' && URL.canParse(apiHost) ? new URL(apiHost) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new BerbixConfigurationError(
      `apiHost must be a URL with scheme and host, such as ${PRODUCTION_HOST}.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new BerbixConfigurationError(
      'apiHost must not contain credentials. Pass the API secret as apiSecret.',
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new BerbixConfigurationError(
      `apiHost must be only scheme and host, such as ${url.origin}. The paths of the API are added to it.`,
    );
  }
  if (url.protocol === 'http:' && !allowInsecure && !isLoopback(url.hostname)) {
    throw new BerbixConfigurationError(
      `apiHost must begin with https://, since the API secret is sent in a header. For a test host in ` +
        'a closed network, set allowInsecure.',
    );
  }
  return url.origin;
}

function checkDispatcher(http: BerbixHttpOptions): BerbixDispatcher | undefined {
  const { dispatcher } = http;
  if (dispatcher === undefined) return undefined;
  if (typeof dispatcher?.dispatch !== 'function') {
    throw new BerbixConfigurationError(
      'http.dispatcher must be an undici dispatcher, such as an Agent.',
    );
  }
  const ineffective = (['ca', 'extraCa', 'cert', 'key', 'proxy'] as const).find(
    (option) => http[option] !== undefined,
  );
  if (ineffective === undefined) return dispatcher;
  throw new BerbixConfigurationError(
    `http.${ineffective} has no effect with http.dispatcher. Set it on the dispatcher.`,
  );
}
