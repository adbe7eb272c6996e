import { describe, expect, it } from '@jest/globals';
import {
  BerbixEvents,
  BerbixInvalidAccessTokenError,
  BerbixStoreError,
  BerbixTokens,
  type BerbixTokenRef,
  type BerbixTokenService,
} from 'nestjs-berbix';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { firstValueFrom, of, throwError } from 'rxjs';
import { CallTokens } from '../../lib/transactions/call-tokens.js';
import { errorOf } from '../support/errors.js';
import { everyViewOf } from '../support/sinks.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { until } from '../support/until.js';

const paths = (requests: Iterable<{ method: string; path: string }>): string[] =>
  [...requests].map(({ method, path }) => `${method} ${path}`);

const [EXCHANGE, FETCH] = ['POST /v0/tokens', 'GET /v0/transactions'];

describe('a call on a transaction', () => {
  it('uses the access token that it has', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    const { tokens } = await firstValueFrom(services.transactions.fetch(created));
    expect(paths(sandbox.requests)).toEqual([FETCH]);
    expect(sandbox.requests.last?.headers.authorization).toBe(`Bearer ${created.accessToken}`);
    expect(tokens).toBe(created);
  });

  it.each([
    ['only a refresh token', (tokens: BerbixTokens) => tokens.refreshToken],
    [
      'an access token that expires soon',
      ({ refreshToken, accessToken }: BerbixTokens) =>
        new BerbixTokens({ refreshToken, accessToken, expiresAt: new Date(Date.now() + 10_000) }),
    ],
  ])('refreshes first with %s', async (_what, given) => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    const { tokens } = await firstValueFrom(services.transactions.fetch(given(created)));
    expect(paths(sandbox.requests)).toEqual([EXCHANGE, FETCH]);
    expect(tokens.refreshToken).not.toBe(created.refreshToken);
    expect(await firstValueFrom(services.transactions.fetch(tokens.refreshToken))).toBeDefined();
  });

  it('refreshes once more if the API refuses the token, and repeats the call', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'status', status: 401, path: '/v0/transactions' });
    expect(await firstValueFrom(services.transactions.fetch(created))).toBeDefined();
    expect(paths(sandbox.requests)).toEqual([FETCH, EXCHANGE, FETCH]);
  });

  it('refreshes only once more', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 2 });
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'status', status: 401, path: '/v0/transactions', times: Infinity });
    expect(await errorOf(services.transactions.fetch(created))).toMatchObject({
      code: 'BERBIX_INVALID_ACCESS_TOKEN',
      status: 401,
    });
    expect(paths(sandbox.requests)).toEqual([FETCH, EXCHANGE, FETCH]);
  });

  it('fails with the error of the API if the token is new', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens: created }));
    const ada = { customerUid: 'ada' };
    const { accessToken } = created;
    await firstValueFrom(services.tokens.fresh(ada, { refused: accessToken }));
    const fault = { kind: 'status', status: 401, readable: 'account_suspended' } as const;
    sandbox.faults.add({ ...fault, path: '/v0/transactions' });
    expect(await errorOf(services.transactions.fetch(ada))).toMatchObject({
      code: 'BERBIX_INVALID_ACCESS_TOKEN',
      status: 401,
      readable: 'account_suspended',
    });
  });

  it('blames the access token of a call that has no refresh token, whatever the API says', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({
      kind: 'status',
      status: 401,
      readable: 'invalid_refresh_token',
      path: '/v0/transactions',
      times: Infinity,
    });
    expect(await errorOf(services.transactions.fetch(created))).toMatchObject({
      code: 'BERBIX_INVALID_ACCESS_TOKEN',
      readable: 'invalid_refresh_token',
    });
  });

  it('does not refresh twice in one call', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'status', status: 401, path: '/v0/transactions', times: Infinity });
    await errorOf(services.transactions.fetch(refreshToken));
    expect(paths(sandbox.requests)).toEqual([EXCHANGE, FETCH]);
  });

  it('shows no token in its errors, even if the API quotes one', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const accessToken = created.accessToken as string;
    sandbox.faults.add({ kind: 'status', status: 400, message: `bad ${accessToken}` });
    const views = await everyViewOf(await errorOf(services.transactions.fetch(created)));
    expect(views).toContain('[redacted]');
    expect(views).not.toContain(accessToken);
  });

  it('does not refresh after other errors', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'status', status: 403 });
    expect(await errorOf(services.transactions.fetch(created))).toMatchObject({
      code: 'BERBIX_REQUEST',
    });
    expect(paths(sandbox.requests)).toEqual([FETCH]);
  });

  it.each([403, 409, 410, 500])(
    'has a replaced refresh token in its error if it fails with %i after the exchange',
    async (status) => {
      const sandbox = await startSandbox({ refreshToken: 'rotate' });
      const services = await servicesFor(sandbox);
      const created = await createTransaction(sandbox, services);
      sandbox.faults.add({ kind: 'status', status, path: '/v0/transactions' });
      const error = await errorOf(services.transactions.fetch(created.refreshToken));
      expect(error.status).toBe(status);
      const saved = error.tokens?.refreshToken as string;
      expect(saved).not.toBe(created.refreshToken);
      expect(await firstValueFrom(services.tokens.refresh(saved))).toBeDefined();
    },
  );

  it('has no tokens in the error of a call by customer or transaction, whose tokens are in the store', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    sandbox.faults.add({ kind: 'status', status: 403, path: '/v0/transactions' });
    const error = await errorOf(services.transactions.fetch({ customerUid: 'ada' }));
    expect(error.status).toBe(403);
    expect(error.tokens).toBeUndefined();
  });

  it('makes one exchange for many concurrent calls', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    const calls = Array.from({ length: 20 }, () =>
      firstValueFrom(services.transactions.fetch(refreshToken)),
    );
    expect(await Promise.all(calls)).toHaveLength(20);
    expect(paths(sandbox.requests).filter((path) => path === EXCHANGE)).toHaveLength(1);
  });

  it('accepts the parts of tokens as a database returns them', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    const row = { refreshToken } as BerbixTokens;
    expect((await firstValueFrom(services.transactions.fetch(row))).customerUid).toBe('ada');
  });

  it('fails with a clear error for an unusable refresh token', async () => {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    expect(await errorOf(transactions.fetch(''))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
    });
    expect(await errorOf(transactions.fetch(undefined as never))).toMatchObject({
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
    });
    expect(sandbox.requests.length).toBe(0);
  });
});

