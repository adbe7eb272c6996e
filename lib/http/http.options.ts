import type { AxiosInstance } from 'axios';
import type { Dispatcher } from 'undici';
import type { ApiSecretSource } from './api-secret.js';
import type { HttpProxy } from './proxy.js';
import type { TlsSettings } from './tls.js';

/** The options of the connection to one Berbix account. */
export interface BerbixHttpModuleOptions {
  /**
   * The API secret of the account, from the dashboard; it selects the test or live mode.
   * [doc: docs/settings] A function is called before each request, so that a changed secret is used
   * without a restart; let it return a cached secret.
   *
   * The function runs in the async context of the caller; for an exchange, which callers share, in
   * that of no caller. So it cannot select a secret by the request: each tenant needs an `account`
   * of its own.
   */
  apiSecret: ApiSecretSource;

  /**
   * The scheme and host of the API, without a path.
   * @default 'https://api.berbix.com'
   */
  apiHost?: string | undefined;

  /**
   * The time limit of one attempt in milliseconds, from its start to the last byte of the answer;
   * at most `totalTimeoutMs`.
   * @default 5000
   */
  timeoutMs?: number | undefined;

  /**
   * The time limit of the whole call in milliseconds: its attempts, the waits between them, and the
   * wait for a free connection.
   * @default 15000
   */
  totalTimeoutMs?: number | undefined;

  /** The repetition of calls that are safe to repeat; a number is the `limit`. */
  retry?: number | BerbixRetryOptions | undefined;

  /** The settings of the HTTP client. */
  http?: BerbixHttpOptions | undefined;

  /**
   * Allows an `apiHost` without https that is not this machine. The API secret is then readable on
   * the network, so use it only for tests in a closed network.
   * @default false
   */
  allowInsecure?: boolean | undefined;
}

/**
 * The repetition of calls, with names as in ky. The wait before a repetition is random: at most 100
 * ms at first, and at most twice as long each time. A `Retry-After` of the API is added. If
 * `totalTimeoutMs` does not leave enough time, the call fails, with the wait in `retryAfterMs` of
 * the error.
 */
export interface BerbixRetryOptions {
  /**
   * The maximum number of repetitions after the first attempt.
   * @default 2
   */
  limit?: number | undefined;
  /**
   * The upper limit of the random wait, in milliseconds.
   * @default 2000
   */
  backoffLimit?: number | undefined;
}

/**
 * A dispatcher of undici 7 or later, such as a Pool, Agent, ProxyAgent or MockAgent. Only this
 * method is used, so it may belong to another copy of undici.
 */
export interface BerbixDispatcher {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
}

/** Settings of the HTTP client. */
export interface BerbixHttpOptions {
  /**
   * The maximum number of connections to the API, and so of concurrent calls; others wait for their
   * turn. Uploads use at most a quarter of them, but at least one: with a single connection, all
   * other calls wait for an upload.
   * @default 32
   */
  connections?: number | undefined;
  /**
   * Certificate authorities to trust instead of the default ones, as PEM text: for a private
   * gateway, or for the sandbox over TLS.
   */
  ca?: string | Buffer | undefined;
  /**
   * Certificate authorities to trust in addition to the default ones, or to those of `ca`, as PEM
   * text: for a company's proxy that inspects TLS.
   */
  extraCa?: string | Buffer | undefined;
  /**
   * The certificate of this client for a gateway that requires one (mTLS), as PEM text, followed by
   * those of intermediate authorities. It needs `key`. It is not shown to a proxy.
   */
  cert?: string | Buffer | undefined;
  /** The private key of `cert`, as PEM text without a passphrase. */
  key?: string | Buffer | undefined;
  /**
   * The URL of an HTTP proxy, such as `http://proxy.internal:3128` or
   * `http://user:password@proxy.internal:3128`, with the user and password percent-encoded.
   *
   * `'environment'` takes it from `HTTPS_PROXY`, or `HTTP_PROXY` for an `apiHost` without https; in
   * lower case too, which comes first. It connects directly if that is not set, if `NO_PROXY` names
   * the host, or if the host is this machine. They are read once, at boot. The proxy must open
   * tunnels (CONNECT).
   */
  proxy?: 'environment' | (string & {}) | undefined;
  /**
   * Your own dispatcher of undici 7 or later, such as an Agent or a MockAgent. You close it. It
   * excludes `ca`, `extraCa`, `cert`, `key` and `proxy`.
   */
  dispatcher?: BerbixDispatcher | undefined;
  /**
   * Called once, to add interceptors to the axios instance of all calls. Interceptors see the
   * credentials: do not log `config.headers` or `config.data`. They run in the async context of the
   * caller; for an exchange, which callers share, in that of no caller.
   */
  configureAxios?: ((axios: Pick<AxiosInstance, 'interceptors'>) => void) | undefined;
}

/** The validated options, with defaults. */
export interface BerbixHttpSettings {
  origin: string;
  timeoutMs: number;
  totalTimeoutMs: number;
  retry: { limit: number; backoffLimit: number };
  http: Pick<BerbixHttpOptions, 'dispatcher' | 'configureAxios'> & {
    connections: number;
    proxy?: HttpProxy | undefined;
    tls?: TlsSettings | undefined;
  };
}
