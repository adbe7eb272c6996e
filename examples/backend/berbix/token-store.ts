import type { OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { BerbixTokenStore } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import type { Database } from '../database/database.js';
import { addressOf, codeOf } from '../database/server.js';

/**
 * Where the encrypted refresh tokens are: in the application's database, or in Redis. You need one.
 */
export class TokenStore implements OnApplicationShutdown {
  private constructor(
    readonly store: BerbixTokenStore,
    /** For the output of the demo. */
    readonly location: string,
    /** Names the keys in Redis, for the output of the demo; undefined with the database. */
    readonly redisKeys?: string,
    private readonly redis?: Redis,
  ) {}

  static inDatabase(database: Database): TokenStore {
    return new TokenStore(
      new PostgresTokenStore(database),
      'in the table berbix_tokens of that database',
    );
  }

  /** @throws {Error} that says why the server cannot be used, without the password of the URL */
  static async inRedis(url: string): Promise<TokenStore> {
    // A client that fails instead of waiting.
    const redis = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      commandTimeout: 1_000,
      maxRetriesPerRequest: 0,
      // After disconnect(), a connection that failed would keep the process for two seconds.
      disconnectTimeout: 100,
    });
    let problem: string | undefined;
    redis.on('error', (error) => (problem = codeOf(error)));
    const failure = await redis.connect().then(() => undefined, codeOf);
    if (failure !== undefined) {
      redis.disconnect();
      throw new Error(`The Redis server of REDIS_URL cannot be used (${problem ?? failure}).`);
    }
    // Add `durable: true` if the server has appendonly yes and appendfsync always.
    const where = `in Redis at ${addressOf(url)}`;
    const keys = `the keys ${redis.options.keyPrefix ?? ''}berbix:* ${where}`;
    return new TokenStore(new RedisTokenStore(redis), where, keys, redis);
  }

  /** Nest calls it when no request is in flight any more. */
  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }
}