describe('an upload', () => {
  const ADA = { customerUid: 'ada' };
  const PATH = '/v0/tokens';
  const ANSWER = { access_token: 'at', expires_in: 3_600 };

  /** Tokens of a transaction in the sandbox, of which the application has no client token. */
  async function withoutClientToken(options?: BerbixSandboxOptions) {
    const sandbox = await startSandbox(options);
    const services = await servicesFor(sandbox);
    const { refreshToken, accessToken, expiresAt, transactionId } = await createTransaction(
      sandbox,
      services,
    );
    const tokens = new BerbixTokens({ refreshToken, accessToken, expiresAt, transactionId });
    const upload = (ref: BerbixTokenRef) => services.transactions.uploadIdScan(ref, 'AAAA');
    return { sandbox, services, tokens, upload };
  }

  it('exchanges tokens that have no client token, and none was refused', async () => {
    const { sandbox, services, tokens, upload } = await withoutClientToken();
    await firstValueFrom(services.tokens.remember({ ...ADA, tokens }));
    const reasons: string[] = [];
    services.module.get(BerbixEvents).events$.subscribe((event) => {
      if (event.kind === 'token.exchanged') reasons.push(event.reason);
    });
    sandbox.requests.clear();
    for (const ref of [ADA, tokens]) {
      expect((await errorOf(upload(ref))).code).not.toBe('BERBIX_RESPONSE');
    }
    expect(sandbox.requests.to('POST', PATH)).toHaveLength(1);
    await until(() => reasons.length > 0);
    expect(reasons).toEqual(['expired']);
  });

  it('says that the API returned no client token, also a moment later', async () => {
    const { sandbox, services, tokens, upload } = await withoutClientToken();
    await firstValueFrom(services.tokens.remember({ ...ADA, tokens }));
    sandbox.faults.add({ kind: 'answer', path: PATH, body: ANSWER, times: Infinity });
    for (const ref of [ADA, ADA, tokens]) {
      const error = await errorOf(upload(ref));
      expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', retryable: false });
      expect(error.message).toBe('The API returned no client token for this transaction.');
    }
    expect(sandbox.requests.to('POST', PATH)).toHaveLength(1);
  });

  it('has a replaced refresh token in its error if the API returned no client token', async () => {
    const { sandbox, tokens, upload } = await withoutClientToken({ refreshToken: 'rotate' });
    const body = { ...ANSWER, refresh_token: 'rt_new' };
    sandbox.faults.add({ kind: 'answer', path: PATH, body });
    const error = await errorOf(upload(tokens.refreshToken));
    expect(error.code).toBe('BERBIX_RESPONSE');
    expect(error.tokens?.refreshToken).toBe('rt_new');
  });

  it('does without tokens that have no client token while Berbix is down', async () => {
    const { sandbox, services, tokens, upload } = await withoutClientToken();
    await firstValueFrom(services.tokens.remember({ ...ADA, tokens }));
    sandbox.faults.add({ kind: 'status', status: 503, path: PATH });
    expect(await errorOf(upload(ADA))).toMatchObject({ code: 'BERBIX_SERVER', retryable: true });
  });
});

