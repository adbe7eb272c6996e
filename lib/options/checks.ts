import { BerbixConfigurationError } from '../errors/index.js';

/** A day. A longer time is a mistake in the unit, and timers overflow at 24.8 days. */
const MAX_MS = 86_400_000;

/**
 * Refuses unknown options: otherwise, a misspelled option would be ignored silently.
 *
 * @param known every key of the options: a missing one does not compile
 * @throws {BerbixConfigurationError}
 */
export function onlyKnown<Options extends object>(
  where: string,
  options: unknown,
  known: Record<keyof Options, true>,
): void {
  const names = Object.keys(known);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BerbixConfigurationError(`${where} must be an object with ${names.join(', ')}.`);
  }
  const unknown = Object.keys(options).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw new BerbixConfigurationError(
      `${where} has no option named "${unknown}". It takes ${names.join(', ')}.`,
    );
  }
}

/**
 * Checks an option that is a whole number; by default of milliseconds, at most a day.
 *
 * @param name of the option, for the message
 * @returns the value, or `fallback` if there is none
 * @throws {BerbixConfigurationError}
 */
export function checkInteger(
  name: string,
  value: unknown,
  fallback: number | undefined,
  min = 1,
  max = MAX_MS,
): number {
  if (value === undefined && fallback !== undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  const range = max === Infinity ? `, ${min} or more` : ` from ${min} to ${max}`;
  const otherwise = fallback === undefined ? '' : `; the default is ${fallback}`;
  throw new BerbixConfigurationError(`${name} must be a whole number${range}${otherwise}.`);
}

/**
 * Checks an option that is true or false.
 *
 * @returns the value; false if there is none
 * @throws {BerbixConfigurationError}
 */
export function checkBoolean(name: string, value: unknown = false): boolean {
  if (typeof value === 'boolean') return value;
  throw new BerbixConfigurationError(`${name} must be true or false.`);
}

/**
 * Checks an option that is a function, if there is one.
 *
 * @returns the value
 * @throws {BerbixConfigurationError}
 */
export function checkFunction<T>(name: string, value: T): T {
  if (value === undefined || typeof value === 'function') return value;
  throw new BerbixConfigurationError(`${name} must be a function.`);
}
