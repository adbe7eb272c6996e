import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, SandboxState } from 'nestjs-berbix/sandbox';
import { PostgresStorage } from '../../lib/sandbox/storage/postgres-storage.js';
import { parseState, stateOf } from '../../lib/sandbox/storage/state-document.js';
import { closeAfterTest } from '../support/closing.js';
import { databaseDirectory } from '../support/directories.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { HookServer, status } from './support/hook-server.js';
import { FRONT } from './support/images.js';
import { RawClient } from './support/raw-client.js';

const DAY_MS = 86_400_000;

describe.each(PLATFORMS)('/sandbox/state on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    // Nothing is attempted twice while a test runs.
    const webhooks = { retryDelayMs: 3_600_000 };
    sandbox = await startSandboxOn(platform, { refreshToken: 'rotate', webhooks });
    client = new RawClient(sandbox);
  });

  it('takes back what it has exported, without JSON in between', async () => {
    await client.create({ match_data: { given_name: 'Ada' } });
    await client.createApiOnly();
    const exported = await sandbox.exportState();
    await sandbox.importState(exported);
    await expect(sandbox.exportState()).resolves.toEqual(exported);
  });

  it('carries transactions, their tokens and the clock to another sandbox', async () => {
    sandbox.clock.advance(DAY_MS);
    const { json: first } = await client.create({ email: 'ada@example.com' });
    const { json: exchanged } = await client.refresh(first.refresh_token);
    const { json: apiOnly } = await client.createApiOnly({ id_type: 'DL' });
    await client.uploadImages(apiOnly.client_token, [FRONT]);
    const done = await sandbox.transactions.create({ kind: 'hosted', mode: 'live' });
    await sandbox.transactions.complete(done.id, { action: 'reject' });
    const exported = await client.send('GET', '/sandbox/state?secrets=1');
    expect(exported.status).toBe(200);
    expect(exported.json).toMatchObject({ format: 'nestjs-berbix/sandbox-state', version: 1 });

    const other = await startSandboxOn(platform, { refreshToken: 'rotate' });
    const guest = new RawClient(other);
    const { json: gone } = await guest.create();
    other.faults.add({ kind: 'hang' });
    const put = await guest.send('PUT', '/sandbox/state', { body: exported.text });
    expect([put.status, put.text]).toEqual([204, '']);
    await expect(other.transactions.list()).resolves.toMatchObject(
      (await sandbox.transactions.list()).map((each) => ({
        ...each,
        // Derived from the API secret.
        templateKey: other.templateKeys[each.kind],
      })),
    );
    expect(other.clock.now() - Date.now()).toBeGreaterThan(DAY_MS - 60_000);
    expect([other.requests.length, other.faults.pending.length]).toEqual([0, 0]);

    expect((await guest.fetch(exchanged.access_token)).status).toBe(200);
    expect((await guest.refresh(first.refresh_token)).json.message).toContain('was replaced');
    expect((await guest.refresh(exchanged.refresh_token)).status).toBe(200);
    expect((await guest.fetch(done.accessToken)).json).toMatchObject({ action: 'reject' });
    expect((await guest.uploadImages(apiOnly.client_token, [FRONT])).status).toBe(409);
    expect((await guest.fetch(gone.access_token)).status).toBe(401);
  });

  it('needs the permission to show secrets', async () => {
    for (const query of ['', '?secrets=0', '?secrets=1&secrets=1']) {
      const { status: code, json } = await client.send('GET', `/sandbox/state${query}`);
      expect(code).toBe(400);
      expect(json.message).toContain('GET /sandbox/state?secrets=1');
    }
  });

  it('is reset, with everything that is on its way', async () => {
    const server = await HookServer.start();
    server.answers.push(status(500));
    sandbox.webhooks.setUrl('finished', server.url);
    sandbox.clock.advance(DAY_MS);
    const { accessToken, id } = await sandbox.transactions.create();
    await client.fetch(accessToken);
    sandbox.faults.add({ kind: 'hang', path: '/never' });
    sandbox.webhooks.failNext('duplicate', 'finished');
    sandbox.webhooks.failNext('duplicate', 'status');
    const sent = await sandbox.webhooks.startTest('finished');
    expect(sent).toMatchObject({ attempts: 1, delivered: false });

    expect((await client.send('DELETE', '/sandbox/state')).status).toBe(204);
    await expect(sandbox.transactions.list()).resolves.toEqual([]);
    const { requests, deliveries, faults } = sandbox;
    expect([requests.length, deliveries.length, faults.pending.length]).toEqual([0, 0, 0]);
    expect(Math.abs(sandbox.clock.now() - Date.now())).toBeLessThan(60_000);
    // Its tokens are known, and it is gone.
    expect((await client.fetch(accessToken)).status).toBe(410);
    await expect(sandbox.transactions.find(id)).rejects.toThrow('no transaction with this id');
    // The first webhook was given up, and the fault of the next one removed; its URL stays.
    await sandbox.webhooks.settled();
    expect(server.hooks).toHaveLength(1);
    await sandbox.webhooks.sendTest('finished');
    expect(server.hooks).toHaveLength(2);
    sandbox.webhooks.setUrl('status', server.url);
    await sandbox.webhooks.sendTest('status');
    expect(server.hooks).toHaveLength(3);
  });

  it('refuses what is not a state, and then changes nothing', async () => {
    const { id } = await sandbox.transactions.create();
    sandbox.faults.add({ kind: 'hang', path: '/never' });
    const valid = await sandbox.exportState();
    const { transactions } = valid;
    for (const [body, mention] of [
      [{}, 'its format must be nestjs-berbix/sandbox-state'],
      [{ ...valid, format: 'x' }, 'Export one: GET /sandbox/state?secrets=1'],
      [{ ...valid, version: 2 }, 'reads states of version 1. Export the state again'],
      [{ ...valid, transactions: [...transactions, ...transactions] }, 'repeats an id'],
      [
        { ...valid, transactions: [{ ...transactions[0], mode: 'x' }] },
        'transactions[0].mode must',
      ],
    ] as const) {
      const { status: code, json } = await client.send('PUT', '/sandbox/state', { body });
      expect([code, json.message]).toEqual([400, expect.stringContaining(mention)]);
    }
    await expect(sandbox.transactions.list()).resolves.toMatchObject([{ id }]);
    expect(sandbox.faults.pending).toHaveLength(1);
  });
});

