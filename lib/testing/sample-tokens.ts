import { BerbixTokens, type BerbixTokensInit } from '../values/index.js';

const HOUR_MS = 3_600_000;

let count = 0;

/**
 * Tokens like those of the API, of a new transaction and valid for an hour, or with the given
 * parts. No API knows them.
 *
 * @example
 * ```ts
 * const tokens = sampleTokens();
 * const expired = sampleTokens({ expiresAt: new Date(0) });
 * ```
 */
export function sampleTokens(parts: Partial<BerbixTokensInit> = {}): BerbixTokens {
  count++;
  return new BerbixTokens({
    refreshToken: `rt_sample_${count}`,
    accessToken: `at_sample_${count}`,
    clientToken: `ct_sample_${count}`,
    transactionId: `${1_234_123_412_340_000 + count}`,
    lifetimeMs: HOUR_MS,
    expiresAt: new Date(Date.now() + HOUR_MS),
    ...parts,
  });
}
