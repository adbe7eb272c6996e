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
import { API_PATHS, READABLE, parseJson } from '../wire/index.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import { redaction, type Redact } from './redaction.js';
import { parseRetryAfter } from './retry.js';

/**
 * Maps an HTTP answer to a {@link BerbixAnswer}, or to the error of the right class.
 *
 * @param secrets of the authorization; as those of the request, no message may contain them (I10)
 */
export function mapAnswer(
  request: BerbixRequest,
  response: AxiosResponse<Buffer>,
  startedAt: number,
  secrets: readonly string[],
): BerbixAnswer | BerbixError {
  const { status, data, headers } = response;
  const redact = redaction(request, secrets);
  const requestId = shortWord(headers['x-request-id'], redact);
  const isGood = status >= 200 && status < 300;
  const body = isGood && data.length > 0 ? jsonObject(data) : undefined;
  if (isGood && (body !== undefined || data.length === 0)) {
    return { status, body, startedAt, requestId };
  }
  const { method, path } = request;
  const details: BerbixErrorDetails = { status, requestId, method, path };
  if (isGood) {
    const [mediaType] = String(headers['content-type'] ?? '').split(';');
    const type = shortWord(mediaType, redact) ?? 'no content type';
    return new BerbixResponseError(
      `The answer to ${call(request)} was ${status} with a body that is not a JSON object (${type}). ` +
        'Is apiHost the Berbix API, or did a proxy answer instead?',
      details,
    );
  }
  if (status < 400) {
    return new BerbixResponseError(
      `The answer to ${call(request)} was ${status}, a redirect. It is not followed, since that would ` +
        'send the credentials elsewhere. Check apiHost.',
      details,
    );
  }
  return errorFor(request, details, data, headers, redact);
}

/** Each message has the call and the reason that the API gave. */
function errorFor(
  request: BerbixRequest,
  details: BerbixErrorDetails,
  data: Buffer,
  headers: AxiosResponse['headers'],
  redact: Redact,
): BerbixError {
  const status = details.status as number;
  const body = jsonObject(data) ?? {};
  const { message } = body;
  const said = typeof message === 'string' ? redact(message) : '';
  const readable = typeof body['readable'] === 'string' ? redact(body['readable']) : undefined;
  const known = { ...details, ...(readable !== undefined && { readable }) };
  const reason = said === '' ? withheld(message) : ` Berbix says: ${JSON.stringify(said)}`;
  const refused = `${call(request)} was refused (${status}).`;
  const later = {
    ...known,
    retryable: true,
    retryAfterMs: parseRetryAfter(headers['retry-after']),
  };

  if (blamesRefreshToken(request, status, readable, said)) {
    return new BerbixInvalidRefreshTokenError(
      `${refused} The refresh token is unknown to this account: it belongs to another account or ` +
        `mode, or was replaced by a newer one. Check that apiSecret is of its account and mode; ` +
        `if it is, start a new transaction.${reason}`,
      known,
    );
  }
  switch (status) {
    case 401:
      if (request.bearer !== undefined) {
        return new BerbixInvalidAccessTokenError(
          `${refused} The access or client token is not valid, or has expired; refresh the tokens.${reason}`,
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
      const nextStep = typeof step === 'string' ? redact(step) : undefined;
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

function withheld(message: unknown): string {
  return typeof message === 'string' && message !== ''
    ? ' The reason that Berbix gives is withheld, since it may quote the request.'
    : '';
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
    // The parser's message quotes the body, which may contain tokens (I10).
    return undefined;
  }
}

/** A header value, if it is a plain word or media type and not a secret. */
function shortWord(value: unknown, redact: Redact): string | undefined {
  if (typeof value !== 'string' || !/^[\w.+/-]{1,100}$/.test(value)) return undefined;
  return redact(value) === value ? value : undefined;
}

function call(request: BerbixRequest): string {
  return `${request.method} ${request.path}`;
}
