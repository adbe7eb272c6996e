import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import type { SandboxFault } from 'nestjs-berbix/sandbox';
import { sampleTokens } from 'nestjs-berbix/testing';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

type Row = [string, SandboxFault, { code: string; retryable: boolean } & Record<string, unknown>];

const ROWS: Row[] = [
  ['400', { kind: 'status', status: 400 }, { code: 'BERBIX_REQUEST', retryable: false }],
  ['401', { kind: 'status', status: 401 }, { code: 'BERBIX_AUTHENTICATION', retryable: false }],
  [
    '401 about the refresh token',
    { kind: 'status', status: 401, readable: 'invalid_refresh_token' },
    { code: 'BERBIX_INVALID_REFRESH_TOKEN', retryable: false, readable: 'invalid_refresh_token' },
  ],
  [
    '401 about it in the message alone',
    { kind: 'answer', status: 401, body: { code: 401, message: 'unknown refresh token' } },
    { code: 'BERBIX_INVALID_REFRESH_TOKEN', retryable: false },
  ],
  [
    '401 about the secret that also mentions refresh tokens',
    {
      kind: 'status',
      status: 401,
      readable: 'invalid_api_secret',
      message: 'no refresh token read',
    },
    { code: 'BERBIX_AUTHENTICATION', retryable: false },
  ],
  [
    '400 about it in the message alone, perhaps since it was not read',
    { kind: 'answer', status: 400, body: { message: 'refresh token is missing' } },
    { code: 'BERBIX_REQUEST', retryable: false },
  ],
  [
    '400 of OAuth servers',
    { kind: 'answer', status: 400, body: { readable: 'invalid_grant' } },
    { code: 'BERBIX_INVALID_REFRESH_TOKEN', retryable: false },
  ],
  ['403', { kind: 'status', status: 403 }, { code: 'BERBIX_REQUEST', retryable: false }],
  ['404', { kind: 'status', status: 404 }, { code: 'BERBIX_REQUEST', retryable: false }],
  ['408', { kind: 'status', status: 408 }, { code: 'BERBIX_TIMEOUT', retryable: true }],
  [
    '409',
    { kind: 'answer', status: 409, body: { next_step: 'done', message: 'no' } },
    { code: 'BERBIX_CONFLICT', retryable: false, nextStep: 'done' },
  ],
  ['410', { kind: 'status', status: 410 }, { code: 'BERBIX_GONE', retryable: false }],
  ['413', { kind: 'status', status: 413 }, { code: 'BERBIX_REQUEST', retryable: false }],
  [
    '429 with Retry-After',
    { kind: 'status', status: 429, retryAfter: 7 },
    { code: 'BERBIX_RATE_LIMIT', retryable: true, retryAfterMs: 7000 },
  ],
  ['500', { kind: 'status', status: 500 }, { code: 'BERBIX_SERVER', retryable: true }],
  ['502 HTML', { kind: 'html', status: 502 }, { code: 'BERBIX_SERVER', retryable: true }],
  [
    '503 with Retry-After',
    { kind: 'status', status: 503, retryAfter: '2' },
    { code: 'BERBIX_SERVER', retryable: true, retryAfterMs: 2000 },
  ],
  [
    'an error body that is not an object',
    { kind: 'answer', status: 422, body: [1] },
    { code: 'BERBIX_REQUEST', retryable: false },
  ],
  ['reset', { kind: 'reset' }, { code: 'BERBIX_CONNECTION', retryable: true }],
  [
    'truncated',
    { kind: 'truncate', processed: true },
    { code: 'BERBIX_CONNECTION', retryable: true },
  ],
];

