import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { databaseDirectory } from '../support/directories.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

const DAY_MS = 86_400_000;

describe.each(PLATFORMS)('/sandbox/transactions on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform, { largeIds: true });
    client = new RawClient(sandbox);
  });

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
      purged_at: expect.stringMatching(/^2031-03-05T/),
      refresh_token: '[redacted]',
    };
    const { status, json } = await client.send('GET', `/sandbox/transactions/${id}`);
    expect(status).toBe(200);
    expect(json).toEqual({ ...open, exchanges: [] });
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
    for (let count = 0; count < 101; count += 1) await create('ada');
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
    ['limit=1&limit=2', 'Send limit once'],
    ['customer=a&customer=b', 'Send customer once'],
    ['status=open', 'The query takes customer, state, limit and secrets'],
  ])('refuses ?%s', async (query, mention) => {
    const { status, json } = await client.send('GET', `/sandbox/transactions?${query}`);
    expect(json.message).toContain(mention);
    expect(status).toBe(400);
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
      exchanges: [],
    });
    await expect(sandbox.transactions.find('1')).rejects.toThrow('no transaction with this id');
  });
});

describe('/sandbox/transactions with a data directory', () => {
  it('has the transactions of the last run, and no id that the database would refuse', async () => {
    const dataDir = await databaseDirectory();
    const first = await startSandbox({ dataDir });
    await new RawClient(first).create({ customer_uid: 'ada' });
    await first.close();
    const client = new RawClient(await startSandbox({ dataDir }));
    const { json } = await client.send('GET', '/sandbox/transactions?customer=ada');
    expect(json.transactions).toMatchObject([{ customer_uid: 'ada', state: 'open' }]);
    expect((await client.send('GET', '/sandbox/transactions/%00')).status).toBe(404);
    expect((await client.send('GET', '/sandbox/transactions?customer=%00')).json).toEqual({
      transactions: [],
    });
  });
});
