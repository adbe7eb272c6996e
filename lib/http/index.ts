export { ApiSecret, type ApiSecretSource } from './api-secret.js';
export type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
export { BerbixHttp } from './berbix-http.js';
export { httpSettings } from './http-options.validation.js';
export type {
  BerbixDispatcher,
  BerbixHttpModuleOptions,
  BerbixHttpOptions,
  BerbixRetryOptions,
} from './http.options.js';