describe('the state of a sandbox', () => {
  it('survives JSON, and can be imported into the same sandbox in a test', async () => {
    const sandbox = await startSandbox();
    const { id, accessToken, refreshToken } = await sandbox.transactions.create();
    await new RawClient(sandbox).refresh(refreshToken);
    const file = JSON.stringify(await sandbox.exportState());
    await sandbox.transactions.complete(id);
    await sandbox.importState(JSON.parse(file) as SandboxState);
    await expect(sandbox.transactions.find(id)).resolves.toMatchObject({
      state: 'open',
      exchanges: [],
    });
    expect((await new RawClient(sandbox).fetch(accessToken)).status).toBe(200);
  });

  it('has all transactions, also more than a list shows', async () => {
    const sandbox = await startSandbox();
    await sandbox.transactions.create();
    const state = await sandbox.exportState();
    const transactions = Array.from({ length: 1200 }, (_, index) => ({
      ...state.transactions[0],
      id: String(10 ** 15 + index),
    }));
    await sandbox.importState({ ...state, transactions });
    expect((await sandbox.exportState()).transactions).toEqual(transactions);
  });

  it('may have no key: then tokens of this sandbox stay valid', async () => {
    const sandbox = await startSandbox();
    const { accessToken } = await sandbox.transactions.create();
    const { signingKey: _, ...state } = await sandbox.exportState();
    await sandbox.importState(state);
    expect((await new RawClient(sandbox).fetch(accessToken)).status).toBe(200);
  });

  it('has nothing that was purged', async () => {
    const sandbox = await startSandbox();
    await sandbox.transactions.create();
    sandbox.clock.advance(30 * DAY_MS);
    expect((await sandbox.exportState()).transactions).toEqual([]);
  });

  it('is that of the last import as a whole, even of two at the same time', async () => {
    const sandbox = await startSandbox();
    await sandbox.transactions.create();
    const first = { ...(await sandbox.exportState()), clockOffsetMs: DAY_MS };
    await sandbox.reset();
    await sandbox.transactions.create();
    const second = { ...(await sandbox.exportState()), clockOffsetMs: 2 * DAY_MS };
    // A webhook on its way keeps the first import busy.
    const server = await HookServer.start();
    const arrived = new Promise<void>((resolve) => server.answers.push(() => resolve()));
    sandbox.webhooks.setUrl('finished', server.url);
    void sandbox.webhooks.sendTest('finished');
    await arrived;
    const imports = [sandbox.importState(first), sandbox.importState(second)];
    const during = await sandbox.exportState();
    await Promise.all(imports);
    expect([await sandbox.exportState(), during]).toEqual([second, second]);
  });

  it.each([7.9e15, -7.9e15])('has transactions of any time of the clock: %d', async (offset) => {
    const sandbox = await startSandbox();
    // The way from here to there is longer than a number can be exactly.
    sandbox.clock.advance(-Math.sign(offset) * 7e15 - 1);
    const { transactions: _, ...empty } = await sandbox.exportState();
    await sandbox.importState({ ...empty, clockOffsetMs: offset, transactions: [] });
    const { id } = await sandbox.transactions.create();
    await sandbox.transactions.complete(id);
    const state = await sandbox.exportState();
    expect(state.clockOffsetMs).toBe(offset);
    await sandbox.importState(state);
    expect((await sandbox.exportState()).transactions).toMatchObject([{ id }]);
  });

  it('has refresh tokens that can be replaced, however often they were', async () => {
    const sandbox = await startSandbox();
    await sandbox.transactions.create();
    const state = await sandbox.exportState();
    const [transaction] = state.transactions;
    const withCounts = (generation: number, expirations: number) => ({
      ...state,
      transactions: [{ ...transaction, rotation: { generation, rotatedAt: 0 }, expirations }],
    });
    const max = 2 ** 52;
    for (const refused of [withCounts(max + 1, 0), withCounts(0, max + 1)]) {
      await expect(sandbox.importState(refused)).rejects.toThrow(
        'must be a whole number from 0 to 4503599627370496',
      );
    }
    await sandbox.importState(withCounts(max, max));
    const [{ id = '', refreshToken = '' } = {}] = await sandbox.transactions.list();
    const next = await sandbox.transactions.rotateRefreshToken(id);
    expect([refreshToken, next]).not.toContain(await sandbox.transactions.rotateRefreshToken(id));
  });

  it('is kept in a data directory for the next run', async () => {
    const first = await startSandbox();
    const { refreshToken, id } = await first.transactions.create();
    await first.transactions.complete(id, { fields: { given_name: '\u0000 \ud800' } });
    const state = await first.exportState();
    const dataDir = await databaseDirectory();
    const second = await startSandbox({ dataDir });
    await second.transactions.create();
    await second.importState(state);
    await second.close();

    const third = await startSandbox({ dataDir });
    await expect(third.transactions.list()).resolves.toMatchObject([
      { id, fields: { given_name: '\u0000 \ud800' } },
    ]);
    expect((await new RawClient(third).refresh(refreshToken)).status).toBe(200);
    await third.reset();
    await expect(third.transactions.list()).resolves.toEqual([]);
    expect((await new RawClient(third).refresh(refreshToken)).status).toBe(410);
  });

  it('is replaced in a data directory as a whole, or not at all', async () => {
    const storage = await PostgresStorage.open(await databaseDirectory());
    closeAfterTest(() => storage.close());
    const sandbox = await startSandbox();
    await sandbox.transactions.create();
    const { transactions } = parseState(await sandbox.exportState());
    const identity = {
      apiSecret: sandbox.apiSecret,
      liveApiSecret: sandbox.liveApiSecret,
      webhookSecrets: sandbox.webhookSecrets,
      signingKey: 'first',
    };
    const webhook = {
      id: randomUUID(),
      kind: 'status',
      url: 'http://localhost/',
      body: '',
    } as const;
    await storage.pendingWebhooks.add(webhook);
    await storage.replace(transactions, identity);
    await expect(storage.pendingWebhooks.load()).resolves.toEqual([]);
    await storage.pendingWebhooks.add(webhook);
    const twice = [...transactions, ...transactions];
    await expect(storage.replace(twice, { ...identity, signingKey: 'second' })).rejects.toThrow(
      'duplicate key',
    );
    const { id = '' } = transactions[0] ?? {};
    await expect(storage.transactions.find(id)).resolves.toEqual(transactions[0]);
    await expect(storage.loadIdentity()).resolves.toEqual(identity);
    await expect(storage.pendingWebhooks.load()).resolves.toEqual([webhook]);
  });
});

