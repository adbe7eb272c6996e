import type { AxiosInstance } from 'axios';
import type { ApiSecretSource } from './api-secret.js';
import type { BerbixDispatcher } from './undici.adapter.js';

/** How one Berbix account is reached. */
export interface BerbixHttpModuleOptions {
  /**
   * The API secret of the account, from the dashboard; it decides between test and
   * live. [doc: docs/settings] A function is asked before every request, so that a rotated secret is
   * used without a restart; let it answer from memory.
   *
   * It runs in the async context of the caller, or in no caller's for an exchange, which callers
   * share. So it cannot choose a secret by the request: each tenant needs an account with a `name`.
   */
  apiSecret: ApiSecretSource;

  /**
   * Scheme and host of the API, without a path.
   * @default 'https://api.berbix.com'
   */
  apiHost?: string | undefined;

  /**
   * Milliseconds for one attempt, from its start to the last byte of the answer; at most
   * `totalTimeoutMs`.
   * @default 5000
   */
  timeoutMs?: number | undefined;

  /**
   * Milliseconds for the whole call, with its attempts, the waits between them and the wait for a
   * free connection.
   * @default 15000
   */
  totalTimeoutMs?: number | undefined;

  /** How often and how patiently a call that is safe to repeat is repeated; a number is the `limit`. */
  retry?: number | BerbixRetryOptions | undefined;

  /** The HTTP client below. */
  http?: BerbixHttpOptions | undefined;

  /**
   * Allows an `apiHost` without https that is not this machine. The API secret travels readable
   * then; for tests in a closed network only.
   * @default false
   */
  allowInsecure?: boolean | undefined;
}

/**
 * Names as in ky. The wait before a repetition is random, below 100 ms at first and below twice as
 * much each time after. A `Retry-After` is waited for if `totalTimeoutMs` leaves the time; if not,
 * the call ends, with the wait in `retryAfterMs` of the error.
 */
export interface BerbixRetryOptions {
  /**
   * Repetitions at most, after the first attempt.
   * @default 2
   */
  limit?: number | undefined;
  /**
   * Upper limit of the random wait, in milliseconds.
   * @default 2000
   */
  backoffLimit?: number | undefined;
}

/** Settings of the HTTP client. */
export interface BerbixHttpOptions {
  /**
   * Connections to the API at most, and so calls at a time; further calls wait for a turn. Uploads have
   * a quarter of them at most, but at least one: with a single connection, all else waits for an upload.
   * @default 32
   */
  connections?: number | undefined;
  /** Certificate authorities to trust instead of the system's, as PEM: for a private gateway, or the sandbox over TLS. */
  ca?: string | Buffer | undefined;
  /**
   * URL of an HTTP proxy, such as `http://proxy.internal:3128` or `http://user:password@proxy.internal:3128`,
   * with a user and a password in percent-encoding.
   */
  proxy?: string | undefined;
  /** A dispatcher of your own, of undici 7 or later, such as an Agent or a MockAgent; you close it. Excludes `ca` and `proxy`. */
  dispatcher?: BerbixDispatcher | undefined;
  /**
   * Called once with the place for interceptors of the axios instance that carries every call. They
   * see the credentials: log nothing of `config.headers` and `config.data`. They run in the async
   * context of the caller, or in no caller's for an exchange, which callers share.
   */
  configureAxios?: ((axios: Pick<AxiosInstance, 'interceptors'>) => void) | undefined;
}

/** The same, checked and complete. */
export interface BerbixHttpSettings {
  origin: string;
  timeoutMs: number;
  totalTimeoutMs: number;
  retry: { limit: number; backoffLimit: number };
  http: BerbixHttpOptions & { connections: number };
}
