import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { BerbixModule, berbixConfig } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import pg from 'pg';

@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool = new pg.Pool({
    connectionString: process.env['DATABASE_URL'],
    // Fail if the server does not answer, instead of waiting.
    connectionTimeoutMillis: 1_000,
    query_timeout: 2_000,
    // Shorter, so that the server gives up first and frees the connection.
    statement_timeout: 1_900,
  });

  constructor() {
    // Errors of idle connections; a query that needs one fails on its own.
    this.pool.on('error', () => {});
  }

  onApplicationShutdown(): Promise<void> {
    return this.pool.end();
  }
}

@Module({ providers: [Database], exports: [Database] })
export class DatabaseModule {}

@Module({
  imports: [
    BerbixModule.forRootAsync({
      imports: [ConfigModule.forFeature(berbixConfig), DatabaseModule],
      inject: [berbixConfig.KEY, Database],
      // API secret and encryption keys from the environment, and the store.
      useFactory: (config: ConfigType<typeof berbixConfig>, { pool }: Database) => ({
        ...config,
        store: new PostgresTokenStore(pool),
      }),
    }),
  ],
})
export class BerbixInPostgresModule {}