describe('delete()', () => {
  it('deletes a transaction, and succeeds if it is already gone', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 1 });
    const created = await createTransaction(sandbox, services);
    // The first answer is lost, and the retry finds the transaction gone.
    sandbox.faults.add({ kind: 'reset', processed: true });
    expect(await firstValueFrom(services.transactions.delete(created))).toBeUndefined();
    expect(
      await firstValueFrom(services.transactions.delete(created.refreshToken)),
    ).toBeUndefined();
    expect(await errorOf(services.transactions.fetch(created))).toMatchObject({
      code: 'BERBIX_GONE',
      status: 410,
    });
  });

  it('succeeds if Berbix has just said that the transaction is gone', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const tokens = created.refreshToken;
    await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens }));
    await firstValueFrom(services.transactions.delete(created));
    sandbox.requests.clear();
    for (let times = 0; times < 2; times++) {
      const deletion = services.transactions.delete({ customerUid: 'ada' });
      expect(await firstValueFrom(deletion)).toBeUndefined();
    }
    expect(paths(sandbox.requests)).toEqual([EXCHANGE]);
  });

  it('fails if the store has no tokens of the transaction any more', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens: created }));
    await firstValueFrom(services.tokens.forget({ customerUid: 'ada' }));
    const error = await errorOf(services.transactions.delete({ customerUid: 'ada' }));
    expect(error.code).toBe('BERBIX_GONE');
    expect(error.status).toBeUndefined();
    expect(await firstValueFrom(services.transactions.fetch(created))).toBeDefined();
  });

  it('has the newest tokens in its error if the API replaced the refresh token twice', async () => {
    const [first, second] = ['rt_first', 'rt_second'].map(
      (refreshToken) => new BerbixTokens({ refreshToken, accessToken: `at_${refreshToken}` }),
    ) as [BerbixTokens, BerbixTokens];
    const lost = new BerbixStoreError('down', { retryable: true }).withTokens(second);
    const answers = [of(first), throwError(() => lost)];
    const asked: BerbixTokenRef[] = [];
    const service = {
      fresh: (ref: BerbixTokenRef) => {
        asked.push(ref);
        return answers.shift();
      },
    } as unknown as BerbixTokenService;
    const refusal = new BerbixInvalidAccessTokenError('no', { status: 401 });
    const call = new CallTokens(service, 'rt_given', undefined).use('accessToken', () =>
      throwError(() => refusal),
    );
    expect((await errorOf(call)).tokens?.refreshToken).toBe('rt_second');
    // The one that was given may be of no use by then.
    expect(asked).toEqual(['rt_given', first]);
  });
});
