import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BerbixSandbox, SandboxFault } from 'nestjs-berbix/sandbox';
import type { Database } from '../../examples/backend/database/database.js';
import { migrate } from '../../examples/backend/database/migrations.js';
import { PgliteDatabase } from '../../examples/backend/database/pglite.database.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox } from '../support/services.js';
import {
  type Answer,
  type Backend,
  claimsOf,
  deleteTransaction,
  startBackend,
} from './backend.support.js';

jest.setTimeout(60_000);

const TOKENS = '/v0/tokens';
const TRANSACTIONS = '/v0/transactions';
/** Refresh and access tokens as the sandbox makes them, and API secrets. */
const SECRET = /\b(?:rt|at|secret_test|secret_live)_/;

interface Row {
  customer_uid: string;
  transaction_id: string;
  refresh_token: string;
}

let database: PgliteDatabase;
const query: Database['query'] = (sql, values) => database.query(sql, values);
const rows = () => query<Row>('SELECT * FROM verifications ORDER BY customer_uid');

async function storedToken(): Promise<string> {
  const [row, ...others] = await rows();
  expect(others).toEqual([]);
  return row?.refresh_token ?? '';
}

const created = (sandbox: BerbixSandbox): number =>
  sandbox.requests.to('POST', TRANSACTIONS).length;

/** The refresh tokens that were sent, oldest first. */
const exchanged = (sandbox: BerbixSandbox): string[] =>
  sandbox.requests.to('POST', TOKENS).map(({ body }) => JSON.parse(body).refresh_token);

function expectNoSecret(answer: Answer): void {
  expect(answer.text).not.toMatch(SECRET);
  expect(JSON.stringify([...answer.headers])).not.toMatch(SECRET);
}

beforeAll(async () => {
  database = await PgliteDatabase.inMemory();
  await migrate(database);
});

afterAll(() => database.onApplicationShutdown());

beforeEach(async () => {
  await query('DELETE FROM verifications');
});

