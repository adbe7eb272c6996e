import type { NoTurn } from '../../concurrency/index.js';
import {
  BerbixGoneError,
  BerbixInvalidAccessTokenError,
  BerbixInvalidRefreshTokenError,
  BerbixStoreError,
  BerbixTimeoutError,
  BerbixUnavailableError,
  isBerbixError,
  type BerbixError,
} from '../../errors/index.js';

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

/** The wait for another replica took too long. */
export function renewalTimeoutError(): BerbixTimeoutError {
  return new BerbixTimeoutError(
    'Another replica is exchanging this refresh token, and did not finish in time.',
    { retryable: true },
  );
}

/** The application shut down during a wait for another replica. */
export function shutDown(): BerbixTimeoutError {
  return new BerbixTimeoutError(
    'The application shut down while another replica was exchanging this refresh token.',
    { retryable: true },
  );
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

/**
 * The message of an error of this package, or the name of any other, whose message may hold a
 * secret (I10).
 */
export function sentenceOf(error: unknown): string {
  return isBerbixError(error) ? error.message : String((error as Error)?.name);
}
