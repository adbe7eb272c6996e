import { callLimits, type BerbixCallOptions, type CallLimits } from '../concurrency/index.js';
import { BerbixInputError, readInput } from '../errors/index.js';
import { isLeeway, type TokenRequirement } from '../renewal/index.js';

/** Options of `fresh()`. */
export interface FreshTokensOptions extends BerbixCallOptions {
  /**
   * Milliseconds for which the tokens must be valid; at most three quarters of their lifetime. By
   * default a minute, or a tenth of their lifetime if that is less.
   */
  leewayMs?: number | undefined;
  /** An access token that the API has refused with 401; another one is returned. */
  refused?: string | undefined;
}

/** Always the same object, so that the usual call is recognized quickly. */
export const NO_OPTIONS: FreshTokensOptions = {};

const NAMES = ['leewayMs', 'refused'];

/** @throws {BerbixInputError} for invalid options, also misspelled names */
export function freshLimits(options: FreshTokensOptions): CallLimits | undefined {
  return options === NO_OPTIONS ? undefined : callLimits(options, NAMES, 'fresh()');
}

/** @throws {BerbixInputError} for invalid options */
export function requirementFrom(options: FreshTokensOptions): TokenRequirement {
  const { leewayMs, refused } = readInput('The options of fresh() cannot be read.', () => ({
    leewayMs: options.leewayMs,
    refused: options.refused,
  }));
  if (!isLeeway(leewayMs)) {
    throw new BerbixInputError('leewayMs must be a number of milliseconds, 0 or more.');
  }
  if (refused !== undefined && typeof refused !== 'string') {
    throw new BerbixInputError('refused must be the access token that the API refused.');
  }
  return { leewayMs, refused };
}
