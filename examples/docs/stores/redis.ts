import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { BerbixModule, berbixConfig } from 'nestjs-berbix';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { Redis } from 'ioredis';

/** A connected client that fails instead of waiting. */
export async function connectTo(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    // Without a queue, the first command needs a connection: wait for it below.
    lazyConnect: true,
    commandTimeout: 1_000,
    // Do not repeat a command whose answer was lost: it may have been executed.
    maxRetriesPerRequest: 0,
    // After a failover, the old primary refuses writes: connect again, to the new one.
    reconnectOnError: (error) => error.message.includes('READONLY'),
    // After disconnect(), a connection that failed would keep the process for two seconds.
    disconnectTimeout: 100,
  });
  // Connection errors; a command that needs the connection fails on its own.
  redis.on('error', () => {});
  try {
    await redis.connect();
  } catch (error) {
    // Otherwise, it would keep connecting although the application did not start.
    redis.disconnect();
    throw new Error('Redis does not answer. Check REDIS_URL.', { cause: error });
  }
  return redis;
}

@Module({
  providers: [{ provide: Redis, useFactory: () => connectTo(process.env['REDIS_URL'] ?? '') }],
  exports: [Redis],
})
export class RedisModule implements OnApplicationShutdown {
  constructor(private readonly redis: Redis) {}

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}

@Module({
  imports: [
    BerbixModule.forRootAsync({
      imports: [ConfigModule.forFeature(berbixConfig), RedisModule],
      inject: [berbixConfig.KEY, Redis],
      useFactory: (config: ConfigType<typeof berbixConfig>, redis: Redis) => ({
        ...config,
        // `durable` only if the server has `appendonly yes` and `appendfsync always`.
        store: new RedisTokenStore(redis, { durable: true }),
      }),
    }),
  ],
})
export class BerbixInRedisModule {}
