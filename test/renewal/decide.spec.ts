import { describe, expect, it } from '@jest/globals';
import { decide } from '../../lib/renewal/decide.js';
import type { RenewalPolicy } from '../../lib/renewal/renewal-state.js';
import type { TokenRequirement } from '../../lib/renewal/token-requirement.js';
import type { TokenRecord } from '../../lib/records/token-record.js';
import type { ExchangeAttempt } from '../../lib/token-store/index.js';

/** The store's clock. */
const NOW = 1_000_000_000;
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const [TOTAL_TIMEOUT_MS, GRACE_MS] = [15 * SECOND, 60 * SECOND];

const GRACE = { rotation: { graceMs: GRACE_MS } } as const;
const STRICT = { rotation: 'strict' } as const;
const NOTIFIES = { notifies: true } as const;

/** Tokens with a lifetime of an hour that expire in `ms`. */
function left(ms: number, more: Partial<TokenRecord> = {}): TokenRecord {
  const expiresAt = NOW + ms;
  return {
    refreshToken: 'rt_1',
    accessToken: 'at_1',
    expiresAt,
    lifetimeMs: HOUR,
    refreshAfter: expiresAt - 0.2 * HOUR,
    exchangedAt: expiresAt - HOUR,
    ...more,
  };
}

const FRESH = left(50 * MINUTE);
/** Due for a renewal in the background. */
const STALE = left(5 * MINUTE);
/** Served only as stale-if-error. */
const EXPIRES_SOON = left(30 * SECOND);
const EXPIRED = left(-1);
const [BRAND_NEW, PENDING] = [{ exchangedAt: NOW - SECOND }, { pendingRotation: 'rt_0' }];

interface Case {
  record: TokenRecord;
  attempt?: ExchangeAttempt;
  /** For how many milliseconds another replica still has the lease. */
  leased?: number;
  need?: TokenRequirement;
  since?: number | undefined;
  policy?: Partial<RenewalPolicy>;
}

function decided({ record, attempt = {}, leased = 0, need = {}, since, policy }: Case) {
  const state = { value: record, attempt, leasedForMs: leased, now: NOW };
  return decide({ ...state, since: since ?? record.exchangedAt }, need, {
    rotation: 'none',
    leaseMs: 30 * SECOND,
    totalTimeoutMs: TOTAL_TIMEOUT_MS,
    hookTimeoutMs: SECOND,
    notifies: false,
    ...policy,
  });
}

const COOLING = { failures: 1, notBefore: NOW + 10 * SECOND };
const DEAD = { ...COOLING, deadCode: 'BERBIX_INVALID_REFRESH_TOKEN' };
const IN_DOUBT = { startedAt: NOW - MINUTE };
/** Within the grace, with enough time left for an exchange. */
const IN_DOUBT_EARLY = { startedAt: NOW - GRACE_MS + TOTAL_TIMEOUT_MS + SECOND };
/** Within the grace, with less time left than an exchange may take. */
const IN_DOUBT_LATE = { startedAt: NOW - GRACE_MS + TOTAL_TIMEOUT_MS - SECOND };
const [FORCE_NEW, PROACTIVE] = [{ forceNew: true }, { proactive: true }] as const;
const REFUSED = { refused: 'at_1' };
const [CLIENT, NEEDS] = [{ clientToken: 'ct_1' }, { needsClientToken: true }] as const;

