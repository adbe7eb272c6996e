/** The production API; test and live are told apart by the secret, not by the host. [sdk: all] [doc: docs/settings] */
export const PRODUCTION_HOST = 'https://api.berbix.com';

/** Paths of the API, the same in all official SDKs. [sdk: all] */
export const API_PATHS = {
  tokens: '/v0/tokens',
  transactions: '/v0/transactions',
  override: '/v0/transactions/override',
  images: '/v0/images/upload',
  idScans: '/v0/idscans/upload',
} as const;

/** What an API secret begins with, by mode. [doc: docs/settings] */
export const API_SECRET_PREFIXES = { test: 'secret_test_', live: 'secret_live_' } as const;
