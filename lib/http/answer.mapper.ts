import type { AxiosResponse } from 'axios';
import {
  BerbixAuthenticationError,
  BerbixConflictError,
  BerbixGoneError,
  BerbixInvalidAccessTokenError,
  BerbixInvalidRefreshTokenError,
  BerbixRateLimitError,
  BerbixRequestError,
  BerbixResponseError,
  BerbixServerError,
  BerbixTimeoutError,
  type BerbixError,
  type BerbixErrorDetails,
} from '../errors/index.js';
import { API_PATHS, READABLE } from '../wire/index.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import { parseJson } from './json.js';
import { redact } from './redaction.js';
import { retryAfterMs } from './retry-after.js';

/** Strikes out the secrets of the request, should the answer quote one. */
type Redact = (text: string) => string;

/**
 * What an HTTP answer means: a {@link BerbixAnswer}, or the error that fits.
 *
 * @param secrets what must not be in a message: those of the request and of its authorization
 */
export function mapAnswer(
  request: BerbixRequest,
  response: AxiosResponse<Buffer>,
  startedAt: number,
  secrets: readonly string[],
): BerbixAnswer | BerbixError {
  const { status, data, headers } = response;
  const strike: Redact = (text) => redact(text, secrets);
  const requestId = shortWord(headers['x-request-id'], strike);
  const details: BerbixErrorDetails = {
    status,
    requestId,
    method: request.method,
    path: request.path,
  };
  if (status >= 200 && status < 300) {
    if (data.length === 0) return { body: undefined, startedAt, requestId };
    const body = jsonObject(data);
    if (body !== undefined) return { body, startedAt, requestId };
    const [mediaType] = String(headers['content-type']).split(';');
    const type = shortWord(mediaType, strike) ?? 'no content type';
    return new BerbixResponseError(
      `${call(request)} was answered ${status} with a body that is not a JSON object (${type}). ` +
        'Is apiHost the Berbix API, or does a proxy answer in its place?',
      details,
    );
  }
  if (status < 400) {
    return new BerbixResponseError(
      `${call(request)} was answered ${status}, a redirect, which is not followed: it would carry ` +
        'the credentials elsewhere. Check apiHost.',
      details,
    );
  }
  return errorFor(request, details, data, headers, strike);
}

/** `call` and the reason that the API gave make the message of each class. */
function errorFor(
  request: BerbixRequest,
  details: BerbixErrorDetails,
  data: Buffer,
  headers: AxiosResponse['headers'],
  strike: Redact,
): BerbixError {
  const status = details.status as number;
  const body = jsonObject(data) ?? {};
  const said = typeof body['message'] === 'string' ? strike(body['message']) : '';
  const readable = typeof body['readable'] === 'string' ? strike(body['readable']) : undefined;
  const known = { ...details, ...(readable !== undefined && { readable }) };
  const reason = said === '' ? '' : ` Berbix says: ${JSON.stringify(said)}`;
  const refused = `${call(request)} was refused (${status}).`;
  const later = {
    ...known,
    retryable: true,
    retryAfterMs: retryAfterMs(headers['retry-after']),
  };

  if (blamesRefreshToken(request, status, readable, said)) {
    return new BerbixInvalidRefreshTokenError(
      `${refused} The refresh token is unknown to this account: it belongs to another account or ` +
        `mode, or was replaced by a newer one. Start a new transaction.${reason}`,
      known,
    );
  }
  switch (status) {
    case 401:
      if (request.bearer !== undefined) {
        return new BerbixInvalidAccessTokenError(
          `${refused} The access or client token is not valid, or no longer; refresh the tokens.${reason}`,
          known,
        );
      }
      return new BerbixAuthenticationError(
        `${refused} Check that apiSecret is a valid API secret of the right mode (test or live) ` +
          `and account.${reason}`,
        known,
      );
    case 408:
      return new BerbixTimeoutError(`${refused} The API gave up waiting.${reason}`, later);
    case 409: {
      const step = body['next_step'];
      const nextStep = typeof step === 'string' ? strike(step) : undefined;
      return new BerbixConflictError(
        `${refused} The transaction is at another step.${reason}`,
        known,
        nextStep,
      );
    }
    case 410:
      return new BerbixGoneError(
        `${refused} The transaction was deleted or purged. Start a new one.${reason}`,
        known,
      );
    case 429:
      return new BerbixRateLimitError(
        `${refused} Too many requests; try again later.${reason}`,
        later,
      );
  }
  return status >= 500
    ? new BerbixServerError(`${call(request)} failed at Berbix (${status}).${reason}`, later)
    : new BerbixRequestError(`${refused}${reason}`, known);
}

/** ASSUMPTION: see READABLE; an OAuth server would say `invalid_grant`. */
function blamesRefreshToken(
  request: BerbixRequest,
  status: number,
  readable: string | undefined,
  said: string,
): boolean {
  if (request.path !== API_PATHS.tokens || (status !== 400 && status !== 401)) return false;
  if (readable === READABLE.invalidRefreshToken || readable === 'invalid_grant') return true;
  return status === 401 && readable === undefined && /refresh[ _-]?token/i.test(said);
}

function jsonObject(data: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed = parseJson(data.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    // The parser's message quotes the body, and the body may hold tokens.
    return undefined;
  }
}

/** A header value that is a plain word or media type, and no secret; or nothing. */
function shortWord(value: unknown, strike: Redact): string | undefined {
  if (typeof value !== 'string' || !/^[\w.+/-]{1,100}$/.test(value)) return undefined;
  return strike(value) === value ? value : undefined;
}

function call(request: BerbixRequest): string {
  return `${request.method} ${request.path}`;
}
