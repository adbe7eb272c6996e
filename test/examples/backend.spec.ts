import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, BerbixSandboxOptions, SandboxFault } from 'nestjs-berbix/sandbox';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import type { Database } from '../../examples/backend/database/database.js';
import { migrate } from '../../examples/backend/database/migrations.js';
import { PLATFORMS } from '../support/platforms.js';
import { sharedPglite } from '../support/servers.js';
import { startSandbox } from '../support/services.js';
import {
  type Answer,
  type Backend,
  type BackendSettings,
  created,
  exchanged,
  finish,
  startBackend,
} from './support/backend.js';

const HOUR = 3_600_000;
const TOKENS = '/v0/tokens';
const METADATA = '/v0/transactions/metadata';
/** Refresh tokens, access tokens, API secrets and webhook secrets of the sandbox. */
const SECRET = /\b(?:rt|at|secret_test|secret_live|whs_test)_/;

const query: Database['query'] = async (sql, values) => (await sharedPglite()).query(sql, values);

interface Row {
  customer_uid: string;
  transaction_id: string;
  status: string;
}

const rows = async (): Promise<Row[]> =>
  (await query<Row>('SELECT customer_uid, transaction_id, status FROM customer_verifications'))
    .rows;

/** All values in the token store. */
async function stored(): Promise<Record<string, string>> {
  const sql = 'SELECT key, value FROM berbix_tokens WHERE value IS NOT NULL';
  const found = await query<{ key: string; value: string }>(sql);
  return Object.fromEntries(found.rows.map(({ key, value }) => [key, value]));
}

function expectNoSecret(answer: Answer): void {
  expect(answer.text).not.toMatch(SECRET);
  expect(JSON.stringify([...answer.headers])).not.toMatch(SECRET);
}

beforeAll(() => migrate({ query, location: '' }));

beforeEach(async () => {
  await query('DELETE FROM customer_verifications');
  await query('DELETE FROM berbix_tokens');
});

function start(sandbox: BerbixSandbox, settings: Partial<BackendSettings> = {}): Promise<Backend> {
  return startBackend({ platform: 'express', sandbox, query, ...settings });
}

/** A sandbox and a backend, for most of the tests. */
async function startBoth(
  options?: BerbixSandboxOptions,
  settings?: Partial<BackendSettings>,
): Promise<{ sandbox: BerbixSandbox; backend: Backend }> {
  const sandbox = await startSandbox(options);
  return { sandbox, backend: await start(sandbox, settings) };
}

