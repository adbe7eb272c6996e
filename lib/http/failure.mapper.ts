import {
  BerbixConfigurationError,
  BerbixConnectionError,
  BerbixResponseError,
  BerbixTimeoutError,
  type BerbixError,
  nameOf,
} from '../errors/index.js';
import { shutDownError } from '../concurrency/index.js';
import { isLoopback } from '../wire/index.js';
import type { BerbixRequest } from './berbix-request.js';
import type { HttpProxy } from './proxy.js';
import { REFUSED_CLIENT, type Stage, type WireFailure } from './wire-failure.js';

/** The destination of requests. */
export interface Route {
  /** The origin of the API. */
  readonly origin: string;
  readonly proxy?: HttpProxy | undefined;
}

/** The time limits of an attempt and of a call, in milliseconds. */
export interface TimeLimits {
  readonly timeoutMs: number;
  readonly totalTimeoutMs: number;
  /** Whether the call has a total limit of its own, instead of that of the options. */
  readonly isOwn: boolean;
}

/** Undici's codes for a closed dispatcher. */
const CLOSED = new Set(['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);

/** The codes of OpenSSL for a certificate from an authority that is not trusted. */
const UNTRUSTED =
  /^(CERT_SIGNATURE_FAILURE|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE))$/;

/** Whether nothing was sent because the application has closed its own dispatcher. */
export function isClosed({ reason, code }: WireFailure): boolean {
  return reason === 'connection' && CLOSED.has(code ?? '');
}

/** Maps a failure without an answer to an error. */
export function mapFailure(
  request: BerbixRequest,
  failure: WireFailure,
  limits: TimeLimits,
  route: Route,
): BerbixError {
  const { method, path } = request;
  const details = { method, path };
  switch (failure.reason) {
    case 'unsubscribed':
      // Nobody receives this error.
      return new BerbixTimeoutError(`${method} ${path} was abandoned by its caller.`, details);
    case 'shutdown':
      return shutDownError(details, failure.sent);
    case 'timeout':
    case 'total-timeout': {
      const isAttempt = failure.reason === 'timeout';
      const isOfOptions = isAttempt ? request.timeoutMs === undefined : !limits.isOwn;
      const option = isAttempt ? 'timeoutMs' : 'totalTimeoutMs';
      const within = `within ${limits[option]} ms (${isOfOptions ? option : 'the limit of this call'})`;
      return mapTimeout(request, failure.stage, within);
    }
    case 'too-large':
      return new BerbixResponseError(
        `The answer to ${method} ${path} was larger than any answer of the API, and was not read to its end.`,
        details,
      );
    case 'undecodable':
      return new BerbixResponseError(
        `The answer to ${method} ${path} has a content encoding that cannot be decoded, though none was requested. ` +
          'Does a proxy or gateway compress answers?',
        details,
      );
    case 'refused':
      return new BerbixConfigurationError(
        `The HTTP client refused to send ${method} ${path} (${failure.code}). If you set http.dispatcher, ` +
          'it must be of undici 7 or later; if you have interceptors, check what they add to the request.',
        details,
      );
    case 'connection':
      if (isClosed(failure)) {
        return new BerbixConnectionError(
          `${method} ${path} was not sent: http.dispatcher is closed.`,
          details,
          failure.code,
        );
      }
      return new BerbixConnectionError(
        failure.sent
          ? `The connection to ${route.origin} broke before the answer to ${method} ${path}${because(failure.code)}.`
          : `Berbix could not be reached at ${route.origin} for ${method} ${path}${because(failure.code)}. ${adviceFor(route, failure.code)}`,
        { ...details, retryable: true },
        failure.code,
      );
    case 'proxy':
      return mapProxyFailure(request, failure, route);
  }
}

function adviceFor({ origin, proxy }: Route, code: string | undefined): string {
  const ofTls = adviceForTls(code);
  if (ofTls !== undefined) return ofTls;
  if (proxy !== undefined) return `Check apiHost, the network and the proxy ${proxy.origin}.`;
  return isLoopback(new URL(origin).hostname)
    ? 'That is this machine: is the sandbox running, and on this port? Check apiHost.'
    : 'Check apiHost and the network.';
}

function adviceForTls(code = ''): string | undefined {
  if (UNTRUSTED.test(code)) {
    return 'Its certificate is from an authority that is not trusted here. If a gateway or proxy of your company inspects TLS, give its authority as http.extraCa (or BERBIX_EXTRA_CA_FILE).';
  }
  if (REFUSED_CLIENT.test(code)) {
    return 'It may require another client certificate, or one at all: http.cert and http.key.';
  }
  return undefined;
}

function mapProxyFailure(
  { method, path }: BerbixRequest,
  { code = '' }: WireFailure,
  { origin, proxy }: Route,
): BerbixConnectionError {
  const details = { method, path };
  const what = `The proxy ${proxy?.origin} (${proxy?.source})`;
  const status = /^HTTP_(\d{3})$/.exec(code)?.[1];
  if (status === undefined) {
    const advice = adviceForTls(code);
    return new BerbixConnectionError(
      `${what} could not be reached for ${method} ${path}${because(code || undefined)}.${
        advice === undefined ? '' : ` ${advice}`
      }`,
      { ...details, retryable: true },
      code || undefined,
    );
  }
  const advice =
    status === '407'
      ? ` Check the user and the password in ${proxy?.source}.`
      : ' Does it allow connections to this host?';
  return new BerbixConnectionError(
    `${what} refused a connection to ${origin} with ${status}; ${method} ${path} was not sent.${advice}`,
    // With 5xx, the proxy may reach the API later; with any other status, it refuses.
    { ...details, retryable: Number(status) >= 500 },
    code,
  );
}

/** Says what took so long. */
function mapTimeout({ method, path }: BerbixRequest, stage: Stage, within: string): BerbixError {
  const details = { method, path, retryable: true };
  switch (stage) {
    case 'queued':
      return new BerbixTimeoutError(
        `${method} ${path} did not get a connection ${within}: too many calls wait for Berbix. Slow down, or ` +
          'raise http.connections.',
        details,
      );
    case 'authorizing':
      return new BerbixConfigurationError(
        `The function given as apiSecret did not answer ${within}. Let it return a cached secret.`,
        details,
      );
    case 'intercepting':
    case 'answered':
      return new BerbixTimeoutError(
        `${method} ${path} was delayed by an interceptor of this application, and did not finish ${within}.`,
        details,
      );
    case 'connecting':
    case 'sent':
      return new BerbixTimeoutError(`${method} ${path} had no complete answer ${within}.`, details);
  }
}

/**
 * Maps an error that an interceptor of the application threw. Its message is left out, since it may
 * quote the request with its headers (I10).
 */
export function mapForeignError(request: BerbixRequest, thrown: unknown): BerbixError {
  const name = nameOf(thrown);
  return new BerbixConnectionError(
    `${request.method} ${request.path} failed with an error of an interceptor or dispatcher of this ` +
      `application (${name}). Its message is withheld, since it may quote the request.`,
    { method: request.method, path: request.path },
    name,
  );
}

function because(code: string | undefined): string {
  return code === undefined ? '' : ` (${code})`;
}
