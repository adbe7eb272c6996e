import { describe, expect, it } from '@jest/globals';
import {
  BerbixConfigurationError,
  BerbixServerError,
  BerbixUnavailableError,
  type BerbixError,
} from 'nestjs-berbix';
import { attemptAfter } from '../../../lib/tokens/freshness/attempt-after.js';
import type { SeenTokens } from '../../../lib/tokens/freshness/token-records.js';

/** The store's clock at the look; what a busy machine takes from there on changes no row. */
const NOW = 1_000_000_000;
const POLICY = {
  rotation: 'strict',
  leaseMs: 30_000,
  totalTimeoutMs: 15_000,
  hookTimeoutMs: 10_000,
  notifies: false,
} as const;

const FULL = new BerbixUnavailableError('full', { retryable: true }).withoutEffect();
const NO_SECRET = new BerbixConfigurationError('no secret').withoutEffect();
const OUT_OF_ORDER = new BerbixServerError('out of order', { status: 503, retryable: true });

function attemptLeftBy(error: BerbixError, attempt: SeenTokens['attempt']) {
  const seen: SeenTokens = {
    key: 'transaction/1',
    version: 1,
    fence: 1,
    value: { refreshToken: 'rt_1', spares: ['rt_0'] },
    attempt,
    leasedForMs: 0,
    moment: { store: NOW, local: performance.now() },
  };
  // What is undefined is not stored.
  return JSON.parse(JSON.stringify(attemptAfter(seen, { error, startedAt: NOW }, POLICY)));
}

describe('attemptAfter', () => {
  it.each([
    ['too many calls', FULL],
    ['no API secret', NO_SECRET],
  ])('where nothing was sent for %s, the next may try at once', (_, error) => {
    expect(attemptLeftBy(error, {})).toEqual({});
  });

  it.each([
    ['nothing was sent', FULL],
    ['the API is out of order', OUT_OF_ORDER],
  ])('where %s, what is known of the attempts before stays', (_, error) => {
    const known = { isUnreported: true, unknownCount: 1, startedAt: NOW - 5_000 } as const;
    expect(attemptLeftBy(error, known)).toMatchObject(known);
  });

  it('the failures of a token that counted as dead are not those of an API that is out of order', () => {
    const before = { deadCode: 'BERBIX_INVALID_REFRESH_TOKEN', failures: 6, notBefore: NOW - 1 };
    const attempt = attemptLeftBy(OUT_OF_ORDER, before);
    expect(attempt).toMatchObject({ failures: 1, startedAt: NOW });
    expect(attempt).not.toHaveProperty('deadCode');
  });
});
