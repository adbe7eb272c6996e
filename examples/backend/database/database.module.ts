import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { databaseConfig } from './database.config.js';
import { Database } from './database.js';
import { migrate } from './migrations.js';
import { PgliteDatabase } from './pglite.database.js';

@Module({
  imports: [ConfigModule.forFeature(databaseConfig)],
  providers: [
    {
      provide: Database,
      inject: [databaseConfig.KEY],
      useFactory: async ({ directory }: ConfigType<typeof databaseConfig>): Promise<Database> => {
        const database = await PgliteDatabase.open(directory);
        await migrate(database);
        return database;
      },
    },
  ],
  exports: [Database],
})
export class DatabaseModule {}
