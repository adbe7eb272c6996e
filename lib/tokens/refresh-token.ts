import { BerbixInputError, BerbixInvalidRefreshTokenError, REDACTED } from '../errors/index.js';

/** How BerbixTokens begin as text. */
export const PRINTED_PREFIX = 'BerbixTokens';

/** Control characters, line breaks included: the sign of a token that was cut from a file or a terminal. */
const CONTROL_CHARACTERS = /\p{Cc}/u;

/** Nothing is assumed of its form or length. */
export function isRefreshToken(value: unknown): value is string {
  return isToken(value) && !CONTROL_CHARACTERS.test(value);
}

/** Whether it can be a token of any kind: a string that is not empty, and not what printing leaves of one. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !isRedacted(value);
}

/** @throws {BerbixInputError} when the value is what JSON or printing leaves of tokens */
export function refuseRedacted(value: unknown): void {
  if (typeof value !== 'string' || !isRedacted(value)) return;
  throw new BerbixInputError(
    `These tokens went through JSON or were printed, which leaves "${REDACTED}" in place of each secret. Pass the BerbixTokens as they are, or store tokens.refreshToken and pass that.`,
  );
}

/** Whether it is one of a printed BerbixTokens, or all of it: no token has such a text in it. */
function isRedacted(value: string): boolean {
  return value.includes(REDACTED) || value.startsWith(PRINTED_PREFIX);
}

/**
 * The value itself, if it can be a refresh token.
 *
 * @throws {BerbixInvalidRefreshTokenError} that says what is wrong, without the value
 * @throws {BerbixInputError} when it is what JSON or printing leaves of tokens
 */
export function requireRefreshToken(value: unknown): string {
  if (isRefreshToken(value)) return value;
  refuseRedacted(value);
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
