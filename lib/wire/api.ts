import { isIPv4 } from 'node:net';

/**
 * The production API. The secret selects test or live, not the host. [sdk: all]
 * [doc: docs/settings]
 */
export const PRODUCTION_HOST = 'https://api.berbix.com';

/** Paths of the API, the same in all official SDKs. [sdk: all] */
export const API_PATHS = {
  tokens: '/v0/tokens',
  transactions: '/v0/transactions',
  override: '/v0/transactions/override',
  images: '/v0/images/upload',
  idScans: '/v0/idscans/upload',
} as const;

/** The prefixes of API secrets, by mode. [doc: docs/settings] */
export const API_SECRET_PREFIXES = { test: 'secret_test_', live: 'secret_live_' } as const;

/** Whether a host is this machine. @param hostname of a URL: an IPv6 address is in brackets */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIPv4(hostname) && hostname.startsWith('127.');
}
