import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { BerbixStoreError } from 'nestjs-berbix';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { connectTo } from '../../examples/docs/stores/redis.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import {
  describeOnRedis,
  freePort,
  REDIS_URL,
  redisClient,
  uniquePrefix,
  silentServer,
} from '../support/servers.js';
import { everyViewOf } from '../support/sinks.js';
import { allKeys, forget, STEPS } from './support/steps.js';

const DAY_MS = 86_400_000;

/** A client for one test, and a prefix of its own. */
function open(options: Parameters<typeof redisClient>[0] = {}): { client: Redis; prefix: string } {
  return { client: redisClient(options), prefix: uniquePrefix() };
}

/** A proxy to the server that can lose the next answer, and the connection with it. */
async function lossyProxy() {
  const target = new URL(REDIS_URL ?? '');
  const proxy = { port: 0, loseNext: false };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const end = () => [client, upstream].forEach((socket) => socket.destroy());
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      if (!proxy.loseNext) return void client.write(answer);
      proxy.loseNext = false;
      end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closeAfterTest(async () => void server.close());
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}

describe('a RedisTokenStore', () => {
  it.each([[undefined], [{}]])('refuses a client like %j', (client) => {
    expect(() => new RedisTokenStore(client as never)).toThrow(
      /^RedisTokenStore needs a client of ioredis/,
    );
  });

  it('refuses invalid options', () => {
    const client = redisClient();
    expect(() => new RedisTokenStore(client, { prefix: 1 as never })).toThrow(/^prefix must be/);
    expect(() => new RedisTokenStore(client, { durable: 'yes' as never })).toThrow(
      /^durable must be true or false/,
    );
    expect(() => new RedisTokenStore(client, { durabel: true } as never)).toThrow(
      'RedisTokenStore has no option named "durabel". It takes prefix, durable.',
    );
  });

  it('is durable if the option says so', () => {
    const client = redisClient();
    expect(new RedisTokenStore(client)).toMatchObject({ shared: true, durable: false });
    expect(new RedisTokenStore(client, { durable: true }).durable).toBe(true);
  });

  it('sends a script if the server does not know it, and otherwise its hash', async () => {
    const sent: string[] = [];
    const unknown = Object.assign(new Error('NOSCRIPT No matching script.'), {
      name: 'ReplyError',
    });
    const store = new RedisTokenStore({
      evalsha: async () => {
        if (sent.push('evalsha') === 1) throw unknown;
        return null;
      },
      eval: async () => {
        sent.push('eval');
        return null;
      },
      hexists: async () => 0,
      scan: async () => ['0', []],
      options: {},
    });
    await store.load('key');
    await store.load('key');
    expect(sent).toEqual(['evalsha', 'eval', 'evalsha']);
  });

  it('does not repeat a step that may have been done', async () => {
    let evals = 0;
    const store = new RedisTokenStore({
      evalsha: () => Promise.reject(new Error('Command timed out')),
      eval: async () => (evals += 1),
      hexists: async () => 0,
      scan: async () => ['0', []],
      options: {},
    });
    await errorOf(store.commit('key', 0, 'value'), BerbixStoreError);
    expect(evals).toBe(0);
  });

  it('fails without a server', async () => {
    const port = await freePort();
    for (const step of Object.values(STEPS)) {
      const client = redisClient({ retryStrategy: () => null }, `redis://127.0.0.1:${port}`);
      const error = await errorOf(step(new RedisTokenStore(client)), BerbixStoreError);
      expect(error.retryable).toBe(true);
      expect(error.message).toMatch(/^Redis cannot be reached, or is too slow or busy/);
      expect(await everyViewOf(error)).not.toMatch(/canary/);
    }
  });

  it("fails if the server does not answer, after the client's time limit", async () => {
    const client = redisClient(
      { enableReadyCheck: false, commandTimeout: 50 },
      `redis://127.0.0.1:${await silentServer()}`,
    );
    const error = await errorOf(new RedisTokenStore(client).load('key'), BerbixStoreError);
    expect(error.retryable).toBe(true);
  });
});

