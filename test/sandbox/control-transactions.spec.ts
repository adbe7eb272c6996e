import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { databaseDirectory } from '../support/directories.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

const DAY_MS = 86_400_000;

describe.each(PLATFORMS)('/sandbox/transactions on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform, { largeIds: true });
    client = new RawClient(sandbox);
  });
  beforeEach(() => sandbox.reset());

  /** The customers of the transactions that are listed. */
  async function customers(query = ''): Promise<unknown[]> {
    const { status, json } = await client.send('GET', `/sandbox/transactions${query}`);
    expect(status).toBe(200);
    return (json.transactions as { customer_uid: unknown }[]).map((each) => each.customer_uid);
  }

  /** The id, with all of its digits. */
  async function create(customerUid: string, secret = sandbox.apiSecret): Promise<string> {
    const { text } = await new RawClient(sandbox, secret).create({ customer_uid: customerUid });
    return /"transaction_id":(\d+)/.exec(text)?.[1] ?? '';
  }

  it('shows what is known of a transaction, and its refresh token on request', async () => {
    const now = Date.parse('2031-02-03T04:05:06.000Z');
    sandbox.clock.set(now);
    const created = await client.create({ customer_uid: 'ada' });
    const id = /"transaction_id":(\d+)/.exec(created.text)?.[1] ?? '';
    const open = {
      id,
      customer_uid: 'ada',
      mode: 'test',
      kind: 'sdk',
      template_key: sandbox.templateKeys.sdk,
      state: 'open',
      action: null,
      flags: null,
      fields: null,
      created_at: expect.stringMatching(/^2031-02-03T/),
      completed_at: null,
      purges_at: expect.stringMatching(/^2031-03-05T/),
      refresh_token: '[redacted]',
      generation: 0,
      refresh_token_state: 'valid',
    };
    const { status, json } = await client.send('GET', `/sandbox/transactions/${id}`);
    expect(status).toBe(200);
    const details = {
      page_path: '[redacted]',
      tokens_expire_at: expect.any(String),
      exchanges: [],
    };
    expect(json).toEqual({ ...open, ...details });
    const list = await client.send('GET', '/sandbox/transactions');
    expect(list.json).toEqual({ transactions: [open] });
    for (const path of [`/sandbox/transactions/${id}`, '/sandbox/transactions']) {
      expect((await client.send('GET', `${path}?secrets=1`)).text).toContain(
        `"refresh_token":"${created.json.refresh_token}"`,
      );
    }

    const override = { response_payload: 'us-dl', flags: ['id_expired'] };
    await client.override(created.json.access_token, override);
    const completed = await client.send('GET', `/sandbox/transactions/${id}`);
    expect(completed.json).toMatchObject({
      state: 'completed',
      action: 'review',
      flags: ['id_expired'],
      fields: { given_name: 'JOHN' },
      completed_at: expect.stringMatching(/^2031-02-03T/),
    });
  });

  it.each([
    ['sdk', { page_path: expect.stringMatching(/^\/hosted\/\w+$/) }],
    [
      'hosted',
      {
        page_path: expect.stringMatching(/^\/hosted\/\w+$/),
        hosted_url: expect.stringMatching(/^http:.*\/hosted\/\w+$/),
      },
    ],
    ['apiOnly', { page_path: null }],
  ] as const)('creates a transaction: %s', async (kind, urls) => {
    const path = '/sandbox/transactions?secrets=1';
    const created = await client.send('POST', path, { body: { kind, customer_uid: 'ada' } });
    expect(created.status).toBe(201);
    const { access_token: accessToken, client_token: _, ...details } = created.json;
    expect(details).toMatchObject({
      ...urls,
      kind,
      customer_uid: 'ada',
      mode: 'test',
      tokens_expire_at: expect.stringMatching(/Z$/),
      exchanges: [],
    });
    expect('hosted_url' in details).toBe(kind === 'hosted');
    const shown = await client.send('GET', `/sandbox/transactions/${details.id}?secrets=1`);
    expect(shown.json).toEqual(details);
    expect((await client.fetch(accessToken)).json).toMatchObject({ customer_uid: 'ada' });
    expect((await client.refresh(details.refresh_token)).status).toBe(200);
    if (kind !== 'apiOnly') {
      expect((await client.send('GET', String(details.page_path))).status).toBe(200);
      await sandbox.transactions.complete(String(details.id));
      const { json } = await client.send('GET', `/sandbox/transactions/${details.id}?secrets=1`);
      expect(json).toMatchObject({
        page_path: null,
        ...(kind === 'hosted' && { hosted_url: null }),
      });
    }
  });

  it('creates one of a new customer by default, and shows no secret of it', async () => {
    const { text, json } = await client.send('POST', '/sandbox/transactions', { body: {} });
    expect(json).toMatchObject({
      kind: 'sdk',
      customer_uid: expect.stringMatching(/^customer-./),
      access_token: '[redacted]',
      client_token: '[redacted]',
      refresh_token: '[redacted]',
      page_path: '[redacted]',
    });
    expect(text).not.toContain('/hosted/');
    const other = await sandbox.transactions.create({ mode: 'live', kind: 'hosted' });
    expect(other.customerUid).not.toBe(json.customer_uid);
    expect(other).toMatchObject({ mode: 'live', kind: 'hosted', templateKey: expect.any(String) });
    expect((await client.fetch(other.accessToken)).status).toBe(200);
  });

  it.each([
    [{ kind: 'api_only' }, 'kind must be one of sdk, hosted, apiOnly'],
    [{ mode: 'production' }, 'mode must be one of test, live'],
    [{ customer_uid: 5 }, 'customer_uid must be a string'],
    [{ customerUid: 'ada' }, '"customerUid" is not known here'],
  ])('does not create %j', async (body, mention) => {
    const { status, json } = await client.send('POST', '/sandbox/transactions', { body });
    expect([status, json.message]).toEqual([400, expect.stringContaining(mention)]);
    await expect(sandbox.transactions.list()).resolves.toEqual([]);
  });

  it.each([
    [{ kind: 'api_only' }, 'kind must be one of sdk, hosted, apiOnly'],
    [{ mode: 'production' }, 'mode must be one of test, live'],
    [{ customerUid: 5 }, 'customerUid must be a string'],
    [{ customer_uid: 'ada' }, '"customer_uid" is not known here'],
  ])('are not created in the same process with %j', async (wanted, mention) => {
    await expect(sandbox.transactions.create(wanted as object)).rejects.toThrow(mention);
    await expect(sandbox.transactions.list()).resolves.toEqual([]);
  });

  it('says when the latest access token expires, while it is valid', async () => {
    sandbox.clock.set(Date.parse('2031-02-03T04:00:00Z'));
    const { id, refreshToken } = await sandbox.transactions.create();
    const expiry = async () => (await sandbox.transactions.find(id)).tokensExpireAt;
    const first = Number(await expiry());
    expect(first).toBeGreaterThanOrEqual(Date.parse('2031-02-03T05:00:00Z'));
    sandbox.clock.advance(60_000);
    await client.refresh(refreshToken);
    expect(Number(await expiry())).toBeGreaterThanOrEqual(first + 60_000);
    await sandbox.transactions.expireTokens(id);
    await expect(expiry()).resolves.toBeUndefined();
    await client.refresh(refreshToken);
    await expect(expiry()).resolves.toBeInstanceOf(Date);
    sandbox.clock.advance(3_600_000);
    await expect(expiry()).resolves.toBeUndefined();
  });

  it('lists the newest first, of a customer and in a state, up to a limit', async () => {
    await create('ada');
    await create('bob', sandbox.liveApiSecret);
    const { json } = await client.create({
      customer_uid: 'ada&co',
      template_key: sandbox.templateKeys.hosted,
    });
    await client.override(json.access_token, { response_payload: 'us-dl' });
    await create('ada');
    await expect(customers()).resolves.toEqual(['ada', 'ada&co', 'bob', 'ada']);
    await expect(customers('?customer=ada')).resolves.toEqual(['ada', 'ada']);
    await expect(customers('?customer=ada%26co')).resolves.toEqual(['ada&co']);
    await expect(customers('?customer=nobody')).resolves.toEqual([]);
    await expect(customers('?state=completed')).resolves.toEqual(['ada&co']);
    await expect(customers('?state=open&limit=2&secrets=1')).resolves.toEqual(['ada', 'bob']);
    await expect(customers('?customer=&state=&limit=')).resolves.toHaveLength(4);
  });

  it('lists 100 by default, and more on request', async () => {
    for (let count = 0; count < 101; count += 1) await sandbox.transactions.create();
    await expect(customers()).resolves.toHaveLength(100);
    await expect(customers('?limit=1000')).resolves.toHaveLength(101);
  });

  it('knows nothing of a transaction that was purged or deleted', async () => {
    const id = await create('old');
    sandbox.clock.advance(DAY_MS);
    const { json } = await client.create({ customer_uid: 'deleted' });
    await client.delete(json.access_token);
    await create('young');
    sandbox.clock.advance(29 * DAY_MS);
    await expect(customers()).resolves.toEqual(['young']);
    expect((await client.send('GET', `/sandbox/transactions/${id}`)).status).toBe(404);
    sandbox.clock.reset();
    expect((await client.send('GET', `/sandbox/transactions/${id}`)).status).toBe(404);
  });

  it.each(['1', 'nothing', '%00', '1e3', '-1', '99999999999999999999999'])(
    'has no transaction %s',
    async (id) => {
      const { status, json } = await client.send('GET', `/sandbox/transactions/${id}`);
      expect([status, json.readable]).toEqual([404, 'not_found']);
      expect(json.message).toContain('GET /sandbox/transactions lists');
    },
  );

  it.each([
    ['state=done', 'state must be one of open, completed'],
    ['limit=0', 'from 1 to 1000'],
    ['limit=1001', 'from 1 to 1000'],
    ['limit=x', 'from 1 to 1000'],
    ['limit=1e2', 'from 1 to 1000'],
    ['state=open&state=open', 'Send state once'],
    ['limit=1&limit=2', 'Send limit once'],
    ['customer=a&customer=b', 'Send customer once'],
    ['status=open', 'The query takes customer, state, limit and secrets'],
  ])('refuses ?%s', async (query, mention) => {
    const { status, json } = await client.send('GET', `/sandbox/transactions?${query}`);
    expect(json.message).toContain(mention);
    expect(status).toBe(400);
  });

  it.each([
    [{ state: 'done' }, 'state must be one of open, completed'],
    [{ limit: 0 }, 'limit must be a whole number from 1 to 1000'],
    [{ limit: 1001 }, 'from 1 to 1000'],
    [{ limit: Number.NaN }, 'from 1 to 1000'],
    [{ limit: '1' }, 'from 1 to 1000'],
    [{ customerUid: 5 }, 'customerUid must be a string'],
    [{ customer: 'ada' }, '"customer" is not known here'],
  ])('are not listed in the same process by %j', async (query, mention) => {
    await expect(sandbox.transactions.list(query as object)).rejects.toThrow(mention);
  });

  it('is neither recorded nor affected by faults', async () => {
    const id = await create('ada');
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    await customers();
    expect((await client.send('GET', `/sandbox/transactions/${id}`)).status).toBe(200);
    expect(sandbox.requests.length).toBe(0);
  });

  it('are there for a program in the same process, with all secrets', async () => {
    const { json } = await client.create({ customer_uid: 'ada' });
    const [transaction] = await sandbox.transactions.list({ customerUid: 'ada' });
    expect(transaction).toMatchObject({ state: 'open', refreshToken: json.refresh_token });
    await expect(sandbox.transactions.find(transaction?.id ?? '')).resolves.toEqual({
      ...transaction,
      pagePath: expect.stringMatching(/^\/hosted\/\w+$/),
      hostedUrl: undefined,
      tokensExpireAt: expect.any(Date),
      exchanges: [],
    });
    await expect(sandbox.transactions.find('1')).rejects.toThrow('no transaction with this id');
  });
});

describe('/sandbox/transactions with a data directory', () => {
  it('has the transactions of the database, and no id that it would refuse', async () => {
    const client = new RawClient(await startSandbox({ dataDir: await databaseDirectory() }));
    await client.create({ customer_uid: 'ada' });
    const { json } = await client.send('GET', '/sandbox/transactions?customer=ada');
    expect(json.transactions).toMatchObject([{ customer_uid: 'ada', state: 'open' }]);
    expect((await client.send('GET', '/sandbox/transactions/%00')).status).toBe(404);
    expect((await client.send('GET', '/sandbox/transactions?customer=%00')).json).toEqual({
      transactions: [],
    });
  });
});
