import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import type { ApiJson } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { servicesFor, startSandbox } from '../support/services.js';

const GOOD = { transaction_id: 12, access_token: 'a', client_token: 'c', expires_in: 3600 };

const BAD: [string, ApiJson, string][] = [
  ['no access_token', { ...GOOD, access_token: undefined as never }, 'access_token must be'],
  ['access_token null', { ...GOOD, access_token: null }, 'access_token must be'],
  ['access_token empty', { ...GOOD, access_token: '' }, 'access_token must be'],
  ['access_token a number', { ...GOOD, access_token: 7 }, 'access_token must be'],
  ['client_token an array', { ...GOOD, client_token: ['c'] }, 'client_token must be'],
  ['refresh_token a boolean', { ...GOOD, refresh_token: true }, 'refresh_token must be'],
  ['refresh_token two lines', { ...GOOD, refresh_token: 'a\nb' }, 'refresh_token must be'],
  ['transaction_id a fraction', { ...GOOD, transaction_id: 1.5 }, 'transaction_id must be'],
  ['transaction_id negative', { ...GOOD, transaction_id: -1 }, 'transaction_id must be'],
  ['transaction_id an object', { ...GOOD, transaction_id: {} }, 'transaction_id must be'],
  ['expires_in 0', { ...GOOD, expires_in: 0 }, 'expires_in must be'],
  ['expires_in negative', { ...GOOD, expires_in: -3600 }, 'expires_in must be'],
  ['expires_in absurd', { ...GOOD, expires_in: 1e15 }, 'expires_in must be'],
  ['expires_in a fraction', { ...GOOD, expires_in: 0.5 }, 'expires_in must be'],
  ['expires_in a string', { ...GOOD, expires_in: '3600' }, 'expires_in must be'],
  ['expires_in null', { ...GOOD, expires_in: null }, 'expires_in must be'],
  ['expires_in missing', { ...GOOD, expires_in: undefined as never }, 'expires_in must be'],
  ['expires_in infinite', '{"access_token":"a","expires_in":1e999}', 'expires_in must be'],
  ['an empty object', {}, 'access_token must be'],
  ['an array', [GOOD], 'not a JSON object'],
  ['null', 'null', 'not a JSON object'],
  ['a string', '"tokens"', 'not a JSON object'],
  ['half a JSON object', '{"access_token":"a",', 'not a JSON object'],
  ['HTML', '<html><body>Login</body></html>', 'not a JSON object'],
  ['nothing', '', 'access_token must be'],
];

describe('an answer that breaks the contract of the API', () => {
  it.each(BAD)(
    '%s: BerbixResponseError that names the field, not repeated',
    async (_what, body, problem) => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox, { retry: 2 });
      sandbox.faults.add({ kind: 'answer', body });
      const error = await errorOf(tokens.refresh('rt_any'));
      expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', status: 200, retryable: false });
      expect(error.message).toContain('POST /v0/tokens');
      expect(error.message).toContain(problem);
      expect(sandbox.requests.length).toBe(1);
    },
  );

  it('has the status and the id of the request in each error', async () => {
    const sandbox = await startSandbox();
    const { tokens, transactions } = await servicesFor(sandbox);
    const known = new BerbixTokens({ refreshToken: 'rt_7', transactionId: '7' });
    const withAccess = new BerbixTokens({
      refreshToken: 'rt_7',
      accessToken: 'at_7',
      expiresAt: new Date(Date.now() + 3_600_000),
      lifetimeMs: 3_600_000,
    });
    const creation = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
    for (const [status, body, call] of [
      [204, '', tokens.refresh('rt_any')],
      // Each caller merges a good answer with what they know.
      [201, GOOD, tokens.refresh(known)],
      [202, GOOD, transactions.create(creation)],
      [203, {}, transactions.fetch(withAccess)],
    ] as const) {
      const headers = { 'x-request-id': `req_${status}` };
      sandbox.faults.add({ kind: 'answer', status, headers, body });
      const { message, ...error } = await errorOf(call);
      expect(error).toMatchObject({ status, requestId: `req_${status}` });
      expect(message).toContain('breaks the contract of the API');
    }
  });

  it('omits unknown fields, and treats null and "" as absent in optional fields', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    sandbox.faults.add({
      kind: 'answer',
      body: {
        ...GOOD,
        client_token: null,
        refresh_token: '',
        transaction_id: null,
        more: [1],
        __proto__: {},
      },
    });
    const answered = await firstValueFrom(tokens.refresh('rt_any'));
    expect(answered.accessToken).toBe('a');
    expect(answered.clientToken).toBeUndefined();
    expect(answered.transactionId).toBeUndefined();
    expect(answered.refreshToken).toBe('rt_any');
  });

  it.each([
    ['expires_in', { expires_in: 0 }],
    ['access_token', { access_token: null }],
    ['transaction_id that is text', { transaction_id: 'twelve' }],
    ['transaction_id that is too long', { transaction_id: '123456789012345678901' }],
    ['transaction_id that is an object', { transaction_id: {} }],
  ])(
    'has the refresh token in its error if the answer has an invalid %s, since the old one may be dead',
    async (_, bad) => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox);
      sandbox.faults.add({ kind: 'answer', body: { ...GOOD, refresh_token: 'rt_new', ...bad } });
      const error = await errorOf(tokens.refresh('rt_old'));
      expect(error.code).toBe('BERBIX_RESPONSE');
      expect(error.tokens?.refreshToken).toBe('rt_new');
      expect(error.message).toContain('error.tokens.refreshToken');
    },
  );

  it('has the id of the request in its error, but no refresh token of another transaction', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const body = { ...GOOD, refresh_token: 'rt_of_12', expires_in: 0 };
    sandbox.faults.add({ kind: 'answer', headers: { 'x-request-id': 'req_7' }, body });
    const passed = new BerbixTokens({ refreshToken: 'rt_old', transactionId: '7' });
    const error = await errorOf(tokens.refresh(passed));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', requestId: 'req_7' });
    expect(error.message).toContain('transaction_id is that of another transaction');
    expect(error.tokens).toBeUndefined();
  });
});
