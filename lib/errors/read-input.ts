import { isBerbixError, nameOf } from './berbix.error.js';
import { BerbixInputError } from './error-classes.js';

/**
 * Reads an argument, whose getters may throw anything.
 *
 * @param expected a sentence that says what the call takes
 * @throws {BerbixError} that `read` throws; {BerbixInputError} instead of any other error
 */
export function readInput<T>(expected: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asInputError(expected, error);
  }
}

/** The same for a caught error. The message of a foreign error may quote a secret (I10). */
export function asInputError(expected: string, error: unknown): Error {
  if (isBerbixError(error)) return error;
  return new BerbixInputError(`${expected} The argument cannot be read (${nameOf(error)}).`);
}