describe('decide', () => {
  it.each<[string, Case, string, string?]>([
    ['fresh tokens', { record: FRESH }, 'serve'],
    ['stale tokens', { record: STALE }, 'serve'],
    ['stale tokens, proactively', { record: STALE, need: PROACTIVE }, 'exchange'],
    ['fresh tokens, proactively', { record: FRESH, need: PROACTIVE }, 'serve'],
    ['tokens that expire soon', { record: EXPIRES_SOON }, 'exchange'],
    ['expired tokens', { record: EXPIRED }, 'exchange'],
    ['a bare refresh token', { record: { refreshToken: 'rt_1' } }, 'exchange'],
    [
      'a leeway longer than the time left',
      { record: STALE, need: { leewayMs: 6 * MINUTE } },
      'exchange',
    ],
    [
      'a leeway shorter than the time left',
      { record: STALE, need: { leewayMs: 4 * MINUTE } },
      'serve',
    ],
    ['a leeway shorter than the default', { record: EXPIRES_SOON, need: { leewayMs: 0 } }, 'serve'],
    [
      'brand-new tokens, a leeway longer than their lifetime',
      { record: left(59 * MINUTE), need: { leewayMs: 2 * HOUR } },
      'serve',
    ],

    ['fresh tokens, new ones required', { record: FRESH, need: FORCE_NEW }, 'exchange'],
    [
      'new tokens required, and already there',
      { record: FRESH, need: FORCE_NEW, since: NOW - HOUR },
      'serve',
    ],
    [
      'new tokens required, another replica exchanges',
      { record: FRESH, need: FORCE_NEW, leased: SECOND },
      'wait',
    ],

    ['refused tokens', { record: FRESH, need: REFUSED }, 'exchange'],
    ['other tokens than the refused ones', { record: FRESH, need: { refused: 'at_0' } }, 'serve'],
    [
      'brand-new tokens, others were refused, new ones required',
      { record: left(59 * MINUTE, BRAND_NEW), need: { refused: 'at_0', ...FORCE_NEW } },
      'exchange',
    ],
    [
      'brand-new tokens that were refused',
      { record: left(59 * MINUTE, BRAND_NEW), need: REFUSED },
      'refuse',
      'BERBIX_INVALID_ACCESS_TOKEN',
    ],
    [
      'brand-new tokens that were refused, another replica exchanges',
      { record: left(59 * MINUTE, BRAND_NEW), need: REFUSED, leased: SECOND },
      'refuse',
      'BERBIX_INVALID_ACCESS_TOKEN',
    ],
    [
      'brand-new tokens that were refused, after a failure',
      { record: left(59 * MINUTE, BRAND_NEW), need: REFUSED, attempt: COOLING },
      'refuse',
      'BERBIX_UNAVAILABLE',
    ],
    [
      'refused tokens with a lifetime of seconds, expired',
      { record: left(-1, { lifetimeMs: 2 * SECOND, ...BRAND_NEW }), need: REFUSED },
      'exchange',
    ],

    [
      'fresh tokens with a client token',
      { record: left(50 * MINUTE, CLIENT), need: NEEDS },
      'serve',
    ],
    ['fresh tokens without the client token', { record: FRESH, need: NEEDS }, 'exchange'],
    [
      'brand-new tokens without the client token',
      { record: left(59 * MINUTE, BRAND_NEW), need: NEEDS },
      'refuse',
      'BERBIX_RESPONSE',
    ],
    [
      'tokens without the client token, in doubt',
      { record: FRESH, need: NEEDS, attempt: IN_DOUBT, policy: STRICT },
      'exchange',
    ],

    ['expired tokens, another replica exchanges', { record: EXPIRED, leased: SECOND }, 'wait'],
    ['fresh tokens, another replica exchanges', { record: FRESH, leased: SECOND }, 'serve'],
    [
      'another replica exchanges, no outcome yet',
      { record: EXPIRES_SOON, leased: SECOND, attempt: IN_DOUBT, policy: STRICT },
      'wait',
    ],

    [
      'expired tokens, after a failure',
      { record: EXPIRED, attempt: COOLING },
      'refuse',
      'BERBIX_UNAVAILABLE',
    ],
    ['fresh tokens, after a failure', { record: FRESH, attempt: COOLING }, 'serve'],
    [
      'after a failure, another replica exchanges',
      { record: EXPIRED, attempt: COOLING, leased: SECOND },
      'refuse',
      'BERBIX_UNAVAILABLE',
    ],
    [
      'after a failure whose backoff is over',
      { record: EXPIRED, attempt: { failures: 1, notBefore: NOW - 1 } },
      'exchange',
    ],
    [
      'a dead refresh token',
      { record: EXPIRED, attempt: DEAD },
      'reload',
      'BERBIX_INVALID_REFRESH_TOKEN',
    ],
    [
      'a refresh token of a transaction that is gone',
      { record: EXPIRED, attempt: { ...DEAD, deadCode: 'BERBIX_GONE' } },
      'reload',
      'BERBIX_GONE',
    ],
    ['a dead refresh token, fresh tokens', { record: FRESH, attempt: DEAD }, 'serve'],
    [
      'a dead refresh token that is due again',
      { record: EXPIRED, attempt: { ...DEAD, notBefore: NOW - 1 } },
      'exchange',
    ],

    ['in doubt, no rotation', { record: EXPIRES_SOON, attempt: IN_DOUBT }, 'exchange'],
    ['in doubt, strict', { record: EXPIRES_SOON, attempt: IN_DOUBT, policy: STRICT }, 'serve'],
    [
      'in doubt, strict, new tokens required',
      { record: FRESH, need: FORCE_NEW, attempt: IN_DOUBT, policy: STRICT },
      'exchange',
    ],
    [
      'in doubt, strict, expired tokens',
      { record: EXPIRED, attempt: IN_DOUBT, policy: STRICT },
      'exchange',
    ],
    [
      'in doubt, a rotation was seen',
      { record: left(30 * SECOND, { rotates: true }), attempt: IN_DOUBT },
      'serve',
    ],
    [
      'in doubt, early in the grace',
      { record: EXPIRES_SOON, attempt: IN_DOUBT_EARLY, policy: GRACE },
      'exchange',
    ],
    [
      'in doubt, late in the grace',
      { record: EXPIRES_SOON, attempt: IN_DOUBT_LATE, policy: GRACE },
      'serve',
    ],
    [
      'in doubt, late in the grace, expired tokens',
      { record: EXPIRED, attempt: IN_DOUBT_LATE, policy: GRACE },
      'exchange',
    ],

    ['a pending rotation', { record: left(50 * MINUTE, PENDING), policy: NOTIFIES }, 'notify'],
    ['a pending rotation without onRotation', { record: left(50 * MINUTE, PENDING) }, 'serve'],
    [
      'a pending rotation, another replica notifies',
      { record: left(50 * MINUTE, PENDING), policy: NOTIFIES, leased: SECOND },
      'wait',
    ],
    [
      'a pending rotation, onRotation has just failed',
      { record: left(50 * MINUTE, PENDING), policy: NOTIFIES, attempt: COOLING },
      'refuse',
      'BERBIX_STORE',
    ],
    [
      'a pending rotation, in doubt, tokens that expire soon',
      {
        record: left(30 * SECOND, PENDING),
        policy: { ...NOTIFIES, ...STRICT },
        attempt: IN_DOUBT,
      },
      'notify',
    ],
  ])('%s', (_what, given, ...expected) => {
    const decision = decided(given);
    const code = 'error' in decision ? [decision.error.code] : [];
    expect([decision.do, ...code]).toEqual(expected);
  });

  const [CAPPED, DOUBTED] = [{ leewayMs: 2 * HOUR }, { attempt: IN_DOUBT, policy: STRICT }];
  it.each<[string, (ms: number) => Case, string, string]>([
    [
      'a backoff',
      (ms) => ({ record: EXPIRED, attempt: { notBefore: NOW + ms } }),
      'exchange',
      'refuse',
    ],
    [
      'the backoff of onRotation',
      (ms) => ({
        record: left(HOUR, PENDING),
        policy: NOTIFIES,
        attempt: { notBefore: NOW + ms },
      }),
      'notify',
      'refuse',
    ],
    ['a lease', (ms) => ({ record: EXPIRED, leased: ms }), 'exchange', 'wait'],
    [
      'ten seconds for which refused tokens are new',
      (ms) => ({ record: left(HOUR, { exchangedAt: NOW - 10 * SECOND + ms }), need: REFUSED }),
      'exchange',
      'refuse',
    ],
    [
      'the time until tokens are stale',
      (ms) => ({ record: left(HOUR, { refreshAfter: NOW + ms }), need: PROACTIVE }),
      'exchange',
      'serve',
    ],
    ['the default leeway', (ms) => ({ record: left(MINUTE + ms) }), 'exchange', 'serve'],
    [
      'the default leeway of a short lifetime',
      (ms) => ({ record: left(30 * SECOND + ms, { lifetimeMs: 5 * MINUTE }) }),
      'exchange',
      'serve',
    ],
    [
      'a leeway',
      (ms) => ({ record: left(5 * MINUTE + ms), need: { leewayMs: 5 * MINUTE } }),
      'exchange',
      'serve',
    ],
    [
      'the longest leeway',
      (ms) => ({ record: left(45 * MINUTE + ms), need: CAPPED }),
      'exchange',
      'serve',
    ],
    [
      'stale-if-error',
      (ms) => ({ record: left(5 * SECOND + ms), ...DOUBTED }),
      'exchange',
      'serve',
    ],
    [
      'stale-if-error of a short lifetime',
      (ms) => ({ record: left(2 * SECOND + ms, { lifetimeMs: 100 * SECOND }), ...DOUBTED }),
      'exchange',
      'serve',
    ],
    [
      'the part of the grace in which an exchange is repeated',
      (ms) => ({
        record: EXPIRES_SOON,
        attempt: { startedAt: NOW - GRACE_MS + TOTAL_TIMEOUT_MS - ms },
        policy: GRACE,
      }),
      'exchange',
      'serve',
    ],
  ])('to the millisecond: %s', (_what, given, at, after) => {
    expect([decided(given(0)).do, decided(given(1)).do]).toEqual([at, after]);
  });

  it.each<[string, number, Case]>([
    ['a failure', 10, { record: EXPIRED, attempt: { notBefore: NOW + 9.5 } }],
    [
      'a failure of onRotation',
      10,
      { record: left(HOUR, PENDING), policy: NOTIFIES, attempt: { notBefore: NOW + 9.5 } },
    ],
    [
      'a refusal',
      10,
      { record: left(HOUR, { exchangedAt: NOW - 10 * SECOND + 9.5 }), need: REFUSED },
    ],
  ])('says when to try again after %s, in whole milliseconds', (_what, retryAfterMs, given) => {
    expect(decided(given)).toMatchObject({ error: { retryable: true, retryAfterMs } });
  });

  it.each(['BERBIX_GONE', 'BERBIX_INVALID_REFRESH_TOKEN'] as const)(
    'says when a dead refresh token is asked for again, in seconds: %s',
    (deadCode) => {
      const attempt = { deadCode, failures: 1, notBefore: NOW + 59_001 };
      const { error } = decided({ record: EXPIRED, attempt }) as { error?: Error };
      expect(error?.message).toContain('as it said before; it is asked again in 60 s.');
    },
  );

  it.each<[boolean, Case]>([
    [false, { record: EXPIRED }],
    [false, { record: EXPIRED, attempt: IN_DOUBT }],
    [true, { record: EXPIRED, attempt: IN_DOUBT, policy: STRICT }],
    [false, { record: EXPIRED, attempt: IN_DOUBT_EARLY, policy: GRACE }],
    [true, { record: EXPIRED, attempt: IN_DOUBT_LATE, policy: GRACE }],
  ])('says whether the refresh token may be spent: %s for %j', (inDoubt, given) => {
    expect(decided(given)).toEqual({ do: 'exchange', inDoubt });
  });
});