// What depends on the platform: routes, bodies, statuses and headers.
describe.each(PLATFORMS)('The example backend on %s', (platform) => {
  it.each([
    ['hosted', 'accept', 'accepted', ['hostedUrl', 'isResumed', 'transactionId']],
    ['sdk', 'review', 'review', ['clientToken', 'expiresAt', 'isResumed', 'transactionId']],
  ] as const)(
    'verifies a customer from the beginning to the result, %s: %s',
    async (kind, choice, status, keys) => {
      const { sandbox, backend } = await startBoth({}, { platform, kind });
      expect((await backend.status('ada')).body).toEqual({ status: 'not_started', since: null });
      const begun = await backend.begin('ada');
      expect(begun.status).toBe(200);
      expect(Object.keys(begun.body).toSorted()).toEqual(keys);
      const { transactionId } = begun.body;
      const inProgress = { status: 'in_progress', since: expect.any(String) };
      expect((await backend.status('ada')).body).toEqual(inProgress);
      const undetermined = { transactionId, action: null, name: null };
      expect((await backend.result('ada')).body).toEqual(undetermined);

      await finish(sandbox, begun, choice);
      const delivered = { status: 204, attempts: 1, delivered: true };
      expect([...sandbox.deliveries]).toEqual([
        expect.objectContaining({ kind: 'finished', ...delivered }),
        expect.objectContaining({ kind: 'status', ...delivered }),
      ]);
      // From the webhook, before any request for the status.
      expect(await rows()).toEqual([
        { customer_uid: 'ada', transaction_id: transactionId, status },
      ]);
      const current = await backend.status('ada');
      expect(current.body).toEqual({ status, since: expect.any(String) });
      const result = await backend.result('ada');
      expect(result.body).toEqual({ transactionId, action: choice, name: 'JOHN DOE' });
      for (const answer of [begun, current, result]) {
        expectNoSecret(answer);
        expect(answer.headers.get('cache-control')).toBe('no-store');
      }
    },
  );

  it('admits only signed-in customers, and takes the customer only from the login', async () => {
    const { sandbox, backend } = await startBoth({}, { platform });
    for (const customer of [undefined, '', 'two words']) {
      for (const ask of [backend.again, backend.status, backend.result, backend.erase]) {
        expect(await ask(customer)).toMatchObject({ status: 401 });
      }
      expect(await backend.begin(customer, '?customerUid=ada')).toMatchObject({ status: 401 });
    }
    expect(sandbox.requests).toHaveLength(0);
    await backend.begin('grace', '?customerUid=ada');
    expect(await rows()).toEqual([expect.objectContaining({ customer_uid: 'grace' })]);
    expect(await backend.result('ada')).toMatchObject({ status: 404 });
  });

  it('accepts signed webhooks, however often they come, and no others', async () => {
    const { sandbox, backend } = await startBoth({}, { platform });
    const begun = await backend.begin('ada');
    sandbox.webhooks.failNext('duplicate', 'status');
    await finish(sandbox, begun);
    expect([...sandbox.deliveries].map(({ status }) => status)).toEqual([204, 204, 204]);
    const current = (await backend.status('ada')).body;
    expect(current['status']).toBe('accepted');
    const { transactionId } = begun.body;
    const forged = { transactionId, customerUid: 'ada', action: 'reject' };
    const { finished: wrong } = sandbox.webhookSecrets;
    expect(await deliver(sandbox, backend, forged, wrong)).toBe(401);
    // The action in the body does not count.
    expect(await deliver(sandbox, backend, forged)).toBe(204);
    expect((await backend.status('ada')).body).toEqual(current);
  });

  it('answers 502 with a message if Berbix cannot be reached, and stores nothing', async () => {
    const { sandbox, backend } = await startBoth({}, { platform });
    await sandbox.close();
    const answer = await backend.begin('ada');
    expect(answer).toMatchObject({
      status: 502,
      body: { message: 'Identity verification cannot be reached.' },
    });
    expectNoSecret(answer);
    expect(await rows()).toEqual([]);
    expect(await stored()).toEqual({});
  });
});

