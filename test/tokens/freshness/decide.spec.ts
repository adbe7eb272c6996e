import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../lib/tokens/freshness/decide.js';
import type { RenewalPolicy } from '../../../lib/tokens/freshness/renewal-policy.js';
import type { TokenRequirement } from '../../../lib/tokens/freshness/token-requirement.js';
import { localTokens, type TokenRecord } from '../../../lib/tokens/freshness/token-record.js';
import type { SeenTokens } from '../../../lib/tokens/freshness/token-records.js';

/** The store's clock at the look; what a busy machine takes from there on changes no row. */
const NOW = 1_000_000_000;
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const [TOTAL_TIMEOUT_MS, GRACE_MS] = [15 * SECOND, 60 * SECOND];

const GRACE = { rotation: { graceMs: GRACE_MS } } as const;
const STRICT = { rotation: 'strict' } as const;
const NOTIFIES = { notifies: true } as const;

/** Tokens of an hour, of which so much is left. */
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
/** To be refreshed behind their users. */
const STALE = left(5 * MINUTE);
/** Good enough if better ones cannot be had. */
const ENDING = left(30 * SECOND);
const ENDED = left(-1);
const [JUST_CAME, PENDING] = [{ exchangedAt: NOW - SECOND }, { pendingRotation: 'rt_0' }];

interface Case {
  record: TokenRecord;
  attempt?: SeenTokens['attempt'];
  /** For so long, by another replica. */
  leased?: number;
  need?: TokenRequirement;
  since?: number | undefined;
  policy?: Partial<RenewalPolicy>;
}

