import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BerbixTokens, ClientTokenDto, RefreshTokensDto } from 'nestjs-berbix';
import { validateSync } from 'class-validator';
import { firstValueFrom } from 'rxjs';
import { sampleTokens } from 'nestjs-berbix/testing';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

const customerUid = 'ada';

/** What remains of tokens that were passed on in another form. */
const REMAINS: [string, (tokens: BerbixTokens) => unknown][] = [
  ['through JSON', (tokens) => JSON.parse(JSON.stringify(tokens))],
  ['their JSON text', (tokens) => JSON.stringify(tokens)],
  ['the refresh token of their JSON', () => '[redacted]'],
  ['their text', String],
  ['as they are printed', (tokens) => inspect(tokens)],
  ['a spread', (tokens) => ({ ...tokens })],
  ['a structuredClone', (tokens) => structuredClone(tokens)],
  ['a proxy', (tokens) => new Proxy(tokens, {})],
  ['an object that inherits from them', (tokens) => Object.create(tokens) as unknown],
  [
    'a valid refresh token with an access token that went through JSON',
    ({ refreshToken }) => ({ refreshToken, accessToken: '[redacted]' }),
  ],
];

const INPUT = { code: 'BERBIX_INPUT', retryable: false };

describe.each(REMAINS)('tokens in another form (%s)', (_what, remainsOf) => {
  it('never replace the valid refresh token in the store', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid, tokens: created }));
    const tokens = remainsOf(created) as BerbixTokens;
    expect(await errorOf(services.tokens.remember({ customerUid, tokens }))).toMatchObject(INPUT);
    const { refreshToken } = await firstValueFrom(services.tokens.fresh({ customerUid }));
    expect(refreshToken).toBe(created.refreshToken);
  });

  it('are refused wherever tokens are expected, and nothing is sent', async () => {
    const sandbox = await startSandbox();
    const { tokens, transactions } = await servicesFor(sandbox);
    const remains = remainsOf(sampleTokens()) as BerbixTokens;
    for (const call of [
      tokens.fresh(remains),
      tokens.fresh(remains, { leewayMs: 60_000 }),
      tokens.refresh(remains),
      transactions.fetch(remains),
      transactions.delete(remains),
      transactions.uploadIdScan(remains, 'abcd'),
    ]) {
      const error = await errorOf(call);
      expect(error).toMatchObject(INPUT);
      expect(error.message).not.toMatch(/_sample_/);
    }
    expect(sandbox.requests.length).toBe(0);
  });

  it('are not returned to a browser', () => {
    const remains = remainsOf(sampleTokens()) as BerbixTokens;
    expect(() => ClientTokenDto.of(remains)).toThrow(expect.objectContaining(INPUT));
  });

  it('are refused if loadTokens returns them', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, {
      loadTokens: async () => remainsOf(sampleTokens()) as BerbixTokens,
    });
    const error = await errorOf(tokens.fresh({ customerUid }));
    expect(error).toMatchObject({ ...INPUT, message: expect.stringContaining('loadTokens') });
  });
});

describe('the remains of a refresh token', () => {
  it('say what to do', () => {
    expect(() => BerbixTokens.fromRefresh('[redacted]')).toThrow(
      'Pass the BerbixTokens unchanged, or store tokens.refreshToken and pass that.',
    );
  });

  it('do not pass the validation of a request body', () => {
    const body = Object.assign(new RefreshTokensDto(), { refreshToken: '[redacted]' });
    expect(validateSync(body)).toHaveLength(1);
    expect(validateSync(Object.assign(body, { refreshToken: 'rt' }))).toHaveLength(0);
  });

  it('are not accepted from an answer of the API, whose refresh token is in the error', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    sandbox.faults.add({
      kind: 'answer',
      body: { access_token: '[redacted]', refresh_token: 'rt_new', expires_in: 60 },
    });
    const error = await errorOf(tokens.refresh('rt'));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', tokens: { refreshToken: 'rt_new' } });
  });

  it('are not tokens of another copy of this package, which are accepted', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const own = await createTransaction(sandbox, services);
    /** Like the class of another copy: the same properties, but private fields of its own. */
    class ForeignTokens {
      #tokens = own;
      get refreshToken(): string {
        return this.#tokens.refreshToken;
      }
      get accessToken(): string | undefined {
        return this.#tokens.accessToken;
      }
      get clientToken(): string | undefined {
        return this.#tokens.clientToken;
      }
      get expiresAt(): Date | undefined {
        return this.#tokens.expiresAt;
      }
      get transactionId(): string | undefined {
        return this.#tokens.transactionId;
      }
      needsRefresh(): boolean {
        return this.#tokens.needsRefresh();
      }
    }
    const foreign = new ForeignTokens() as unknown as BerbixTokens;
    await firstValueFrom(services.tokens.remember({ customerUid, tokens: foreign }));
    const stored = await firstValueFrom(services.tokens.fresh({ customerUid }));
    expect(stored.accessToken).toBe(own.accessToken);
    expect(ClientTokenDto.of(foreign).clientToken).toBe(own.clientToken);
  });
});
