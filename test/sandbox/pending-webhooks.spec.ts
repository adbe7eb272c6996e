import { createHmac, randomUUID } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, SandboxWebhooksOptions } from 'nestjs-berbix/sandbox';
import { migrate, PostgresStorage } from '../../lib/sandbox/storage/postgres-storage.js';
import { databaseDirectory } from '../support/directories.js';
import { startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { type Hook, HookServer, status } from './support/hook-server.js';
import { RawClient } from './support/raw-client.js';

let server: HookServer;
/** The tests use it one after the other; none leaves a webhook in it. */
let dataDir: string;

beforeAll(async () => {
  dataDir = await databaseDirectory();
});
beforeEach(async () => {
  server = await HookServer.start();
});

const AN_HOUR_MS = 3_600_000;

/** The next attempt is far away, and so is the end of one without an answer. */
function start(webhooks: SandboxWebhooksOptions = {}): Promise<BerbixSandbox> {
  const options = { retryDelayMs: AN_HOUR_MS, timeoutMs: AN_HOUR_MS, ...webhooks };
  return startSandbox({ dataDir, webhooks: options });
}

/** Completes a transaction of which the webhook that is finished is refused once. */
async function refuseOne(sandbox: BerbixSandbox): Promise<Hook> {
  const client = new RawClient(sandbox);
  const { access_token } = (await client.create()).json;
  server.answers.push(status(503));
  await client.override(access_token, { response_payload: 'us-dl' });
  await until(() => sandbox.deliveries.last?.status === 503);
  return server.hooks.pop() as Hook;
}

function isSigned({ headers, body }: Hook, secret: string): boolean {
  const [, timestamp, hex] = String(headers['x-berbix-signature']).split(',');
  const hmac = createHmac('sha256', secret).update(`${timestamp},${secret},${body}`);
  return hmac.digest('hex') === hex;
}

describe('a webhook that waits for its next attempt when the sandbox closes', () => {
  it('is sent by the next run, or by the one after that if it is refused again, and by no other', async () => {
    const first = await start({ finished: { url: server.url } });
    const refused = await refuseOne(first);
    await first.close();
    expect(server.hooks).toEqual([]);

    server.answers.push(status(503));
    const second = await start();
    await until(() => second.deliveries.last?.status === 503);
    await second.close();
    server.hooks.length = 0;

    // It goes where it went, and is signed when it is sent.
    const third = await start();
    await third.webhooks.settled();
    expect(server.hooks).toHaveLength(1);
    const [hook] = server.hooks.splice(0) as [Hook];
    expect(hook.body).toBe(refused.body);
    expect(isSigned(hook, third.webhookSecrets.finished)).toBe(true);
    expect([...third.deliveries]).toMatchObject([
      { kind: 'finished', attempts: 1, delivered: true },
    ]);
    await third.close();

    const fourth = await start();
    await fourth.webhooks.settled();
    expect(server.hooks).toEqual([]);
  });

  it('goes where the webhook goes now, and keeps its fault', async () => {
    const first = await start({ finished: { url: server.url } });
    first.webhooks.failNext('forged');
    await refuseOne(first);
    await first.close();
    const moved = await HookServer.start();
    const second = await start({ finished: { url: moved.url }, status: { url: server.url } });
    await second.webhooks.settled();
    expect([server.hooks.length, moved.hooks.length]).toEqual([0, 1]);
    expect(second.deliveries.last?.url).toBe(moved.url);
    const [hook] = moved.hooks as [Hook];
    expect(hook.headers['x-berbix-signature']).toBeDefined();
    expect(isSigned(hook, second.webhookSecrets.finished)).toBe(false);
  });
});

describe('a webhook that was accepted or given up', () => {
  it('is not sent again, even if the sandbox closed before the end of the answer', async () => {
    const first = await start({ finished: { url: server.url }, retryDelayMs: 1 });
    server.answers.push(...Array.from({ length: 5 }, () => status(503)));
    await expect(first.webhooks.sendTest('finished')).resolves.toMatchObject({ delivered: false });
    server.answers.push((response) => response.writeHead(200, { 'content-length': 10 }).write('x'));
    const delivery = first.webhooks.sendTest('finished');
    await until(() => first.deliveries.last?.status === 200);
    await first.close();
    await expect(delivery).resolves.toMatchObject({ delivered: true });
    server.hooks.length = 0;
    await (await start()).webhooks.settled();
    expect(server.hooks).toEqual([]);
  });
});

describe('pending webhooks', () => {
  it('are stored once each, until they are deleted', async () => {
    const storage = await PostgresStorage.open(dataDir);
    const { pendingWebhooks: pending } = storage;
    const webhook = { id: randomUUID(), kind: 'status', url: 'x', body: '"\u0000"' } as const;
    await pending.add(webhook);
    await pending.add(webhook);
    await expect(pending.load()).resolves.toEqual([webhook]);
    await pending.delete(webhook.id);
    await expect(pending.load()).resolves.toEqual([]);
    await storage.close();
  });
});

describe('a webhook that cannot be stored', () => {
  it('is sent nevertheless', async () => {
    const database = await PGlite.create(`${dataDir}/postgres`);
    await migrate(database);
    await database.exec('ALTER TABLE pending_webhooks ADD CHECK (false)');
    await database.close();
    const sandbox = await start({ finished: { url: server.url } });
    await expect(sandbox.webhooks.sendTest('finished')).resolves.toMatchObject({ delivered: true });
  });
});