describeOnRedis('on a Redis server', () => {
  it('works after the server has lost the scripts', async () => {
    const { client, prefix } = open();
    const store = new RedisTokenStore(client, { prefix });
    await store.commit('key', 0, 'first');
    await client.script('FLUSH');
    await expect(store.commit('key', 1, 'second')).resolves.toBe(2);
    await expect(store.load('key')).resolves.toMatchObject({ version: 2, value: 'second' });
  });

  it('keeps a record under the prefix, "berbix:" by default', async () => {
    const { client, prefix } = open();
    await new RedisTokenStore(client).commit(prefix, 0, 'value');
    await expect(client.exists(`berbix:${prefix}`)).resolves.toBe(1);
    const store = new RedisTokenStore(client, { prefix });
    await store.commit('key', 0, 'value');
    await expect(client.exists(`${prefix}key`)).resolves.toBe(1);
  });

  it('keeps records without a value for a day, and others forever', async () => {
    const { client, prefix } = open();
    const store = new RedisTokenStore(client, { prefix });
    const nothing = { version: 0, leaseEpoch: 0 };
    const life = (key: string): Promise<number> => client.pttl(prefix + key);
    const aDay = expect.closeTo(DAY_MS, -5);

    await store.lease('leased', nothing, 1_000, '');
    expect(await life('leased')).toEqual(aDay);
    await client.pexpire(`${prefix}leased`, 1_000_000);
    await store.release('leased', { version: 0, leaseEpoch: 1 }, '');
    await store.lease('leased', { version: 0, leaseEpoch: 1 }, 1_000, '');
    expect(await life('leased')).toEqual(aDay);
    await store.commit('leased', 0, 'value');
    expect(await life('leased')).toBe(-1);

    await store.commit('kept', 0, 'value');
    await store.lease('kept', { version: 1, leaseEpoch: 0 }, 1_000, '');
    expect(await life('kept')).toBe(-1);
    await store.compareAndSwap('kept', 'value', 'other');
    expect(await life('kept')).toBe(-1);
    await forget(store, 'kept');
    expect(await life('kept')).toEqual(aDay);
    await client.pexpire(`${prefix}kept`, 1_000_000);
    await forget(store, 'kept');
    expect(await life('kept')).toEqual(aDay);
    await store.commit('kept', 3, 'again');
    expect(await life('kept')).toBe(-1);
  });

  it.each(['app:', 'a*[p]?\\:'])('works with the keyPrefix %j of the client', async (keyPrefix) => {
    const { client, prefix } = open({ keyPrefix });
    const store = new RedisTokenStore(client, { prefix });
    await store.commit('a/1', 0, 'value');
    await store.commit('a/2', 0, 'value');
    await store.commit('b', 0, 'value');
    await expect(store.load('a/1')).resolves.toMatchObject({ value: 'value' });
    await expect(allKeys(store, 'a/')).resolves.toEqual(['a/1', 'a/2']);
    const plain = redisClient();
    await expect(plain.exists(`${keyPrefix}${prefix}a/1`)).resolves.toBe(1);
    plain.disconnect();
  });

  it('does not treat its own prefix as a pattern', async () => {
    const { client, prefix } = open();
    const stores = ['a*', 'ab', 'a?', 'a[b]', 'a\\b'].map(
      (name) => new RedisTokenStore(client, { prefix: `${prefix}${name}` }),
    );
    for (const [i, store] of stores.entries()) await store.commit(`:${i}`, 0, 'value');
    for (const [i, store] of stores.entries()) {
      await expect(allKeys(store)).resolves.toEqual([`:${i}`]);
    }
  });

  it('does not repeat a step whose answer was lost, with the client of the docs', async () => {
    const { prefix } = open();
    const proxy = await lossyProxy();
    const client = await connectTo(`redis://127.0.0.1:${proxy.port}`);
    closeAfterTest(() => client.disconnect());
    const store = new RedisTokenStore(client, { prefix });
    // Now the server has the script.
    await store.commit('before', 0, 'value');
    proxy.loseNext = true;
    expect((await errorOf(store.commit('key', 0, 'value'), BerbixStoreError)).retryable).toBe(true);
    await once(client, 'ready');
    await expect(store.load('key')).resolves.toMatchObject({ version: 1, value: 'value' });
  });

  it('lists its keys beside a key of another type', async () => {
    const { client, prefix } = open();
    const store = new RedisTokenStore(client, { prefix });
    await client.set(`${prefix}of somebody else`, 'text');
    await store.commit('key', 0, 'value');
    await expect(allKeys(store)).resolves.toEqual(['key']);
  });

  it('reports only the code of an error of Redis', async () => {
    const { client, prefix } = open();
    await client.set(`${prefix}canary-key`, 'canary-value');
    const error = await errorOf(
      new RedisTokenStore(client, { prefix }).load('canary-key'),
      BerbixStoreError,
    );
    expect(error).toMatchObject({ reason: 'WRONGTYPE', retryable: false });
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });
});
