import {
  BerbixConfigurationError,
  BerbixConnectionError,
  BerbixResponseError,
  BerbixTimeoutError,
  type BerbixError,
} from '../errors/index.js';
import { isLoopback } from '../loopback.js';
import type { BerbixRequest } from './berbix-request.js';
import type { Stage, WireFailure } from './wire-failure.js';

/** Where requests go. */
export interface Route {
  /** Of the API. */
  readonly origin: string;
  /** Of the proxy, without credentials, where there is one. */
  readonly proxy?: string | undefined;
}

/** Undici's codes for a dispatcher that was closed. */
const CLOSED = new Set(['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);

/** Whether nothing could be sent since the dispatcher was closed. */
export function isShutDown({ reason, code }: WireFailure): boolean {
  return reason === 'connection' && CLOSED.has(code ?? '');
}

/** What it means that no answer came. */
export function mapFailure(
  request: BerbixRequest,
  failure: WireFailure,
  timeoutMs: number,
  route: Route,
): BerbixError {
  const { method, path } = request;
  const details = { method, path };
  switch (failure.reason) {
    case 'unsubscribed':
      // Nobody is there to see it.
      return new BerbixTimeoutError(`${method} ${path} was abandoned by its caller.`, details);
    case 'shutdown':
      return new BerbixConnectionError(
        `${method} ${path} was cut short because the application is shutting down.${
          failure.sent ? ' The API may have acted on it.' : ''
        }`,
        details,
      );
    case 'timeout':
    case 'total-timeout': {
      const option = failure.reason === 'timeout' ? 'timeoutMs' : 'totalTimeoutMs';
      const limit = request.timeoutMs === undefined ? option : 'the limit of this call';
      return mapTimeout(request, failure.stage, `within ${timeoutMs} ms (${limit})`);
    }
    case 'too-large':
      return new BerbixResponseError(
        `${method} ${path} was answered with a body larger than any answer of the API; it was cut off.`,
        details,
      );
    case 'undecodable':
      return new BerbixResponseError(
        `${method} ${path} was answered in a content encoding that cannot be read; none was asked for. ` +
          'Does a proxy or gateway compress the answers?',
        details,
      );
    case 'refused':
      return new BerbixConfigurationError(
        `${method} ${path} was refused by the HTTP client (${failure.code}) and not sent. Where http.dispatcher ` +
          'is given, it must be of undici 7 or later; what interceptors add must be valid in a request.',
        details,
      );
    case 'connection':
      if (isShutDown(failure)) {
        return new BerbixConnectionError(
          `${method} ${path} was not sent: BerbixModule, or the dispatcher given to it, is shut down.`,
          details,
          failure.code,
        );
      }
      return new BerbixConnectionError(
        failure.sent
          ? `The connection to ${route.origin} broke before ${method} ${path} was answered${because(failure.code)}.`
          : `Berbix could not be reached at ${route.origin} for ${method} ${path}${because(failure.code)}. ${adviceFor(route)}`,
        { ...details, retryable: true },
        failure.code,
      );
    case 'proxy':
      return mapProxyFailure(request, failure, route);
  }
}

function adviceFor({ origin, proxy }: Route): string {
  if (proxy !== undefined) return `Check apiHost, the network and the proxy ${proxy}.`;
  return isLoopback(new URL(origin).hostname)
    ? 'That is this machine: does the sandbox run, on this port? Check apiHost.'
    : 'Check apiHost and the network.';
}

function mapProxyFailure(
  { method, path }: BerbixRequest,
  { code = '' }: WireFailure,
  { origin, proxy }: Route,
): BerbixConnectionError {
  const details = { method, path };
  const what = `The proxy ${proxy} (http.proxy)`;
  const status = /^HTTP_(\d{3})$/.exec(code)?.[1];
  if (status === undefined) {
    return new BerbixConnectionError(
      `${what} could not be reached for ${method} ${path}${because(code || undefined)}.`,
      { ...details, retryable: true },
      code || undefined,
    );
  }
  const advice =
    status === '407'
      ? ' Check the user and the password in http.proxy.'
      : ' Does it allow connections to that host?';
  return new BerbixConnectionError(
    `${what} refused a connection to ${origin} with ${status}; ${method} ${path} was not sent.${advice}`,
    // With 5xx the proxy may reach the API later; otherwise it refuses.
    { ...details, retryable: Number(status) >= 500 },
    code,
  );
}

/** Says whose time it was. */
function mapTimeout({ method, path }: BerbixRequest, stage: Stage, within: string): BerbixError {
  const details = { method, path, retryable: true };
  switch (stage) {
    case 'queued':
      return new BerbixTimeoutError(
        `${method} ${path} had no turn ${within}: too many calls wait for Berbix. Slow down, or ` +
          'raise http.connections.',
        details,
      );
    case 'authorizing':
      return new BerbixConfigurationError(
        `The function given as apiSecret did not answer ${within}. Let it answer from memory.`,
        details,
      );
    case 'intercepting':
    case 'answered':
      return new BerbixTimeoutError(
        `${method} ${path} was held up by an interceptor of this application and not done ${within}.`,
        details,
      );
    case 'connecting':
    case 'sent':
      return new BerbixTimeoutError(`${method} ${path} had no complete answer ${within}.`, details);
  }
}

/**
 * What an interceptor of the application's threw. Its message stays behind: it may quote the
 * request, headers and all.
 */
export function mapForeignError(request: BerbixRequest, thrown: unknown): BerbixError {
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  return new BerbixConnectionError(
    `${request.method} ${request.path} was stopped by an error of an interceptor or dispatcher of ` +
      `this application (${name}). Its message is withheld, since it may quote the request.`,
    { method: request.method, path: request.path },
    name,
  );
}

function because(code: string | undefined): string {
  return code === undefined ? '' : ` (${code})`;
}
