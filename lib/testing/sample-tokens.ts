import { BerbixTokens, type BerbixTokensInit } from '../tokens/index.js';

const HOUR_MS = 3_600_000;

let made = 0;

/**
 * Tokens as the API gives them, of a transaction of their own and good for an hour, or with parts
 * that are given. No API knows them.
 *
 * @example
 * ```ts
 * const tokens = sampleTokens();
 * const ended = sampleTokens({ expiresAt: new Date(0) });
 * ```
 */
export function sampleTokens(parts: Partial<BerbixTokensInit> = {}): BerbixTokens {
  made++;
  return new BerbixTokens({
    refreshToken: `rt_sample_${made}`,
    accessToken: `at_sample_${made}`,
    clientToken: `ct_sample_${made}`,
    transactionId: `${1_234_123_412_340_000 + made}`,
    lifetimeMs: HOUR_MS,
    expiresAt: new Date(Date.now() + HOUR_MS),
    ...parts,
  });
}
