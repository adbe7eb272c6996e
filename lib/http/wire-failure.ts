/**
 * The codes of Node.js if a server refuses the client certificate, or that there is none. With TLS
 * 1.3 it does so after the request was written, but it has not read it.
 */
export const REFUSED_CLIENT =
  /^ERR_SSL_[\w/]+_ALERT_(HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)$/;

/** The codes of Node.js for a certificate of a server that is not accepted here. */
const REFUSED_SERVER = /^(CERT|CRL|DEPTH_ZERO|ERR_TLS_CERT|INVALID|SELF_SIGNED|UNABLE_TO)_/;

/** Why a call was canceled. */
export type CancelReason = 'timeout' | 'total-timeout' | 'unsubscribed' | 'shutdown';

/**
 * The progress of an attempt. It waits for its turn, then for the API secret, for interceptors of
 * the application, for a connection, for the answer, and for interceptors again.
 */
export type Stage = 'queued' | 'authorizing' | 'intercepting' | 'connecting' | 'sent' | 'answered';

/**
 * Why there was no answer. It is not an Error: it never leaves this folder, and a stack trace would
 * cost more than the attempt.
 */
export class WireFailure {
  /** With this mark, axios passes it on unchanged. */
  readonly __CANCEL__ = true;

  constructor(
    readonly reason:
      | CancelReason
      | 'too-large'
      | 'undecodable'
      | 'connection'
      | 'proxy'
      | 'refused',
    readonly stage: Stage,
    /** The short code of the system or of the HTTP client, such as `ECONNREFUSED`. */
    readonly code?: string,
  ) {}

  /** Whether any byte of the request may have reached the API. */
  get sent(): boolean {
    return this.stage === 'sent' || this.stage === 'answered';
  }

  /** Whether one side refused the certificate of the other, as it would in the next attempt. */
  get isOfCertificate(): boolean {
    const { code = '' } = this;
    return REFUSED_SERVER.test(code) || REFUSED_CLIENT.test(code);
  }

  /** Whether the attempt was waiting for the API, or for the way to it. */
  get isOnTheWire(): boolean {
    return this.stage === 'connecting' || this.stage === 'sent';
  }
}

/**
 * The proxy could not be reached, or did not open a tunnel. The errors of undici do not distinguish
 * that from a failure of the API.
 */
export class ProxyFailure extends Error {
  /** @param code of the system, or `HTTP_` and the status of the proxy's answer */
  constructor(readonly code: string | undefined) {
    super('The proxy failed.');
  }
}

/**
 * The code or name of an error, if it is a short word, or a longer one in capitals, as OpenSSL has
 * them: any other text may contain a part of the request (I10).
 */
export function shortCode(error: unknown): string | undefined {
  const { code, name } = error as { code?: unknown; name?: unknown };
  const candidate = code ?? name;
  return typeof candidate === 'string' && /^(\w{2,40}|[A-Z\d_/]{2,60})$/.test(candidate)
    ? candidate
    : undefined;
}