describe('parseState', () => {
  const OPEN = { status: 'open', steps: [], flags: [] };
  const TRANSACTION = {
    id: '1000000000000001',
    mode: 'test',
    kind: 'sdk',
    customerUid: 'ada',
    createdAt: 1.5,
    facialRecognition: false,
    rotation: { generation: 0, rotatedAt: 1 },
    state: OPEN,
  };
  const COMPLETED = {
    status: 'completed',
    completedAt: 2,
    action: 'accept',
    flags: [],
    fields: {},
  };
  const KEY = Buffer.alloc(32).toString('base64');
  const parse = (members: object) =>
    parseState({ ...stateOf({ clockOffsetMs: 0, transactions: [] }), ...members });
  const parseOne = (members: object) => parse({ transactions: [{ ...TRANSACTION, ...members }] });

  it.each([
    {},
    { kind: 'hosted', redirectUrl: 'https://shop.example/', expirations: 2 },
    { matchData: { given_name: 'ADA' }, idType: 'DL', email: 'a@b', phone: '1' },
    { state: COMPLETED, rotation: { generation: 3, rotatedAt: 1, revoked: true } },
    { state: { ...COMPLETED, note: 'seen', fields: { given_name: 'ADA' } } },
    { kind: 'apiOnly', state: { ...OPEN, steps: ['upload_document_front'], idNumber: 'D1' } },
  ])('accepts a transaction with %j', (members) => {
    expect(parseOne(members).transactions).toEqual([{ ...TRANSACTION, ...members }]);
  });

  it.each([
    [{ clockOffsetMs: '1' }, 'state.clockOffsetMs must be a number from'],
    [{ clockOffsetMs: 8e15 }, 'state.clockOffsetMs must be a number from'],
    [{ signingKey: 'short' }, 'state.signingKey must be 32 bytes in base64'],
    [{ signingKey: `${KEY}${KEY}` }, 'state.signingKey must be 32 bytes in base64'],
    [{ transactions: {} }, 'state.transactions must be a list'],
    [{ transactions: [null] }, 'state.transactions[0] must be an object'],
    [{ transactions: Array.from({ length: 100_001 }) }, 'has more than 100000 entries'],
    [{ secrets: {} }, 'state has members besides format, version'],
  ])('refuses a state: %#', (members, mention) => {
    expect(() => parse(members)).toThrow(mention);
  });

  it.each([
    [{ id: 5 }, 'id must be a 64-bit integer in decimal digits'],
    [{ id: '9223372036854775808' }, 'id must be a 64-bit integer'],
    [{ id: '0' }, 'id must be a 64-bit integer'],
    [{ kind: 'toString' }, 'kind must be one of sdk, hosted, apiOnly'],
    [{ customerUid: undefined }, 'customerUid must be a string'],
    [{ createdAt: null }, 'createdAt must be a number'],
    [{ facialRecognition: 'no' }, 'facialRecognition must be true or false'],
    [{ matchData: { given_name: 1 } }, 'matchData must be an object of strings'],
    [{ rotation: { generation: 1.5, rotatedAt: 1 } }, 'rotation.generation must be a whole number'],
    [{ rotation: { generation: -1, rotatedAt: 1 } }, 'rotation.generation must be a whole number'],
    [{ rotation: { generation: 0, rotatedAt: '1' } }, 'rotation.rotatedAt must be a number'],
    [
      { rotation: { generation: 0, rotatedAt: 1, revoked: 1 } },
      'rotation.revoked must be true or false',
    ],
    [{ email: 1 }, 'email must be a string'],
    [{ phone: 1 }, 'phone must be a string'],
    [{ idType: 'X' }, 'idType must be one of'],
    [{ redirectUrl: 1 }, 'redirectUrl must be a string'],
    [{ expirations: -1 }, 'expirations must be a whole number'],
    [{ state: { ...OPEN, flags: [1] } }, 'state.flags[0] must be a string'],
    [{ state: { ...OPEN, idNumber: 1 } }, 'state.idNumber must be a string'],
    [{ state: { ...COMPLETED, completedAt: '2' } }, 'state.completedAt must be a number'],
    [{ state: { ...COMPLETED, action: null } }, 'state.action must be a string'],
    [{ state: { ...COMPLETED, note: 1 } }, 'state.note must be a string'],
    [{ state: undefined }, 'state must be an object'],
    [{ state: { ...OPEN, status: 'closed' } }, 'state.status must be one of open'],
    [{ state: { ...OPEN, steps: ['upload'] } }, 'state.steps[0] must be one of upload_document'],
    [{ state: { ...COMPLETED, fields: ['x'] } }, 'state.fields must be an object of strings'],
    [{ refreshToken: 'rt_secret' }, 'transactions[0] has members besides id, mode'],
  ])('refuses a transaction with %j', (members, mention) => {
    expect(() => parseOne(members)).toThrow('cannot be imported: state.transactions[0]');
    expect(() => parseOne(members)).toThrow(mention);
  });

  it('never quotes a value, which may be a secret', () => {
    expect(() => parse({ signingKey: 'rt_secret' })).not.toThrow(/rt_secret/);
    expect(() => parseOne({ rt_secret: 1 })).not.toThrow(/rt_secret/);
  });
});
