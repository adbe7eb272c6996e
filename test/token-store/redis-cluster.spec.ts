import { afterAll, describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { Directories } from '../sandbox/support/directories.js';
import { closeAfterTest } from '../support/services.js';
import { freePort, missingServer, startRedis, uniquePrefix } from '../support/servers.js';
import { storeErrorOf } from './steps.support.js';

const directories = new Directories();
afterAll(() => directories.removeAll());

const SLOTS = 16_384;
const nodes = await startCluster(3);
if (nodes.length === 0) missingServer('redis-server on the PATH', 'no Redis Cluster is tested');
const onCluster = nodes.length === 0 ? describe.skip : describe;

/** The ports of servers that share the slots; none where there is no redis-server. */
async function startCluster(size: number): Promise<{ port: number; busPort: number }[]> {
  const started: { port: number; busPort: number }[] = [];
  for (let i = 0; i < size; i += 1) {
    const busPort = await freePort();
    const flags = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`];
    const url = await startRedis(...flags, '--dir', directories.make());
    if (url === undefined) return [];
    started.push({ port: Number(new URL(url).port), busPort });
  }
  const clients = started.map(({ port }) => new Redis(port, '127.0.0.1'));
  const [first] = started as [{ port: number; busPort: number }];
  for (const [i, client] of clients.entries()) {
    const [from, to] = [Math.ceil((i * SLOTS) / size), Math.ceil(((i + 1) * SLOTS) / size) - 1];
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', first.port, first.busPort);
  }
  for (const client of clients) {
    while (
      !/cluster_state:ok[^]*cluster_known_nodes:3/.test(String(await client.cluster('INFO')))
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.disconnect();
  }
  return started;
}

function open(keyPrefix = ''): Cluster {
  const cluster = new Cluster(
    nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { keyPrefix } },
  );
  closeAfterTest(async () => cluster.disconnect());
  return cluster;
}

async function allKeys(store: RedisTokenStore): Promise<string[]> {
  const found = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.keys('', cursor);
    for (const key of page.keys) found.add(key);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return [...found].toSorted();
}

onCluster('on a Redis Cluster', () => {
  it.each(tokenStoreContract)('$name', async ({ run }) => {
    const prefix = uniquePrefix();
    const stores = [open(), open()].map((client) => new RedisTokenStore(client, { prefix }));
    const [store, another] = stores as [RedisTokenStore, RedisTokenStore];
    await expect(run(store, another)).resolves.toBeUndefined();
  });

  it('lists the keys of all servers, beside the keyPrefix of the client', async () => {
    const store = new RedisTokenStore(open('app:'), { prefix: uniquePrefix() });
    const keys = Array.from({ length: 30 }, (_, i) => `key/${i}`);
    for (const key of keys) await store.commit(key, 0, 'value');
    await expect(allKeys(store)).resolves.toEqual(keys.toSorted());
  });

  it('does not go on with the keys of a server that is gone', async () => {
    const store = new RedisTokenStore(open(), { prefix: uniquePrefix() });
    await store.load('key');
    const error = await storeErrorOf(store.keys('', '17 127.0.0.1:1'));
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(/servers of the Redis Cluster changed .* Begin again/);
  });
});
