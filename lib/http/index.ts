export { accountProvider, accountToken } from './account-token.js';
export { ApiSecret, type ApiSecretSource } from './api-secret.js';
export type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
export { BERBIX_OPTIONS, BerbixHttp } from './berbix-http.js';
export { ConcealedOptions } from './concealed-options.js';
export { checkInteger, httpSettings, onlyKnown } from './http-options.validation.js';
export type {
  BerbixHttpModuleOptions,
  BerbixHttpOptions,
  BerbixRetryOptions,
} from './http.options.js';
export { WireReader } from './wire-reader.js';
export type { BerbixDispatcher } from './undici.adapter.js';
