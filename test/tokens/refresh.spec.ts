import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import { firstValueFrom, toArray } from 'rxjs';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

describe.each(['omit', 'echo', 'rotate'] as const)('refreshing, refresh token mode %s', (mode) => {
  it('three times in a row leaves a stored token that still works', async () => {
    const sandbox = await startSandbox({ refreshToken: mode });
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);

    let stored = created.refreshToken;
    const seen = new Set([created.accessToken]);
    for (let round = 1; round <= 3; round++) {
      const tokens = await firstValueFrom(
        services.tokens.refresh(BerbixTokens.fromRefresh(stored)),
      );
      expect(tokens.transactionId).toBe(created.transactionId);
      expect(tokens.clientToken).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(tokens.needsRefresh()).toBe(false);
      seen.add(tokens.accessToken);
      if (mode === 'rotate') expect(tokens.refreshToken).not.toBe(stored);
      else expect(tokens.refreshToken).toBe(stored);
      stored = tokens.refreshToken;
    }
    expect(seen.size).toBe(4);
    expect(await firstValueFrom(services.tokens.refresh(stored))).toBeInstanceOf(BerbixTokens);
  });
});

describe('refresh()', () => {
  it('accepts tokens or the refresh token, is cold, emits once and completes', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();

    const refresh = services.tokens.refresh(created.refreshToken);
    expect(sandbox.requests.length).toBe(0);
    expect(await firstValueFrom(refresh.pipe(toArray()))).toHaveLength(1);
    expect(await firstValueFrom(services.tokens.refresh(created).pipe(toArray()))).toHaveLength(1);
    // A second subscription makes another exchange.
    await firstValueFrom(refresh);
    expect(sandbox.requests.length).toBe(3);
  });

  it('sends what the official SDKs send', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.refresh(refreshToken));

    const request = sandbox.requests.last;
    expect(request).toMatchObject({ method: 'POST', path: '/v0/tokens', url: '/v0/tokens' });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      refresh_token: refreshToken,
      grant_type: 'refresh_token',
    });
    expect(request?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from(`${sandbox.apiSecret}:`).toString('base64')}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^nestjs-berbix\/\d+\.\d+\.\d+/),
    });
  });

  it('keeps all digits of a transaction id above 2^53', async () => {
    const sandbox = await startSandbox({ largeIds: true });
    const services = await servicesFor(sandbox);
    const { refreshToken, transactionId } = await createTransaction(sandbox, services);
    expect(BigInt(transactionId ?? '')).toBeGreaterThan(2n ** 53n);

    sandbox.faults.add({
      kind: 'answer',
      body: `{"transaction_id":9007199254740993,"access_token":"a","client_token":"c","expires_in":60}`,
    });
    const tokens = await firstValueFrom(services.tokens.refresh(refreshToken));
    expect(tokens.transactionId).toBe('9007199254740993');
  });

  it('counts the lifetime from the start of the request', async () => {
    const sandbox = await startSandbox({ tokenTtlSeconds: 100 });
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'latency', ms: 300 });

    const before = Date.now();
    const { expiresAt } = await firstValueFrom(services.tokens.refresh(refreshToken));
    const received = Date.now();
    expect(expiresAt?.getTime()).toBeGreaterThanOrEqual(before + 100_000);
    expect(expiresAt?.getTime()).toBeLessThanOrEqual(received - 300 + 100_000);
  });

  it('refuses an answer for another transaction', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const mine = await createTransaction(sandbox, services);
    const other = await createTransaction(sandbox, services);
    const mixedUp = new BerbixTokens({
      refreshToken: other.refreshToken,
      transactionId: mine.transactionId,
    });
    await expect(firstValueFrom(services.tokens.refresh(mixedUp))).rejects.toMatchObject({
      code: 'BERBIX_RESPONSE',
      message: expect.stringContaining('transaction_id is that of another transaction'),
      tokens: undefined,
    });
  });
});
