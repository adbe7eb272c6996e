import { describe, expect, it, jest } from '@jest/globals';
import {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixInvalidRefreshTokenError,
  BerbixRateLimitError,
  BerbixServerError,
  BerbixUnavailableError,
  type BerbixError,
} from 'nestjs-berbix';
import { attemptAfter } from '../../lib/renewal/attempt-after.js';
import type { ExchangeAttempt } from '../../lib/token-store/index.js';

/** The store's clock. */
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
const UNKNOWN = new BerbixInvalidRefreshTokenError('unknown', { status: 400 });
const REFUSED = new BerbixAuthenticationError('refused', { status: 401 });
const BUSY = new BerbixRateLimitError('busy', { status: 429, retryAfterMs: 3_600_000 });
const SERVER_ERROR = new BerbixServerError('out of order', { status: 503, retryable: true });

function attemptLeftBy(error: BerbixError, attempt: ExchangeAttempt) {
  const state = { value: { refreshToken: 'rt_1', spares: ['rt_0'] }, attempt, now: NOW };
  // Undefined fields are not stored.
  return JSON.parse(JSON.stringify(attemptAfter(state, { error, startedAt: NOW }, POLICY)));
}

describe('attemptAfter', () => {
  it.each([
    ['too many calls', FULL],
    ['a missing API secret', NO_SECRET],
  ])('if nothing was sent because of %s, the next caller may try immediately', (_, error) => {
    expect(attemptLeftBy(error, {})).toEqual({});
  });

  it('I3: a request that was sent before the shutdown leaves the token in doubt, without a backoff', () => {
    const ended = new BerbixUnavailableError('shut down', { retryable: true });
    expect(attemptLeftBy(ended, {})).toEqual({ startedAt: NOW });
  });

  it.each([
    ['nothing was sent', FULL],
    ['the API answers with a server error', SERVER_ERROR],
  ])('if %s, the notes on earlier attempts stay', (_, error) => {
    const known = { isUnreported: true, unknownCount: 1, startedAt: NOW - 5_000 } as const;
    expect(attemptLeftBy(error, known)).toMatchObject(known);
  });

  it('I3: "unknown", while another replica may be at work, leaves the token in doubt since its first attempt', () => {
    const times = { startedAt: NOW - 5_000, failures: 2 };
    const known = { isUnreported: true, unknownCount: 1, ...times } as const;
    expect(attemptLeftBy(UNKNOWN, known)).toEqual({
      failures: 2,
      notBefore: NOW + POLICY.leaseMs,
      startedAt: known.startedAt,
    });
  });

  it.each([
    ['an outage', SERVER_ERROR, [1_000, 2_000, 4_000, 32_000, 60_000]],
    ['an API secret that is refused', REFUSED, [1_000, 2_000, 4_000, 5_000, 5_000]],
    ['a long Retry-After', BUSY, [60_000, 60_000, 60_000, 60_000, 60_000]],
  ])('all replicas wait longer after each failure, up to a limit: %s', (_, error, waits) => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(1);
    try {
      const before = [0, 1, 2, 5, 6];
      expect(before.map((failures) => attemptLeftBy(error, { failures }).notBefore - NOW)).toEqual(
        waits,
      );
    } finally {
      random.mockRestore();
    }
  });

  it('a server error does not continue the count of failures of a dead refresh token', () => {
    const before = { deadCode: 'BERBIX_INVALID_REFRESH_TOKEN', failures: 6, notBefore: NOW - 1 };
    const attempt = attemptLeftBy(SERVER_ERROR, before);
    expect(attempt).toMatchObject({ failures: 1, startedAt: NOW });
    expect(attempt).not.toHaveProperty('deadCode');
  });
});
