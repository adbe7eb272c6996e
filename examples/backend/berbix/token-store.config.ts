import { registerAs } from '@nestjs/config';

/** `REDIS_URL`: a Redis server for the tokens, instead of the application's database. */
export const tokenStoreConfig = registerAs('tokenStore', () => ({
  redisUrl: process.env['REDIS_URL'] || undefined,
}));
