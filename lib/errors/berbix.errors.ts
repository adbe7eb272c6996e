import { BerbixError, type BerbixErrorDetails } from './berbix.error.js';

/**
 * An option or an environment variable is missing or wrong. Stops the boot, or ends a call where it
 * shows no earlier, as with a function given as `apiSecret`; the message names it.
 */
export class BerbixConfigurationError extends BerbixError {
  readonly code = 'BERBIX_CONFIGURATION';
}

/** An argument of a call cannot be sent, such as an empty customer uid. Nothing was sent. */
export class BerbixInputError extends BerbixError {
  readonly code = 'BERBIX_INPUT';
}

/**
 * The API did not accept the API secret (401). It concerns the whole account, not one transaction:
 * never take a stored refresh token for dead because of it.
 */
export class BerbixAuthenticationError extends BerbixError {
  readonly code = 'BERBIX_AUTHENTICATION';
}

/**
 * The refresh token is not one: empty or malformed (nothing was sent then), or refused by the API
 * as unknown to the account. Check that the API secret is of the transaction's account and mode; if it
 * is, a new transaction is the way on.
 */
export class BerbixInvalidRefreshTokenError extends BerbixError {
  readonly code = 'BERBIX_INVALID_REFRESH_TOKEN';
}

/** The API did not accept the access or client token (401), not even after a refresh; or it cannot be sent. */
export class BerbixInvalidAccessTokenError extends BerbixError {
  readonly code = 'BERBIX_INVALID_ACCESS_TOKEN';
}

/** The transaction was deleted or purged (410). A new transaction is the way on. */
export class BerbixGoneError extends BerbixError {
  readonly code = 'BERBIX_GONE';
}

/** The transaction is in another state than the call expects (409). */
export class BerbixConflictError extends BerbixError {
  readonly code = 'BERBIX_CONFLICT';
  /** What the transaction waits for, as the API names it. */
  declare readonly nextStep?: string;

  constructor(message: string, details: BerbixErrorDetails, nextStep?: string) {
    super(message, details);
    if (nextStep !== undefined) this.nextStep = nextStep;
  }
}

/** The API refused the request for a reason that no other class names (4xx); the same request fails again. */
export class BerbixRequestError extends BerbixError {
  readonly code = 'BERBIX_REQUEST';
}

/** Too many requests (429); `retryAfterMs` says how long to wait, where the API said so. */
export class BerbixRateLimitError extends BerbixError {
  readonly code = 'BERBIX_RATE_LIMIT';
}

/** The API failed (5xx), again after the retries if the call is safe to repeat. */
export class BerbixServerError extends BerbixError {
  readonly code = 'BERBIX_SERVER';
}

/** No complete answer in time: `timeoutMs` for one attempt, `totalTimeoutMs` for the whole call. */
export class BerbixTimeoutError extends BerbixError {
  readonly code = 'BERBIX_TIMEOUT';
}

/**
 * No connection, or one that broke before the answer was complete. Not `retryable` where it was this
 * application that ended the call: the module is shut down, or an interceptor failed.
 */
export class BerbixConnectionError extends BerbixError {
  readonly code = 'BERBIX_CONNECTION';
  /** The system's or the HTTP client's short code, such as `ECONNREFUSED`. */
  declare readonly reason?: string;

  constructor(message: string, details: BerbixErrorDetails, reason?: string) {
    super(message, details);
    if (reason !== undefined) this.reason = reason;
  }
}

/**
 * The call was not sent: the circuit is open after many failures, to spare an API in trouble, or too
 * many calls wait for it to end in time.
 */
export class BerbixUnavailableError extends BerbixError {
  readonly code = 'BERBIX_UNAVAILABLE';
}

/** The answer is not what the API promises: not JSON, a missing or mistyped field, a redirect, too large. */
export class BerbixResponseError extends BerbixError {
  readonly code = 'BERBIX_RESPONSE';
}

/** Nothing is stored for this customer or transaction. Begin a verification, or hand its tokens over with `remember`. */
export class BerbixNotFoundError extends BerbixError {
  readonly code = 'BERBIX_NOT_FOUND';
}

/**
 * The store of the tokens failed, did not answer in time, or holds what cannot be read. Where the
 * API had replaced the refresh token already, `tokens` holds the one to keep.
 */
export class BerbixStoreError extends BerbixError {
  readonly code = 'BERBIX_STORE';
  /** The short code of the driver or of the system, such as `ECONNREFUSED` or an SQLSTATE. */
  declare readonly reason?: string;

  constructor(message: string, details?: BerbixErrorDetails, reason?: string) {
    super(message, details);
    if (reason !== undefined) this.reason = reason;
  }
}

/** A webhook that is not from Berbix, as far as can be told: its signature is missing, wrong or too old. */
export class BerbixWebhookSignatureError extends BerbixError {
  readonly code = 'BERBIX_WEBHOOK_SIGNATURE';
}

/** A webhook with a good signature and a body that is not what Berbix promises. */
export class BerbixWebhookBodyError extends BerbixError {
  readonly code = 'BERBIX_WEBHOOK_BODY';
}
