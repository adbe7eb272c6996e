import { RedisTokenStore } from 'nestjs-berbix/redis';
import { Redis } from 'ioredis';

/** A client that fails rather than waits. The application quits it at the end. */
export function redisFor(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 1_000,
    // A command whose answer was lost is not sent once more: it may have been done.
    maxRetriesPerRequest: 0,
  });
}

/** `durable`, once the server has `appendonly yes` and `appendfsync always`. */
export function storeIn(redis: Redis, prefix = 'berbix:'): RedisTokenStore {
  return new RedisTokenStore(redis, { prefix, durable: true });
}