function decided({ record, attempt = {}, leased = 0, need = {}, since, policy }: Case) {
  const moment = { store: NOW, local: performance.now() };
  const seen: SeenTokens = {
    key: 'transaction/1',
    version: 1,
    fence: 1,
    value: record,
    attempt,
    leasedForMs: leased,
    moment,
  };
  return decide(seen, localTokens(record, moment), need, since ?? record.exchangedAt, {
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
const OPEN = { startedAt: NOW - MINUTE };
/** Within the grace, with time for an exchange. */
const OPEN_IN_GRACE = { startedAt: NOW - GRACE_MS + TOTAL_TIMEOUT_MS + SECOND };
/** Within the grace, with less time than an exchange may take. */
const OPEN_LATE_IN_GRACE = { startedAt: NOW - GRACE_MS + TOTAL_TIMEOUT_MS - SECOND };
const [FORCE_NEW, PROACTIVE] = [{ forceNew: true }, { proactive: true }] as const;
const REFUSED = { refused: 'at_1' };

describe('decide', () => {
  it.each<[string, Case, string, string?]>([
    ['fresh tokens', { record: FRESH }, 'serve'],
    ['stale tokens', { record: STALE }, 'serve'],
    ['stale tokens, ahead of their users', { record: STALE, need: PROACTIVE }, 'exchange'],
    ['fresh tokens, ahead of their users', { record: FRESH, need: PROACTIVE }, 'serve'],
    ['tokens about to end', { record: ENDING }, 'exchange'],
    ['tokens that have ended', { record: ENDED }, 'exchange'],
    ['a refresh token alone', { record: { refreshToken: 'rt_1' } }, 'exchange'],
    ['a longer leeway than is left', { record: STALE, need: { leewayMs: 6 * MINUTE } }, 'exchange'],
    ['a shorter leeway than is left', { record: STALE, need: { leewayMs: 4 * MINUTE } }, 'serve'],
    ['a leeway shorter than the usual', { record: ENDING, need: { leewayMs: 0 } }, 'serve'],
    [
      'a leeway longer than their life, of tokens that just came',
      { record: left(59 * MINUTE), need: { leewayMs: 2 * HOUR } },
      'serve',
    ],

    ['fresh tokens, new ones wanted', { record: FRESH, need: FORCE_NEW }, 'exchange'],
    [
      'new ones wanted, and there since',
      { record: FRESH, need: FORCE_NEW, since: NOW - HOUR },
      'serve',
    ],
    [
      'new ones wanted, another exchanges',
      { record: FRESH, need: FORCE_NEW, leased: SECOND },
      'wait',
    ],

    ['refused tokens', { record: FRESH, need: REFUSED }, 'exchange'],
    ['other tokens than were refused', { record: FRESH, need: { refused: 'at_0' } }, 'serve'],
    [
      'others than were refused, that just came, and new ones wanted',
      { record: left(59 * MINUTE, JUST_CAME), need: { refused: 'at_0', ...FORCE_NEW } },
      'exchange',
    ],
    [
      'refused tokens that just came',
      { record: left(59 * MINUTE, JUST_CAME), need: REFUSED },
      'refuse',
      'BERBIX_INVALID_ACCESS_TOKEN',
    ],
    [
      'refused tokens that just came, while another exchanges',
      { record: left(59 * MINUTE, JUST_CAME), need: REFUSED, leased: SECOND },
      'refuse',
      'BERBIX_INVALID_ACCESS_TOKEN',
    ],
    [
      'refused tokens that just came, after a failure',
      { record: left(59 * MINUTE, JUST_CAME), need: REFUSED, attempt: COOLING },
      'refuse',
      'BERBIX_UNAVAILABLE',
    ],
    [
      'refused tokens of seconds that have ended',
      { record: left(-1, { lifetimeMs: 2 * SECOND, ...JUST_CAME }), need: REFUSED },
      'exchange',
    ],

    ['another exchanges', { record: ENDED, leased: SECOND }, 'wait'],
    ['another exchanges, tokens good enough', { record: FRESH, leased: SECOND }, 'serve'],
    [
      'another exchanges, its end unknown so far',
      { record: ENDING, leased: SECOND, attempt: OPEN, policy: STRICT },
      'wait',
    ],

    ['after a failure', { record: ENDED, attempt: COOLING }, 'refuse', 'BERBIX_UNAVAILABLE'],
    ['after a failure, tokens good enough', { record: FRESH, attempt: COOLING }, 'serve'],
    [
      'after a failure, another at work',
      { record: ENDED, attempt: COOLING, leased: SECOND },
      'refuse',
      'BERBIX_UNAVAILABLE',
    ],
    [
      'after a failure long ago',
      { record: ENDED, attempt: { failures: 1, notBefore: NOW - 1 } },
      'exchange',
    ],
    ['a dead token', { record: ENDED, attempt: DEAD }, 'reload', 'BERBIX_INVALID_REFRESH_TOKEN'],
    [
      'a token of a transaction that is gone',
      { record: ENDED, attempt: { ...DEAD, deadCode: 'BERBIX_GONE' } },
      'reload',
      'BERBIX_GONE',
    ],
    ['a dead token with good tokens', { record: FRESH, attempt: DEAD }, 'serve'],
    [
      'a dead token that is due again',
      { record: ENDED, attempt: { ...DEAD, notBefore: NOW - 1 } },
      'exchange',
    ],

    ['an open end, no rotation', { record: ENDING, attempt: OPEN }, 'exchange'],
    ['an open end, strict', { record: ENDING, attempt: OPEN, policy: STRICT }, 'serve'],
    [
      'an open end, strict, new ones wanted',
      { record: FRESH, need: FORCE_NEW, attempt: OPEN, policy: STRICT },
      'exchange',
    ],
    ['an open end, strict, ended', { record: ENDED, attempt: OPEN, policy: STRICT }, 'exchange'],
    [
      'an open end, rotation was seen',
      { record: left(30 * SECOND, { rotates: true }), attempt: OPEN },
      'serve',
    ],
    [
      'an open end, time left in the grace',
      { record: ENDING, attempt: OPEN_IN_GRACE, policy: GRACE },
      'exchange',
    ],
    [
      'an open end, too late in the grace',
      { record: ENDING, attempt: OPEN_LATE_IN_GRACE, policy: GRACE },
      'serve',
    ],
    [
      'an open end, too late in the grace, ended',
      { record: ENDED, attempt: OPEN_LATE_IN_GRACE, policy: GRACE },
      'exchange',
    ],

    [
      'a new refresh token that nobody was told of',
      { record: left(50 * MINUTE, PENDING), policy: NOTIFIES },
      'notify',
    ],
    ['the same, and nobody wants to know', { record: left(50 * MINUTE, PENDING) }, 'serve'],
    [
      'the same, another tells',
      { record: left(50 * MINUTE, PENDING), policy: NOTIFIES, leased: SECOND },
      'wait',
    ],
    [
      'the same, and telling has just failed',
      { record: left(50 * MINUTE, PENDING), policy: NOTIFIES, attempt: COOLING },
      'refuse',
      'BERBIX_STORE',
    ],
    [
      'the same, with an open end and tokens about to end',
      {
        record: left(30 * SECOND, PENDING),
        policy: { ...NOTIFIES, ...STRICT },
        attempt: OPEN,
      },
      'notify',
    ],
  ])('%s', (_what, given, ...expected) => {
    const decision = decided(given);
    const code = 'error' in decision ? [decision.error.code] : [];
    expect([decision.do, ...code]).toEqual(expected);
  });

  it.each<[boolean, Case]>([
    [false, { record: ENDED }],
    [false, { record: ENDED, attempt: OPEN }],
    [true, { record: ENDED, attempt: OPEN, policy: STRICT }],
    [false, { record: ENDED, attempt: OPEN_IN_GRACE, policy: GRACE }],
    [true, { record: ENDED, attempt: OPEN_LATE_IN_GRACE, policy: GRACE }],
  ])('tells whether the refresh token may be spent: %s for %j', (mayBeSpent, given) => {
    expect(decided(given)).toEqual({ do: 'exchange', mayBeSpent });
  });
});
