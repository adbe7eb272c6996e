import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  installClock,
  type Services,
  servicesFor,
  startSandbox,
} from '../support/services.js';

const HOUR = 3_600_000;

function exchanges(sandbox: BerbixSandbox): number {
  return [...sandbox.requests].filter(({ path }) => path === '/v0/tokens').length;
}

async function setUp(
  options?: Partial<BerbixModuleOptions>,
  sandboxOptions?: Parameters<typeof startSandbox>[0],
): Promise<{ sandbox: BerbixSandbox; services: Services; created: BerbixTokens }> {
  const sandbox = await startSandbox(sandboxOptions);
  const services = await servicesFor(sandbox, options);
  const created = await createTransaction(sandbox, services);
  sandbox.requests.clear();
  return { sandbox, services, created };
}

describe('fresh()', () => {
  it('emits the given tokens while they are fresh', async () => {
    const { sandbox, services, created } = await setUp();
    expect(await firstValueFrom(services.tokens.fresh(created))).toBe(created);
    expect(exchanges(sandbox)).toBe(0);
  });

  it('makes one exchange for a refresh token, for any number of calls', async () => {
    const { sandbox, services, created } = await setUp();
    const calls = Array.from({ length: 50 }, () =>
      firstValueFrom(services.tokens.fresh(created.refreshToken)),
    );
    const all = await Promise.all(calls);
    expect(new Set(all.map(({ accessToken }) => accessToken)).size).toBe(1);
    const later = await firstValueFrom(services.tokens.fresh(created.refreshToken));
    expect(later).toBe(all[0]);
    expect(exchanges(sandbox)).toBe(1);
  });

  it('finds remembered tokens, by customer and by transaction', async () => {
    const { sandbox, services, created } = await setUp();
    const { tokens } = services;
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    const byCustomer = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    const transactionId = created.transactionId as string;
    const byTransaction = await firstValueFrom(tokens.fresh({ transactionId }));
    expect(byCustomer.accessToken).toBe(created.accessToken);
    expect(byTransaction.accessToken).toBe(created.accessToken);
    expect(exchanges(sandbox)).toBe(0);
  });

  it('learns the transaction of a remembered refresh token', async () => {
    const { sandbox, services, created } = await setUp();
    const { tokens } = services;
    const session = { customerUid: 'ada', tokens: created.refreshToken };
    await firstValueFrom(tokens.remember(session));
    const fresh = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(fresh.transactionId).toBe(created.transactionId);
    const transactionId = created.transactionId as string;
    const same = await firstValueFrom(tokens.fresh({ transactionId }));
    expect(same.accessToken).toBe(fresh.accessToken);
    expect(exchanges(sandbox)).toBe(1);
  });

  it('loads tokens from the application if the store has none', async () => {
    const asked: unknown[] = [];
    const rows = new Map<string, string>();
    const { sandbox, services, created } = await setUp({
      loadTokens: async (owner) => {
        asked.push(owner);
        return 'customerUid' in owner ? rows.get(owner.customerUid) : undefined;
      },
    });
    rows.set('ada', created.refreshToken);
    const fresh = await firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }));
    expect(fresh.refreshToken).toBe(created.refreshToken);
    await firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }));
    expect(asked).toEqual([{ customerUid: 'ada' }]);
    expect(exchanges(sandbox)).toBe(1);
    expect(await errorOf(services.tokens.fresh({ customerUid: 'bob' }))).toMatchObject({
      code: 'BERBIX_NOT_FOUND',
    });
  });

  it('does not wait forever for the application', async () => {
    const { services, created } = await setUp(
      {
        totalTimeoutMs: 2_000,
        loadTokens: () => new Promise(() => {}),
        onRotation: () => new Promise(() => {}),
      },
      { refreshToken: 'rotate' },
    );
    const { tokens } = services;
    for (let n = 0; n < 2; n++) {
      const error = await errorOf(tokens.fresh({ customerUid: 'ada' }));
      expect(['BERBIX_STORE', 'BERBIX_TIMEOUT']).toContain(error.code);
    }
    const error = await errorOf(tokens.refresh(created.refreshToken));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.tokens?.refreshToken).not.toBe(created.refreshToken);
  });

  it.each(['omit', 'echo', 'rotate'] as const)(
    'keeps the valid refresh token over three exchanges in mode %s',
    async (refreshToken) => {
      const { sandbox, services, created } = await setUp({}, { refreshToken });
      const { tokens } = services;
      await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
      let { accessToken } = created;
      const clock = installClock();
      for (let n = 0; n < 3; n++) {
        clock.advance(HOUR);
        const fresh = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
        expect(fresh.accessToken).not.toBe(accessToken);
        accessToken = fresh.accessToken;
      }
      expect(exchanges(sandbox)).toBe(3);
    },
  );

  it('caps the leeway at three quarters of the lifetime, so that new tokens satisfy it', async () => {
    const { sandbox, services, created } = await setUp();
    const { tokens } = services;
    const clock = installClock();
    const ask = () => firstValueFrom(tokens.fresh(created.refreshToken, { leewayMs: 5 * HOUR }));
    for (let n = 0; n < 5; n++) await ask();
    expect(exchanges(sandbox)).toBe(1);
    clock.advance(HOUR / 3);
    for (let n = 0; n < 5; n++) await ask();
    expect(exchanges(sandbox)).toBe(2);
  });

  it.each([0, 0.5, Infinity])('accepts any leeway of 0 or more: %s', async (leewayMs) => {
    const { services, created } = await setUp();
    const { refreshToken } = await firstValueFrom(services.tokens.fresh(created, { leewayMs }));
    expect(refreshToken).toBe(created.refreshToken);
  });

  it.each([NaN, -1, '60000'])('rejects an invalid leeway: %s', async (leewayMs) => {
    const { services, created } = await setUp();
    const error = await errorOf(services.tokens.fresh(created, { leewayMs: leewayMs as number }));
    expect(error).toMatchObject({
      code: 'BERBIX_INPUT',
      message: expect.stringMatching('leewayMs'),
    });
  });

  it('replaces tokens that the API refuses, once', async () => {
    const { sandbox, services, created } = await setUp();
    const { tokens } = services;
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    const owner = { customerUid: 'ada' };
    const first = await firstValueFrom(tokens.fresh(owner));
    const second = await firstValueFrom(tokens.fresh(owner, { refused: first.accessToken }));
    expect(second.accessToken).not.toBe(first.accessToken);
    // A later caller who reports the same token gets the new one.
    const third = await firstValueFrom(tokens.fresh(owner, { refused: first.accessToken }));
    expect(third.accessToken).toBe(second.accessToken);
    expect(await errorOf(tokens.fresh(owner, { refused: second.accessToken }))).toMatchObject({
      code: 'BERBIX_INVALID_ACCESS_TOKEN',
    });
    expect(exchanges(sandbox)).toBe(1);
  });

  it('forgets tokens', async () => {
    const { services, created } = await setUp();
    const { tokens } = services;
    const transactionId = created.transactionId as string;
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(tokens.fresh({ transactionId }));
    await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
    await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
    expect((await errorOf(tokens.fresh({ customerUid: 'ada' }))).code).toBe('BERBIX_GONE');
    expect((await errorOf(tokens.fresh({ transactionId }))).code).toBe('BERBIX_GONE');
  });

  it('notifies the application of a new refresh token before anyone gets it', async () => {
    const notified: string[] = [];
    const { services, created } = await setUp(
      {
        onRotation: async ({ tokens, previousRefreshToken, customerUid }) => {
          notified.push(`${customerUid} ${previousRefreshToken === created.refreshToken}`);
          notified.push(tokens.refreshToken);
        },
      },
      { refreshToken: 'rotate' },
    );
    const { tokens } = services;
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created.refreshToken }));
    const fresh = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(notified).toEqual(['ada true', fresh.refreshToken]);
  });

  it('calls a failing onRotation again, and nobody gets the tokens before it succeeds', async () => {
    let failures = 1;
    const { sandbox, services, created } = await setUp(
      {
        onRotation: () => {
          if (failures-- > 0) throw new TypeError('the database is down');
        },
      },
      { refreshToken: 'rotate' },
    );
    const { tokens } = services;
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created.refreshToken }));
    const error = await errorOf(tokens.fresh({ customerUid: 'ada' }));
    expect(error).toMatchObject({ code: 'BERBIX_STORE', retryable: true });
    expect(error.message).not.toContain('the database is down');
    expect(error.tokens?.refreshToken).not.toBe(created.refreshToken);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const fresh = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(fresh.refreshToken).toBe(error.tokens?.refreshToken);
    expect(exchanges(sandbox)).toBe(1);
  });

  it('does not present a dead refresh token again immediately', async () => {
    const { sandbox, services } = await setUp();
    const { tokens } = services;
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: 'no-such-token' }));
    for (let n = 0; n < 3; n++) {
      expect((await errorOf(tokens.fresh({ customerUid: 'ada' }))).code).toBe(
        'BERBIX_INVALID_REFRESH_TOKEN',
      );
    }
    expect(exchanges(sandbox)).toBe(1);
  });

  it.each([
    [{ customerUid: '' }],
    [{ customerUid: undefined as never }],
    [{ customerUid: '\ud800' }],
    [{ transactionId: 'x' }],
    [{ transactionId: 12 as never }],
  ])('rejects %j with a clear message', async (owner) => {
    const { services } = await setUp();
    expect((await errorOf(services.tokens.fresh(owner))).code).toBe('BERBIX_INPUT');
  });
});
