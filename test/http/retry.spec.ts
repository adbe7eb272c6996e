import { describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import type { SandboxFault } from 'nestjs-berbix/sandbox';
import { backoff, parseRetryAfter } from '../../lib/http/retry.js';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../support/services.js';
import { until } from '../support/until.js';

describe('the retries of an exchange', () => {
  it.each<SandboxFault>([
    { kind: 'status', status: 429 },
    { kind: 'status', status: 408 },
    { kind: 'status', status: 500 },
    { kind: 'html', status: 502 },
    { kind: 'status', status: 503 },
    { kind: 'reset' },
    { kind: 'reset', processed: true },
    { kind: 'truncate', processed: true },
  ])('follow %j', async (fault) => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 1 });
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add(fault);
    const tokens = await firstValueFrom(services.tokens.refresh(created));
    expect(tokens.transactionId).toBe(created.transactionId);
    expect(sandbox.requests.length).toBe(2);
  });

  it.each([400, 401, 403, 404, 409, 410, 413, 422])(
    'do not follow a refusal with %i',
    async (status) => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox, { retry: 3 });
      sandbox.faults.add({ kind: 'status', status });
      expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({ status, retryable: false });
      expect(sandbox.requests.length).toBe(1);
    },
  );

  it('are as many as the limit allows, and the last error is thrown', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { retry: { limit: 2, backoffLimit: 1 } });
    sandbox.faults.add({ kind: 'status', status: 500, times: 2 });
    sandbox.faults.add({ kind: 'status', status: 503 });
    expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({ status: 503 });
    expect(sandbox.requests.length).toBe(3);
  });

  it('are two by default', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { retry: { backoffLimit: 1 } });
    sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
    expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({ status: 500 });
    expect(sandbox.requests.length).toBe(3);
  });

  it('do not begin once the application has shut down', async () => {
    const sandbox = await startSandbox();
    let asked = 0;
    const { module, transactions } = await servicesFor(sandbox, {
      retry: { limit: 2, backoffLimit: 1 },
      apiSecret: () => {
        asked++;
        return sandbox.apiSecret;
      },
    });
    await module.close();
    const templateKey = sandbox.templateKeys.sdk;
    const error = await errorOf(transactions.create({ customerUid: 'ada', templateKey }));
    expect(error).toMatchObject({ code: 'BERBIX_UNAVAILABLE', isWithoutEffect: true });
    // Once for each attempt.
    expect(asked).toBe(1);
  });

  it('report a possible effect if any attempt may have had one', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { retry: { limit: 1, backoffLimit: 1 } });
    sandbox.faults.add({ kind: 'status', status: 429, times: 2 });
    const refused = await errorOf(tokens.refresh('rt_any'));
    sandbox.faults.add({ kind: 'reset', processed: true });
    sandbox.faults.add({ kind: 'status', status: 429 });
    const lostThenRefused = await errorOf(tokens.refresh('rt_any'));
    expect([refused, lostThenRefused]).toMatchObject([{ status: 429 }, { status: 429 }]);
    expect(refused.isWithoutEffect).toBe(true);
    expect(lostThenRefused.isWithoutEffect).toBe(false);
  });

  it('end once the application shuts down, and so does the pause before one', async () => {
    const sandbox = await startSandbox();
    const { module, tokens } = await servicesFor(sandbox, { retry: 1 });
    sandbox.faults.add({ kind: 'status', status: 429, retryAfter: 5 });
    const failed = errorOf(tokens.refresh('rt_any'));
    await until(() => sandbox.requests.last?.status === 429);
    await module.close();
    // Without "The API may have acted on it": it refused the first attempt.
    expect((await failed).message).toMatch(/^The application shut down .* done\.$/);
    expect(sandbox.requests.length).toBe(1);
  });

  it('wait for Retry-After', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 1 });
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'status', status: 429, retryAfter: 1 });
    const started = performance.now();
    await firstValueFrom(services.tokens.refresh(created));
    expect(performance.now() - started).toBeGreaterThanOrEqual(1000);
  });

  it('do not wait for a Retry-After beyond the time limit of the call; the error says how long it is', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { retry: 3 });
    sandbox.faults.add({ kind: 'status', status: 429, retryAfter: 3600 });
    expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({
      code: 'BERBIX_RATE_LIMIT',
      retryAfterMs: 3_600_000,
    });
    expect(sandbox.requests.length).toBe(1);
  });
});

describe('a host that cannot be reached', () => {
  it('fails with a connection error that names it and the reason, and asks about the sandbox', async () => {
    const { tokens } = await startServices({
      apiSecret: 'secret_test_x',
      apiHost: 'http://127.0.0.1:9',
      retry: { limit: 1, backoffLimit: 1 },
    });
    expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({
      code: 'BERBIX_CONNECTION',
      reason: 'ECONNREFUSED',
      message: expect.stringMatching(/could not be reached at http:\/\/127\.0\.0\.1:9 .*sandbox/),
    });
  });

  it('even lets a creation be repeated, since nothing was sent', async () => {
    const sandbox = await startSandbox();
    let asked = 0;
    const { transactions } = await startServices({
      apiSecret: () => {
        asked++;
        return sandbox.apiSecret;
      },
      apiHost: 'http://127.0.0.1:9',
      retry: { limit: 2, backoffLimit: 1 },
    });
    await errorOf(transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }));
    expect(asked).toBe(3);
  });
});

describe('backoff()', () => {
  it('is random from 0, doubles its limit, and stops at the maximum', () => {
    const random = jest.spyOn(Math, 'random');
    try {
      random.mockReturnValue(0);
      expect(backoff(5, undefined, { backoffLimit: 2000 })).toBe(0);
      random.mockReturnValue(1);
      expect([0, 1, 2, 9].map((n) => backoff(n, undefined, { backoffLimit: 2000 }))).toEqual([
        100, 200, 400, 2000,
      ]);
      expect(backoff(0, 5000, { backoffLimit: 2000 })).toBe(5100);
    } finally {
      random.mockRestore();
    }
  });
});

describe('parseRetryAfter()', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 60_000],
    ['Wed, 21 Oct 2020 07:28:00 GMT', 0],
    // A form that RFC 9110 calls obsolete, and that is still to be read.
    ['Wed Oct 21 07:28:00 2026 GMT', 60_000],
    ['soon', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['2026-10-21', undefined],
    ['99999999999999999999', undefined],
    ['', undefined],
    [undefined, undefined],
    [['1'], undefined],
  ])('%j is %j', (header, expected) => {
    expect(parseRetryAfter(header, Date.parse('2026-10-21T07:27:00Z'))).toBe(expected);
  });
});
