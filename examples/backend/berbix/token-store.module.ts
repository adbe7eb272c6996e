import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { DatabaseModule } from '../database/database.module.js';
import { Database } from '../database/database.js';
import { tokenStoreConfig } from './token-store.config.js';
import { TokenStore } from './token-store.js';

@Module({
  imports: [ConfigModule.forFeature(tokenStoreConfig), DatabaseModule],
  providers: [
    {
      provide: TokenStore,
      inject: [tokenStoreConfig.KEY, Database],
      useFactory: ({ redisUrl }: ConfigType<typeof tokenStoreConfig>, database: Database) =>
        redisUrl === undefined ? TokenStore.inDatabase(database) : TokenStore.inRedis(redisUrl),
    },
  ],
  exports: [TokenStore],
})
export class TokenStoreModule {}
