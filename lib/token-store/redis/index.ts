export {
  RedisTokenStore,
  type RedisClient,
  type RedisTokenStoreOptions,
} from './redis.token-store.js';