describe.each(PLATFORMS)('The example backend on %s', (_, adapter) => {
  const start = (
    sandbox: BerbixSandbox,
    through: Database['query'] = query,
    environment?: Record<string, string>,
  ): Promise<Backend> => startBackend(adapter, sandbox, through, environment);

  it('begins a verification and hands out the client token alone', async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    const answer = await backend.begin('ada');
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body).toSorted()).toEqual(['clientToken', 'expiresAt']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expectNoSecret(answer);
    expect(await rows()).toEqual([
      expect.objectContaining({
        customer_uid: 'ada',
        transaction_id: claimsOf(answer).sub,
        refresh_token: expect.stringMatching(/^rt_/),
      }),
    ]);
  });

  it('resumes the same transaction with fresh tokens', async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    const first = await backend.begin('ada');
    const stored = await storedToken();
    sandbox.clock.advance(7_200_000);
    const second = await backend.begin('ada');
    expectNoSecret(second);
    expect(claimsOf(second).sub).toBe(claimsOf(first).sub);
    expect(claimsOf(second).exp).toBeGreaterThanOrEqual(claimsOf(first).exp + 7200);
    expect(exchanged(sandbox)).toEqual([stored]);
    expect(created(sandbox)).toBe(1);
  });

  it('tells the status without a secret, and 404 before there is one', async () => {
    const backend = await start(await startSandbox());
    expect(await backend.status('ada')).toMatchObject({ status: 404 });
    const { sub } = claimsOf(await backend.begin('ada'));
    const answer = await backend.status('ada');
    expectNoSecret(answer);
    expect(answer.body).toEqual({ transactionId: sub, startedAt: expect.any(String) });
    expect(await backend.status('grace')).toMatchObject({ status: 404 });
  });

  it('lets nobody in who is not signed in, and takes the customer from nowhere else', async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    for (const customer of [undefined, '', 'two words']) {
      expect(await backend.begin(customer, '?customerUid=ada')).toMatchObject({ status: 401 });
      expect(await backend.status(customer)).toMatchObject({ status: 401 });
    }
    expect(sandbox.requests).toHaveLength(0);
    await backend.begin('grace', '?customerUid=ada');
    expect(await rows()).toEqual([expect.objectContaining({ customer_uid: 'grace' })]);
  });

  it('survives the rotation of refresh tokens: the newest is stored', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const backend = await start(sandbox);
    const first = await backend.begin('ada');
    const stored = [await storedToken()];
    for (let resumed = 0; resumed < 3; resumed++) {
      expect(claimsOf(await backend.begin('ada')).sub).toBe(claimsOf(first).sub);
      stored.push(await storedToken());
    }
    expect(new Set(stored).size).toBe(4);
    expect(exchanged(sandbox)).toEqual(stored.slice(0, 3));
    expect(created(sandbox)).toBe(1);
  });

  it('begins anew when the transaction was deleted', async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    const first = await backend.begin('ada');
    const deleted = await storedToken();
    await deleteTransaction(sandbox, deleted);
    const second = await backend.begin('ada');
    expect(second.status).toBe(200);
    expect(claimsOf(second).sub).not.toBe(claimsOf(first).sub);
    expect(await rows()).toEqual([
      expect.objectContaining({ transaction_id: claimsOf(second).sub }),
    ]);
    expect(await storedToken()).not.toBe(deleted);
  });

  it('begins anew when Berbix does not know the refresh token, as after another sandbox', async () => {
    const first = await (await start(await startSandbox())).begin('ada');
    const second = await (await start(await startSandbox())).begin('ada');
    expect(second.status).toBe(200);
    expect(claimsOf(second).sub).not.toBe(claimsOf(first).sub);
    expect(await rows()).toHaveLength(1);
  });

  it('gives many begins at once, at two instances, one transaction', async () => {
    const sandbox = await startSandbox();
    const backends = [await start(sandbox), await start(sandbox)];
    const answers = await Promise.all(
      backends.flatMap((backend) => Array.from({ length: 5 }, () => backend.begin('ada'))),
    );
    const [row] = await rows();
    expect(answers.map((answer) => claimsOf(answer).sub)).toEqual(
      answers.map(() => row?.transaction_id),
    );
    expect(await rows()).toHaveLength(1);
  });

  it('uses the transaction of the instance that was faster to begin', async () => {
    const sandbox = await startSandbox();
    const faster = await start(sandbox);
    const slower = await start(
      sandbox,
      before('INSERT', () => faster.begin('ada')),
    );
    const answer = await slower.begin('ada');
    expect(created(sandbox)).toBe(2);
    expect(answer.body).toMatchObject({ clientToken: expect.any(String) });
    expect(claimsOf(answer).sub).toBe((await faster.status('ada')).body['transactionId']);
    expect(await rows()).toHaveLength(1);
  });

  it('does not begin anew when another instance has rotated the refresh token', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const faster = await start(sandbox);
    const first = await faster.begin('ada');
    const slower = await start(
      sandbox,
      after('SELECT', () => faster.begin('ada')),
    );
    expect(claimsOf(await slower.begin('ada')).sub).toBe(claimsOf(first).sub);
    expect(created(sandbox)).toBe(1);
    expect(claimsOf(await faster.begin('ada')).sub).toBe(claimsOf(first).sub);
  });

  it('agrees with an instance that began anew meanwhile', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const faster = await start(sandbox);
    await faster.begin('ada');
    const slower = await start(
      sandbox,
      before('UPDATE', () => faster.begin('ada')),
    );
    const answer = await slower.begin('ada');
    expect(answer.status).toBe(200);
    expect(claimsOf(answer).sub).toBe((await faster.status('ada')).body['transactionId']);
    expect(claimsOf(await faster.begin('ada')).sub).toBe(claimsOf(answer).sub);
    expect(await rows()).toHaveLength(1);
  });

  it.each<[string, number, SandboxFault]>([
    ['fails', 502, { kind: 'status', status: 503 }],
    ['resets connections', 502, { kind: 'reset' }],
    ['is hidden behind a page of a proxy', 502, { kind: 'html' }],
    ['is busy', 503, { kind: 'status', status: 429, retryAfter: 60 }],
    ['does not answer', 504, { kind: 'hang' }],
    [
      'refuses the API secret',
      500,
      { kind: 'status', status: 401, readable: 'invalid_api_secret' },
    ],
  ])('keeps what is stored while Berbix %s: %i', async (_what, status, fault) => {
    const sandbox = await startSandbox();
    const first = await (await start(sandbox)).begin('ada');
    const stored = await storedToken();
    const patience: Record<string, string> =
      fault.kind === 'hang' ? { BERBIX_TIMEOUT_MS: '200' } : {};
    const backend = await start(sandbox, query, patience);
    sandbox.faults.add({ ...fault, path: TOKENS, times: Infinity });
    const answer = await backend.begin('ada');
    expect(answer.status).toBe(status);
    expect(answer.body['message']).toMatch(/^[A-Z].*/);
    expectNoSecret(answer);
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '60' : null);
    sandbox.faults.clear();
    expect(await storedToken()).toBe(stored);
    expect(claimsOf(await (await start(sandbox)).begin('ada')).sub).toBe(claimsOf(first).sub);
  });

  it('answers 502 with a sentence when Berbix cannot be reached, and stores nothing', async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    await sandbox.close();
    const answer = await backend.begin('ada');
    expect(answer).toMatchObject({
      status: 502,
      body: { message: 'Identity verification cannot be reached.' },
    });
    expectNoSecret(answer);
    expect(await rows()).toEqual([]);
  });

  it('stores a new refresh token also when the rest of the answer is of no use', async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    await backend.begin('ada');
    sandbox.faults.add({ kind: 'answer', path: TOKENS, body: { refresh_token: 'rt_newest' } });
    expect(await backend.begin('ada')).toMatchObject({ status: 502 });
    expect(await storedToken()).toBe('rt_newest');
  });

  it("never stores the refresh token of somebody else's transaction", async () => {
    const sandbox = await startSandbox();
    const backend = await start(sandbox);
    await backend.begin('ada');
    const stored = await storedToken();
    const body = {
      transaction_id: 1,
      access_token: 'at_other',
      client_token: 'other',
      refresh_token: 'rt_other',
      expires_in: 3600,
    };
    sandbox.faults.add({ kind: 'answer', path: TOKENS, body });
    const answer = await backend.begin('ada');
    expect(answer.status).toBe(502);
    expectNoSecret(answer);
    expect(await storedToken()).toBe(stored);
  });
});

describe('The database of the example backend', () => {
  it('keeps the values out of its errors', async () => {
    const failed = query('INSERT INTO verifications (customer_uid) VALUES ($1)', ['rt_secret']);
    await expect(failed).rejects.toThrow('The database says: null value in column');
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('rt_secret');
  });
});

/** A `query` that lets something happen just before the first statement of a kind. */
function before(verb: string, happen: () => Promise<unknown>): Database['query'] {
  let pending = true;
  return async (sql, values) => {
    if (pending && sql.trimStart().startsWith(verb)) {
      pending = false;
      await happen();
    }
    return query(sql, values);
  };
}

/** The same, just after it: its result is out of date then. */
function after(verb: string, happen: () => Promise<unknown>): Database['query'] {
  let pending = true;
  return async <Result>(sql: string, values?: unknown[]) => {
    const result = await query<Result>(sql, values);
    if (pending && sql.trimStart().startsWith(verb)) {
      pending = false;
      await happen();
    }
    return result;
  };
}
