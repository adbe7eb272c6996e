/**
 * Tokens in Redis, over the client that the application has.
 *
 * @module nestjs-berbix/redis
 */

export {
  RedisTokenStore,
  type RedisClient,
  type RedisTokenStoreOptions,
} from './redis.token-store.js';
