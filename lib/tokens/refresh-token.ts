import { BerbixInvalidRefreshTokenError } from '../errors/index.js';

/** Control characters, line breaks included: the sign of a token that was cut from a file or a terminal. */
const CONTROL_CHARACTERS = /\p{Cc}/u;

/** Nothing is assumed of its form or length. */
export function isRefreshToken(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !CONTROL_CHARACTERS.test(value);
}

/**
 * The value itself, if it can be a refresh token.
 *
 * @throws {BerbixInvalidRefreshTokenError} that says what is wrong, without the value
 */
export function requireRefreshToken(value: unknown): string {
  if (isRefreshToken(value)) return value;
  throw new BerbixInvalidRefreshTokenError(
    `The refresh token ${problemOf(value)}. Load it from where it was stored when the transaction ` +
      'was created. Nothing was sent.',
  );
}

function problemOf(value: unknown): string {
  if (value === undefined || value === null) return 'is missing';
  if (typeof value !== 'string') return `is of type ${typeof value}, not a string`;
  return value === '' ? 'is empty' : 'contains a line break or another control character';
}
