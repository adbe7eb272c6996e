import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import type { BerbixTokenStore } from '../../lib/token-store/index.js';
import { RedisTokenStore } from '../../lib/token-store/redis/index.js';
import { OnBerbixWebhook, createBerbixWebhookController } from '../../lib/webhooks/index.js';
import { closeAfterTest } from '../support/closing.js';
import {
  describeEachOn,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  uniquePrefix,
} from '../support/servers.js';
import { built } from '../support/programs.js';
import { startSandbox } from '../support/services.js';
import { SECRETS, startApp, webhookModule } from './support/webhook-app.js';

/** A server that both replicas use, and the table or key prefix on it. */
interface Place {
  server: string;
  url: string;
  name: string;
  store: BerbixTokenStore;
}

async function onPostgres(): Promise<Place> {
  const { store, table: name } = await makeTable(postgresPool());
  return { server: 'postgres', url: POSTGRES_URL as string, name, store };
}

async function onRedis(): Promise<Place> {
  const name = uniquePrefix();
  const store = new RedisTokenStore(redisClient(), { prefix: name });
  return { server: 'redis', url: REDIS_URL as string, name, store };
}

const PLACES = [
  { name: 'PostgreSQL', open: onPostgres },
  { name: 'Redis', open: onRedis },
];

/** Long enough that nothing else ends the lease; the sandbox waits as long before its retry. */
const LEASE_MS = 500;

describeEachOn(PLACES)(
  'a replica that is killed while it handles a webhook, on $name',
  ({ open }) => {
    it('leaves the webhook to another process, on the next retry', async () => {
      const { server, url, name, store } = await open();
      let handled = 0;
      @Injectable()
      class Handler {
        @OnBerbixWebhook('finished')
        handle(): void {
          handled++;
        }
      }
      const survivor = await startApp({
        imports: [webhookModule({ ...SECRETS, leaseMs: LEASE_MS }, store)],
        controllers: [createBerbixWebhookController()],
        providers: [Handler],
      });
      const options = JSON.stringify({ ...SECRETS, leaseMs: LEASE_MS });
      built('dist/esm/index.js');
      const child = fork('test/webhooks/support/replica.mjs', [server, url, name, options], {
        silent: true,
      });
      closeAfterTest(() => child.kill('SIGKILL'));
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      const says = lines[Symbol.asyncIterator]();
      const front = await startFront((await says.next()).value as string);
      const sandbox = await startSandbox({
        webhooks: {
          finished: { url: `${front.url}/webhooks/berbix/finished`, secret: SECRETS.finished },
          retryDelayMs: LEASE_MS,
        },
      });
      const sent = sandbox.webhooks.sendTest('finished');
      expect((await says.next()).value).toBe('handling');
      const exit = once(child, 'exit');
      front.target = survivor.url;
      child.kill('SIGKILL');
      expect((await exit)[1]).toBe('SIGKILL');
      expect(handled).toBe(0);
      const { attempts, ...end } = await sent;
      expect(end).toMatchObject({ delivered: true, status: 204 });
      expect(attempts).toBeGreaterThan(1);
      expect(handled).toBe(1);
      expect(await sandbox.webhooks.sendTest('finished')).toMatchObject({ delivered: true });
      expect(handled).toBe(1);
    });
  },
);

/** A proxy in front of the replicas; its connection breaks when that of the replica does. */
async function startFront(target: string): Promise<{ url: string; target: string }> {
  const front = { url: '', target };
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onward = request(`${front.target}${url}`, { method, headers });
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closeAfterTest(async () => {
    server.close();
    server.closeAllConnections();
  });
  front.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return front;
}
