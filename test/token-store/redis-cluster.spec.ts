import { expect, it } from '@jest/globals';
import { Cluster, type ClusterOptions } from 'ioredis';
import { BerbixStoreError } from 'nestjs-berbix';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { tokenStoreContract } from 'nestjs-berbix/testing';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { describeWith } from '../support/requirements.js';
import { uniquePrefix } from '../support/servers.js';
import { startCluster } from './support/redis-cluster.js';
import { allKeys } from './support/steps.js';

const ports = await startCluster(3);
const describeOnCluster = describeWith('redis-server', ports.length > 0);

function open(keyPrefix = '', options: ClusterOptions = {}): Cluster {
  // The address of one server is enough: it knows the others.
  const cluster = new Cluster(ports.slice(0, 1), { ...options, redisOptions: { keyPrefix } });
  closeAfterTest(async () => cluster.disconnect());
  return cluster;
}

describeOnCluster('on a Redis Cluster', () => {
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

  it('lists the keys of all servers before it is connected, and while it connects', async () => {
    const prefix = uniquePrefix();
    const keys = Array.from({ length: 30 }, (_, i) => `key/${i}`);
    const store = new RedisTokenStore(open(), { prefix });
    for (const key of keys) await store.commit(key, 0, 'value');
    const lazy = new RedisTokenStore(open('', { lazyConnect: true }), { prefix });
    await expect(allKeys(lazy)).resolves.toEqual(keys.toSorted());
    const connecting = open();
    // It knows only the server that it was given.
    while (connecting.nodes('master').length === 0) await new Promise(setImmediate);
    await expect(allKeys(new RedisTokenStore(connecting, { prefix }))).resolves.toEqual(
      keys.toSorted(),
    );
  });

  it('does not continue with the keys of a removed server', async () => {
    const store = new RedisTokenStore(open(), { prefix: uniquePrefix() });
    await store.load('key');
    const error = await errorOf(store.keys('', '17 127.0.0.1:1'), BerbixStoreError);
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(/servers of the Redis Cluster changed .* List them again/);
  });
});
