import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { databaseConfig } from './database.config.js';
import { Database } from './database.js';
import { migrate } from './migrations.js';
import { PgliteDatabase } from './pglite.database.js';
import { PostgresDatabase } from './postgres.database.js';

@Module({
  imports: [ConfigModule.forFeature(databaseConfig)],
  providers: [
    {
      provide: Database,
      inject: [databaseConfig.KEY],
      useFactory: async ({
        url,
        directory,
      }: ConfigType<typeof databaseConfig>): Promise<Database> => {
        const database =
          url === undefined
            ? await PgliteDatabase.open(directory)
            : await PostgresDatabase.open(url);
        await migrate(database);
        return database;
      },
    },
  ],
  exports: [Database],
})
export class DatabaseModule {}