describe('The example backend', () => {
  it('stores tokens in its database, encrypted, and exchanges the refresh token from there', async () => {
    const { sandbox, backend } = await startBoth({ refreshToken: 'rotate' });
    const begun = await backend.begin('ada');
    const records = await stored();
    const key = `default/transaction/${begun.body['transactionId']}`;
    expect(Object.keys(records).toSorted()).toEqual(['default/customer/ada', key]);
    for (const value of Object.values(records)) expect(value).toMatch(/^b1\.test\.[\w-]+$/);

    // Another instance has only the database, and an hour later the access token has expired.
    const another = await start(sandbox);
    sandbox.clock.advance(HOUR);
    const answers = await Promise.all(Array.from({ length: 5 }, () => another.result('ada')));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(exchanged(sandbox)).toHaveLength(1);
    expect((await stored())[key]).not.toBe(records[key]);

    // The first instance still has the refused tokens, and finds the fresh ones.
    expect(await backend.result('ada')).toMatchObject({ status: 200 });
    expect(exchanged(sandbox)).toHaveLength(1);
  });

  it('resumes an unfinished verification', async () => {
    const { sandbox, backend } = await startBoth();
    const first = await backend.begin('ada');
    sandbox.clock.advance(2 * HOUR);
    const second = await backend.begin('ada');
    expectNoSecret(second);
    expect(second.body).toEqual({ ...first.body, isResumed: true });
    expect(exchanged(sandbox)).toHaveLength(1);
    expect(created(sandbox)).toBe(1);
  });

  it('begins one transaction for many concurrent requests to two instances', async () => {
    const sandbox = await startSandbox();
    const backends = [await start(sandbox), await start(sandbox)];
    const answers = await Promise.all(
      backends.flatMap((backend) => Array.from({ length: 5 }, () => backend.begin('ada'))),
    );
    const [row] = await rows();
    expect(answers.map(({ body }) => body['transactionId'])).toEqual(
      answers.map(() => row?.transaction_id),
    );
    expect(created(sandbox)).toBe(1);
  });

  it('begins a new transaction if Berbix does not know the refresh token, as with a new sandbox', async () => {
    const first = await (await startBoth()).backend.begin('ada');
    const second = await (await startBoth()).backend.begin('ada');
    expect(second.status).toBe(200);
    expect(second.body['transactionId']).not.toBe(first.body['transactionId']);
    expect(await rows()).toEqual([
      expect.objectContaining({ transaction_id: second.body['transactionId'] }),
    ]);
  });

  it('does not begin a finished verification again, and then knows the status without a webhook', async () => {
    const { sandbox, backend } = await startBoth();
    const begun = await backend.begin('ada');
    for (const kind of ['finished', 'status'] as const) sandbox.webhooks.setUrl(kind, undefined);
    await finish(sandbox, begun, 'reject');
    expect((await backend.status('ada')).body['status']).toBe('in_progress');
    expect(await backend.begin('ada')).toMatchObject({ status: 409 });
    expect((await backend.status('ada')).body['status']).toBe('rejected');
    // That does not overwrite a status from a webhook.
    await query(`UPDATE customer_verifications SET status = 'accepted'`);
    expect(await backend.begin('ada')).toMatchObject({ status: 409 });
    expect((await backend.status('ada')).body['status']).toBe('accepted');
    // It also helps if a process ended before it had saved anything.
    await query('DELETE FROM customer_verifications');
    expect(await backend.begin('ada')).toMatchObject({ status: 409 });
    expect((await backend.status('ada')).body['status']).toBe('rejected');
  });

  it('begins another attempt, which a webhook of the earlier one does not change', async () => {
    const { sandbox, backend } = await startBoth();
    const first = await backend.begin('ada');
    await finish(sandbox, first);
    const second = await backend.again('ada');
    expectNoSecret(second);
    expect(second.headers.get('cache-control')).toBe('no-store');
    expect(second).toMatchObject({ status: 200, body: { isResumed: false } });
    expect(second.body['transactionId']).not.toBe(first.body['transactionId']);
    expect((await backend.status('ada')).body['status']).toBe('in_progress');
    const { since } = (await backend.status('ada')).body;
    const { transactionId } = first.body;
    expect(await deliver(sandbox, backend, { transactionId, customerUid: 'ada' })).toBe(204);
    expect((await backend.status('ada')).body).toEqual({ status: 'in_progress', since });
    // Not even if the process ended before it had saved the second one.
    const row = [transactionId, 'accepted'];
    await query('UPDATE customer_verifications SET transaction_id = $1, status = $2', row);
    expect(
      await deliver(sandbox, backend, { transactionId, customerUid: 'ada', action: 'x' }),
    ).toBe(204);
    expect((await backend.status('ada')).body['status']).toBe('accepted');
    await backend.begin('ada');
    await finish(sandbox, second, 'reject');
    expect((await backend.status('ada')).body['status']).toBe('rejected');
  });

  it('deletes a customer in its database and at Berbix', async () => {
    const { sandbox, backend } = await startBoth();
    const begun = await backend.begin('ada');
    await backend.begin('grace');
    expect(await backend.erase('ada')).toMatchObject({ status: 204, text: '' });
    expect(sandbox.requests.to('DELETE', '/v0/transactions')).toMatchObject([{ status: 204 }]);
    expect(await rows()).toEqual([expect.objectContaining({ customer_uid: 'grace' })]);
    expect(Object.keys(await stored()).filter((key) => key.includes('ada'))).toEqual([]);
    const { transactionId = '' } = begun.body;
    expect(Object.keys(await stored()).join()).not.toContain(transactionId);
    expect(await backend.result('ada')).toMatchObject({ status: 410 });
    // A late webhook restores nothing.
    expect(await deliver(sandbox, backend, { transactionId, customerUid: 'ada' })).toBe(204);
    expect((await backend.status('ada')).body['status']).toBe('not_started');
    expect(await rows()).toHaveLength(1);
    const anew = await backend.begin('ada');
    expect(anew.status).toBe(200);
    expect(anew.body['transactionId']).not.toBe(transactionId);
  });

  it('deletes a customer with a transaction of another account', async () => {
    const { backend } = await startBoth();
    await backend.begin('ada');
    // As after a restart with a new sandbox.
    const { sandbox, backend: restarted } = await startBoth();
    await restarted.begin('ada');
    expect(await restarted.erase('ada')).toMatchObject({ status: 204 });
    expect(sandbox.requests.to('DELETE', '/v0/transactions').map(({ status }) => status)).toContain(
      204,
    );
    expect(await rows()).toEqual([]);
    expect(await restarted.erase('ada')).toMatchObject({ status: 204 });
  });

  it('keeps a customer if Berbix could not delete the transaction', async () => {
    const { sandbox, backend } = await startBoth();
    await backend.begin('ada');
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/transactions', times: Infinity });
    expect(await backend.erase('ada')).toMatchObject({ status: 502 });
    expect(await rows()).toHaveLength(1);
    sandbox.faults.clear();
    expect(await backend.erase('ada')).toMatchObject({ status: 204 });
    expect(await rows()).toEqual([]);
  });

  it('makes Berbix send a webhook again that it could not handle', async () => {
    const { sandbox, backend } = await startBoth({ webhooks: { retryDelayMs: 1 } });
    const begun = await backend.begin('ada');
    // One call makes three attempts.
    sandbox.faults.add({ kind: 'status', status: 503, path: METADATA, times: 3 });
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/transactions', times: 3 });
    await finish(sandbox, begun);
    const [delivery] = sandbox.deliveries.of('status');
    expect(delivery).toMatchObject({ delivered: true, status: 204 });
    expect(delivery?.attempts).toBeGreaterThan(1);
    expect((await backend.status('ada')).body['status']).toBe('accepted');
  });

  it.each<[string, number, SandboxFault]>([
    ['fails', 502, { kind: 'status', status: 503 }],
    ['resets connections', 502, { kind: 'reset' }],
    ['is behind a proxy that answers with a page', 502, { kind: 'html' }],
    ['is busy', 503, { kind: 'status', status: 429, retryAfter: 60 }],
    ['does not answer', 504, { kind: 'hang' }],
    [
      'refuses the API secret',
      500,
      { kind: 'status', status: 401, readable: 'invalid_api_secret' },
    ],
  ])('keeps the stored tokens while Berbix %s: %i', async (_what, status, fault) => {
    const { sandbox, backend } = await startBoth();
    await backend.begin('ada');
    const before = await stored();
    const timeouts: Record<string, string> =
      fault.kind === 'hang' ? { BERBIX_TIMEOUT_MS: '200', BERBIX_TOTAL_TIMEOUT_MS: '2000' } : {};
    const another = await start(sandbox, { environment: timeouts });
    sandbox.clock.advance(HOUR);
    sandbox.faults.add({ ...fault, path: TOKENS, times: Infinity });
    const first = await another.begin('ada');
    // Usually, Berbix is not called again for a while.
    const next = await another.result('ada');
    expect(first.status).toBe(status);
    expect([status, 503]).toContain(next.status);
    for (const answer of [first, next]) {
      expect(answer.body['message']).toMatch(/^[A-Z].*/);
      expectNoSecret(answer);
    }
    expect((await another.status('ada')).body['status']).toBe('in_progress');
    expect(await stored()).toEqual(before);
  });
});

/** Sends a status webhook like Berbix. Resolves to the status of the answer. */
async function deliver(
  sandbox: BerbixSandbox,
  backend: Backend,
  about: Parameters<typeof sampleWebhookBody>[0],
  secret: string = sandbox.webhookSecrets.status,
): Promise<number> {
  const body = sampleWebhookBody(about);
  const { status } = await fetch(`${backend.url}/webhooks/berbix/status`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-berbix-signature': signBerbixWebhook({ secret, body }),
    },
    body,
  });
  return status;
}
