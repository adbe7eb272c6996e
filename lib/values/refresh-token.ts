import { BerbixInputError, BerbixInvalidRefreshTokenError, REDACTED } from '../errors/index.js';

/** The start of a printed BerbixTokens. */
export const PRINTED_PREFIX = 'BerbixTokens';

/**
 * Control characters, line breaks included: the sign of a token that was cut from a file or a
 * terminal.
 */
const CONTROL_CHARACTERS = /\p{Cc}/u;

/** Whether it can be sent as a refresh token. Nothing is assumed about its form or length. */
export function isRefreshToken(value: unknown): value is string {
  return isToken(value) && !CONTROL_CHARACTERS.test(value);
}

/** Whether it can be a token of any kind: a non-empty string that is not a redacted token. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !isRedacted(value);
}

/** @throws {BerbixInputError} for a token that was redacted by JSON or printing */
export function refuseRedacted(value: unknown): void {
  if (typeof value !== 'string' || !isRedacted(value)) return;
  throw new BerbixInputError(
    `These tokens were converted to JSON or printed, which replaces each secret by "${REDACTED}". Pass the BerbixTokens unchanged, or store tokens.refreshToken and pass that.`,
  );
}

/** Whether it is a printed BerbixTokens or a part of one: no real token contains such a text. */
function isRedacted(value: string): boolean {
  return value.includes(REDACTED) || value.startsWith(PRINTED_PREFIX);
}

/**
 * Returns the value if it can be a refresh token.
 *
 * @throws {BerbixInvalidRefreshTokenError} that says what is wrong, without the value
 * @throws {BerbixInputError} if it was redacted by JSON or printing
 */
export function requireRefreshToken(value: unknown): string {
  if (isRefreshToken(value)) return value;
  refuseRedacted(value);
  throw new BerbixInvalidRefreshTokenError(
    `The refresh token ${describeProblem(value)}. Load it from where it was stored when the transaction ` +
      'was created. Nothing was sent.',
  );
}

function describeProblem(value: unknown): string {
  if (value === undefined || value === null) return 'is missing';
  if (typeof value !== 'string') return `is of type ${typeof value}, not a string`;
  return value === '' ? 'is empty' : 'contains a line break or another control character';
}
