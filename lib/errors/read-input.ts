import { isBerbixError } from './berbix.error.js';
import { BerbixInputError } from './berbix.errors.js';

/**
 * Reads an argument. Its getters or a proxy may throw anything; callers of this package get a
 * {@link BerbixInputError}.
 *
 * @param expected a sentence that says what the call takes
 * @throws {BerbixError} what `read` throws, if it is one; {BerbixInputError} for any other error
 */
export function readInput<T>(expected: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asInputError(expected, error);
  }
}

/** The same for an error that was caught already. The message of a foreign error may quote a secret. */
export function asInputError(expected: string, error: unknown): Error {
  if (isBerbixError(error)) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return new BerbixInputError(`${expected} What was given cannot be read (${name}).`);
}
