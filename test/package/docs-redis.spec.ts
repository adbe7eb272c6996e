import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { BerbixTokenStore, BerbixVerificationService } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { BerbixInRedisModule, connectTo } from '../../examples/docs/stores/redis.js';
import { quietNest } from '../support/sinks.js';
import { describeWith } from '../support/requirements.js';
import { freePort, redisClient, startRedis } from '../support/servers.js';
import { startModule } from '../support/services.js';
import { until } from '../support/until.js';
import { sandboxOfEnvironment } from './support/docs.js';

quietNest();

// A server of its own, since a test makes it a replica.
const url = await startRedis();

/** The recipe, with the server of this file as its Redis. */
async function start() {
  const sandbox = await sandboxOfEnvironment();
  process.env['REDIS_URL'] = url;
  const module = await startModule({ module: BerbixInRedisModule });
  const verifications = module.get(BerbixVerificationService, { strict: false });
  const begin = (customerUid: string) =>
    firstValueFrom(verifications.begin(customerUid, { templateKey: sandbox.templateKeys.sdk }));
  return { module, begin };
}

describeWith('redis-server', url !== undefined)('the recipe for Redis of docs/stores.md', () => {
  it('stores tokens from the first call, and is durable', async () => {
    const { module, begin } = await start();
    expect(await begin('ada')).toMatchObject({ isResumed: false });
    expect(await begin('ada')).toMatchObject({ isResumed: true });
    const store = module.get(BerbixTokenStore, { strict: false });
    expect(store).toMatchObject({ shared: true, durable: true });
    expect((await store.keys('')).keys.length).toBeGreaterThan(0);
  });

  it('reconnects if the server has become a replica', async () => {
    const { module, begin } = await start();
    const client = module.get(Redis, { strict: false });
    let connections = 0;
    client.on('ready', () => connections++);
    const server = redisClient({}, url);
    try {
      await server.replicaof('127.0.0.1', '1');
      await expect(begin('grace')).rejects.toMatchObject({ code: 'BERBIX_STORE' });
      await until(() => connections > 0);
    } finally {
      await server.replicaof('NO', 'ONE');
    }
    await until(() => client.status === 'ready');
    expect(await begin('edith')).toMatchObject({ isResumed: false });
  });

  it('disconnects with the application', async () => {
    const { module } = await start();
    const client = module.get(Redis, { strict: false });
    expect(client.status).toBe('ready');
    await module.close();
    await until(() => client.status === 'end');
  });
});

describe('the recipe for Redis without a server', () => {
  it('stops the boot, and stops connecting', async () => {
    await expect(connectTo(`redis://127.0.0.1:${await freePort()}`)).rejects.toThrow(
      'Redis does not answer. Check REDIS_URL.',
    );
  });
});
