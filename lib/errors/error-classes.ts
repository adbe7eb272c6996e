import { BerbixError, type BerbixErrorDetails } from './berbix.error.js';

/**
 * An option or an environment variable is missing or invalid; the message names it. It stops the
 * boot, or fails a call if it is found only then, as with a function for `apiSecret`.
 */
export class BerbixConfigurationError extends BerbixError {
  readonly code = 'BERBIX_CONFIGURATION';
}

/** An argument of a call is invalid, such as an empty customer uid. Nothing was sent. */
export class BerbixInputError extends BerbixError {
  readonly code = 'BERBIX_INPUT';
}

/**
 * The `signal` of the call was aborted: by this application, so it is neither a failure of Berbix nor
 * `retryable`. What had been sent may have taken effect.
 */
export class BerbixAbortedError extends BerbixError {
  readonly code = 'BERBIX_ABORTED';
}

/**
 * The API did not accept the API secret (401). This concerns the whole account, not one
 * transaction: never discard a stored refresh token because of it.
 */
export class BerbixAuthenticationError extends BerbixError {
  readonly code = 'BERBIX_AUTHENTICATION';
}

/**
 * The refresh token is empty or malformed, and nothing was sent; or the API does not know it. Check
 * that the API secret is of the account and mode of the transaction. If it is, create a new
 * transaction.
 */
export class BerbixInvalidRefreshTokenError extends BerbixError {
  readonly code = 'BERBIX_INVALID_REFRESH_TOKEN';
}

/**
 * The API did not accept the access or client token (401), not even after a refresh; or the token
 * cannot be sent.
 */
export class BerbixInvalidAccessTokenError extends BerbixError {
  readonly code = 'BERBIX_INVALID_ACCESS_TOKEN';
}

/** The transaction was deleted or purged (410). Create a new transaction. */
export class BerbixGoneError extends BerbixError {
  readonly code = 'BERBIX_GONE';
}

/** The transaction is not in the state that the call expects (409). */
export class BerbixConflictError extends BerbixError {
  readonly code = 'BERBIX_CONFLICT';
  /** The step that the transaction waits for, as the API names it. */
  declare readonly nextStep?: string;

  constructor(message: string, details: BerbixErrorDetails, nextStep?: string) {
    super(message, details);
    if (nextStep !== undefined) this.nextStep = nextStep;
  }
}

/** The API refused the request for another reason (4xx); the same request would fail again. */
export class BerbixRequestError extends BerbixError {
  readonly code = 'BERBIX_REQUEST';
}

/** Too many requests (429); `retryAfterMs` says how long to wait, if the API said so. */
export class BerbixRateLimitError extends BerbixError {
  readonly code = 'BERBIX_RATE_LIMIT';
}

/** The API failed (5xx), also in the repetitions of a call that is safe to repeat. */
export class BerbixServerError extends BerbixError {
  readonly code = 'BERBIX_SERVER';
}

/** No complete answer within `timeoutMs` (one attempt) or `totalTimeoutMs` (the whole call). */
export class BerbixTimeoutError extends BerbixError {
  readonly code = 'BERBIX_TIMEOUT';
}

/**
 * There was no connection, or it broke before the answer was complete. Not `retryable` if the cause
 * is in this application: its own dispatcher is closed, or an interceptor failed.
 */
export class BerbixConnectionError extends BerbixError {
  readonly code = 'BERBIX_CONNECTION';
  /** The short code of the system or of the HTTP client, such as `ECONNREFUSED`. */
  declare readonly reason?: string;

  constructor(message: string, details: BerbixErrorDetails, reason?: string) {
    super(message, details);
    if (reason !== undefined) this.reason = reason;
  }
}

/**
 * The call was not sent: the circuit is open after many failures, or too many calls are waiting for
 * this one to end in time. Or the application shut down during the call.
 */
export class BerbixUnavailableError extends BerbixError {
  readonly code = 'BERBIX_UNAVAILABLE';
}

/**
 * The answer breaks the contract of the API: it is not JSON, has a missing or mistyped field, is a
 * redirect, or is too large.
 */
export class BerbixResponseError extends BerbixError {
  readonly code = 'BERBIX_RESPONSE';
}

/**
 * Nothing is stored for this customer or transaction. Begin a verification, or store tokens with
 * `remember`.
 */
export class BerbixNotFoundError extends BerbixError {
  readonly code = 'BERBIX_NOT_FOUND';
}

/**
 * The token store failed, did not answer in time, or has a value that cannot be read; or a hook
 * (`loadTokens`, `onRotation`) failed. If the API had already replaced the refresh token, `tokens`
 * has the one to keep.
 */
export class BerbixStoreError extends BerbixError {
  readonly code = 'BERBIX_STORE';
  /**
   * The short code of the driver or of the system, such as `ECONNREFUSED` or an SQLSTATE; or one of
   * this package: `TIMEOUT` (no answer in time), `BUSY` (too many calls wait), `BAD_ANSWER` (not
   * what the contract of stores promises), `HOOK` (`loadTokens` or `onRotation` failed, not the
   * store).
   */
  declare readonly reason?: string;

  constructor(message: string, details?: BerbixErrorDetails, reason?: string) {
    super(message, details);
    if (reason !== undefined) this.reason = reason;
  }
}

/** A webhook that may not be from Berbix: its signature is missing, wrong or too old. */
export class BerbixWebhookSignatureError extends BerbixError {
  readonly code = 'BERBIX_WEBHOOK_SIGNATURE';
}

/** A webhook with a valid signature, but a body that breaks the contract of Berbix. */
export class BerbixWebhookBodyError extends BerbixError {
  readonly code = 'BERBIX_WEBHOOK_BODY';
}