describe('an answer becomes the right error', () => {
  it.each(ROWS)('%s', async (_what, fault, expected) => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    sandbox.faults.add(fault);
    const error = await errorOf(services.tokens.refresh(refreshToken));
    expect(error).toMatchObject({ method: 'POST', path: '/v0/tokens', ...expected });
    if ('status' in fault) expect(error.status).toBe(fault.status);
    expect(error.message).toMatch(/^.*POST \/v0\/tokens/);
    expect(error.name).toMatch(/^Berbix\w+Error$/);
    expect(error.toJSON()).toMatchObject({ code: error.code, message: error.message });
  });

  it.each([300, 301, 302, 303, 307, 308, 399])(
    'a redirect (%i) is not followed, since that would send the credentials elsewhere',
    async (status) => {
      const sandbox = await startSandbox();
      const elsewhere = await startSandbox();
      const { tokens } = await servicesFor(sandbox, { retry: 2 });
      const headers = { location: `${elsewhere.url}/v0/tokens` };
      for (const body of ['', { access_token: 'a', client_token: 'c', expires_in: 3600 }]) {
        sandbox.faults.add({ kind: 'answer', status, headers, body });
        const error = await errorOf(tokens.refresh('rt_any'));
        expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', status });
        expect(error.message).toContain(`${status}, a redirect. It is not followed`);
      }
      expect([sandbox.requests.length, elsewhere.requests.length]).toEqual([2, 0]);
    },
  );

  it('every status from 200 to 299 is a good answer', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const body = { access_token: 'a', client_token: 'c', expires_in: 3600 };
    // A lower one is never the last of an answer.
    for (const status of [200, 201, 299]) {
      sandbox.faults.add({ kind: 'answer', status, body });
      expect((await firstValueFrom(tokens.refresh('rt_any'))).accessToken).toBe('a');
    }
  });

  it.each([
    ['text/html; charset=utf-8', 'text/html'],
    ['text/html <b>', 'no content type'],
  ])('%s instead of JSON is named as %s', async (type, named) => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const headers = { 'content-type': type, 'x-request-id': 'req_7' };
    sandbox.faults.add({ kind: 'answer', headers, body: '<html></html>' });
    const error = await errorOf(tokens.refresh('rt_any'));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', status: 200, requestId: 'req_7' });
    expect(error.message).toContain(`200 with a body that is not a JSON object (${named}).`);
  });

  it('the reason of a refused upload is withheld if it may quote it, and the message says so', async () => {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    // A word is shown, unless the upload contains it.
    const reasons = ['KING/ADA cannot be read', 'AAAA', 'AAAA-', ''];
    const messages: string[] = [];
    for (const message of reasons) {
      sandbox.faults.add({ kind: 'answer', status: 400, body: { message } });
      messages.push((await errorOf(transactions.uploadIdScan(sampleTokens(), 'AAAA'))).message);
    }
    const refused = 'POST /v0/idscans/upload was refused (400).';
    const withheld = 'The reason that Berbix gives is withheld, since it may quote the request.';
    expect(messages).toEqual([
      `${refused} ${withheld}`,
      `${refused} ${withheld}`,
      `${refused} Berbix says: "AAAA-"`,
      refused,
    ]);
  });

  it.each([
    [200, ` Berbix says: "${'x'.repeat(200)}"`],
    [201, ` Berbix says: "${'x'.repeat(200)}..."`],
    [16_384, ` Berbix says: "${'x'.repeat(200)}..."`],
    [16_385, ' The reason that Berbix gives is withheld, since it may quote the request.'],
  ])('a reason of %i characters is shortened, or withheld', async (length, said) => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const body = { message: 'x'.repeat(length) };
    sandbox.faults.add({ kind: 'answer', status: 403, body });
    const { message } = await errorOf(tokens.refresh('rt_any'));
    expect(message).toBe(`POST /v0/tokens was refused (403).${said}`);
  });

  it('a wrong API secret and a wrong refresh token are different errors', async () => {
    const sandbox = await startSandbox();
    const right = await servicesFor(sandbox);
    const wrong = await servicesFor(sandbox, { apiSecret: 'secret_test_wrong' });
    const { refreshToken } = await createTransaction(sandbox, right);
    expect(await errorOf(wrong.tokens.refresh(refreshToken))).toMatchObject({
      code: 'BERBIX_AUTHENTICATION',
    });
    expect(await errorOf(right.tokens.refresh('rt_unknown'))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
    });
    const live = await servicesFor(sandbox, { apiSecret: sandbox.liveApiSecret });
    expect(await errorOf(live.tokens.refresh(refreshToken))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
    });
  });

  it('a deleted transaction is gone', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken, accessToken } = await createTransaction(sandbox, services);
    await fetch(`${sandbox.url}/v0/transactions`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(await errorOf(services.tokens.refresh(refreshToken))).toMatchObject({
      code: 'BERBIX_GONE',
      status: 410,
    });
  });

  it('a creation that fails is an error, and is not repeated', async () => {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox, { retry: 3 });
    sandbox.faults.add({ kind: 'status', status: 503, processed: true });
    const create = transactions.create({
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.sdk,
    });
    expect(await errorOf(create)).toMatchObject({ code: 'BERBIX_SERVER' });
    expect(sandbox.requests.length).toBe(1);
    expect((await firstValueFrom(create)).refreshToken).toBeDefined();

    const unknown = transactions.create({ customerUid: 'ada', templateKey: 'tpk_unknown' });
    expect(await errorOf(unknown)).toMatchObject({ code: 'BERBIX_REQUEST', status: 400 });
    const mistyped = { customerUid: '', templateKey: 'x', apiOnlyOpts: {} } as never;
    expect((await errorOf(transactions.create(mistyped))).message).toMatch(
      /customerUid.*apiOnlyOpts|apiOnlyOpts.*customerUid/s,
    );
  });
});
