import { describe, expect, it, jest } from '@jest/globals';
import {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixRateLimitError,
  BerbixServerError,
  BerbixUnavailableError,
  type BerbixError,
} from 'nestjs-berbix';
import { attemptAfter } from '../../lib/renewal/attempt-after.js';
import type { RenewalPolicy } from '../../lib/renewal/renewal-state.js';
import type { ExchangeAttempt } from '../../lib/token-store/index.js';

/** The store's clock. */
const NOW = 1_000_000_000;
const POLICY = {
  leaseMs: 30_000,
  totalTimeoutMs: 15_000,
  hookTimeoutMs: 10_000,
  notifies: false,
} as const;

const FULL = new BerbixUnavailableError('full', { retryable: true }).withoutEffect();
const NO_SECRET = new BerbixConfigurationError('no secret').withoutEffect();
const UNKNOWN = new BerbixInvalidRefreshTokenError('unknown', { status: 400 });
const GONE = new BerbixGoneError('gone', { status: 410 });
const REFUSED = new BerbixAuthenticationError('refused', { status: 401 });
const BUSY = new BerbixRateLimitError('busy', { status: 429, retryAfterMs: 3_600_000 });
const SERVER_ERROR = new BerbixServerError('out of order', { status: 503, retryable: true });

function attemptLeftBy(
  error: BerbixError,
  attempt: ExchangeAttempt,
  rotation: RenewalPolicy['rotation'] = 'strict',
) {
  const state = { value: { refreshToken: 'rt_1', spares: ['rt_0'] }, attempt, now: NOW };
  const policy = { ...POLICY, rotation };
  // Undefined fields are not stored.
  return JSON.parse(JSON.stringify(attemptAfter(state, { error, startedAt: NOW }, policy)));
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

  it.each<[number | undefined, RenewalPolicy['rotation'], number]>([
    // 45 of the 60 seconds of the grace: after them, an exchange may end too late.
    [44_999, { graceMs: 60_000 }, 1],
    [44_500, { graceMs: 60_000 }, 500],
    [44_000, { graceMs: 60_000 }, 1_000],
    [45_000, { graceMs: 60_000 }, 1_000],
    [undefined, { graceMs: 15_500 }, 500],
    [44_999, 'strict', 1_000],
    [44_999, 'none', 1_000],
  ])(
    'no replica waits past the grace of a token in doubt: since %s ms, rotation %j',
    (sinceMs, rotation, waitMs) => {
      const random = jest.spyOn(Math, 'random').mockReturnValue(1);
      try {
        const attempt = sinceMs === undefined ? {} : { startedAt: NOW - sinceMs };
        expect(attemptLeftBy(SERVER_ERROR, attempt, rotation).notBefore - NOW).toBe(waitMs);
      } finally {
        random.mockRestore();
      }
    },
  );

  it('of an unknown refresh token counts it, until no spare is left; one that is gone is dead', () => {
    const dead = (error: BerbixError, failures: number, minutes: number) => ({
      deadCode: error.code,
      failures,
      notBefore: NOW + minutes * 60_000,
    });
    expect(attemptLeftBy(UNKNOWN, {})).toEqual({ unknownCount: 1 });
    expect(attemptLeftBy(UNKNOWN, { unknownCount: 1 })).toEqual(dead(UNKNOWN, 1, 1));
    expect(attemptLeftBy(GONE, {})).toEqual(dead(GONE, 1, 1));
    // An outage in between does not count.
    expect(attemptLeftBy(GONE, { failures: 5 })).toEqual(dead(GONE, 1, 1));
    for (const [failures, minutes] of [
      [1, 2],
      [2, 4],
      [5, 32],
      [6, 60],
      [99, 60],
    ] as const) {
      const before = { deadCode: GONE.code, failures };
      expect(attemptLeftBy(GONE, before)).toEqual(dead(GONE, failures + 1, minutes));
    }
  });

  it('without a Retry-After, a replica may be the first to try again at any time', () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    try {
      expect(attemptLeftBy(SERVER_ERROR, {})).toMatchObject({ failures: 1, notBefore: NOW });
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
