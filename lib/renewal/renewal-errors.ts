import type { Caller, NoTurn } from '../concurrency/index.js';
import {
  BerbixGoneError,
  BerbixInvalidAccessTokenError,
  BerbixInvalidRefreshTokenError,
  BerbixResponseError,
  BerbixStoreError,
  BerbixTimeoutError,
  BerbixUnavailableError,
  type BerbixError,
} from '../errors/index.js';
import type { BerbixTokens } from '../values/index.js';

/** The last exchange failed or has an unknown outcome, and the next one is not due yet. */
export function renewalPostponedError(
  waitMs: number,
  isOutcomeUnknown: boolean,
): BerbixUnavailableError {
  const how = isOutcomeUnknown ? 'has an unknown outcome' : 'failed';
  return new BerbixUnavailableError(
    `The last exchange of this refresh token ${how}; the next one is not due yet.`,
    { retryable: true, retryAfterMs: waitMs },
  );
}

/** The refresh token is dead: no exchange of it will succeed. */
export function deadTokenError(code: string, waitMs: number): BerbixError {
  const again = `as it said before; it is asked again in ${Math.ceil(waitMs / 1000)} s`;
  return code === 'BERBIX_GONE'
    ? new BerbixGoneError(
        `The transaction was deleted or purged, ${again}. Start a new transaction.`,
        { status: 410 },
      )
    : new BerbixInvalidRefreshTokenError(
        `The API does not know the stored refresh token, ${again}. Check that apiSecret is of its account and mode; if it is, start a new transaction.`,
      );
}

/** The refused access token came a moment ago: another one would most likely be refused too. */
export function refusedAgainError(waitMs: number): BerbixInvalidAccessTokenError {
  return new BerbixInvalidAccessTokenError(
    'The API refuses an access token that it gave a moment ago.',
    { retryable: true, retryAfterMs: waitMs },
  );
}

/** An exchange, just now or a moment ago, brought no client token. */
export function noClientTokenError(): BerbixResponseError {
  return new BerbixResponseError('The API returned no client token for this transaction.');
}

/** A caller has waited for their own time limit, or for `totalTimeoutMs` milliseconds. */
export function deadlineError({ timeoutMs }: Caller, totalTimeoutMs: number): BerbixTimeoutError {
  const within =
    timeoutMs === undefined
      ? `${totalTimeoutMs} ms (totalTimeoutMs)`
      : `${timeoutMs} ms (the limit of this call)`;
  return new BerbixTimeoutError(`There were no fresh tokens within ${within}.`, {
    retryable: true,
  });
}

/** A caller can wait no longer; `unsaved` is a new refresh token that only this process has. */
export function unsavedTokensError(why: BerbixError, unsaved: BerbixTokens): BerbixError {
  return new BerbixStoreError(
    `${why.message} The API has replaced the refresh token, and the new one is not saved yet; it is in \`error.tokens\`.`,
    { retryable: true },
  ).withTokens(unsaved);
}

/** The store got another refresh token while this one was being exchanged. */
export function conflictingTokensError(): BerbixStoreError {
  return new BerbixStoreError(
    'The store now has another refresh token for this transaction, and it is not known which one is newer.',
    { retryable: true },
  );
}

/** The exchange was not started: too many others are queued. */
export function queueFullError({ retryAfterMs }: NoTurn): BerbixUnavailableError {
  return new BerbixUnavailableError(
    'Too many refresh tokens wait for their exchange: this one could not end within totalTimeoutMs. Slow down, or raise http.connections.',
    { retryable: true, retryAfterMs },
  );
}
