import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { BerbixModule, berbixConfig } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import pg from 'pg';

@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool = new pg.Pool({
    connectionString: process.env['DATABASE_URL'],
    // A server that does not answer is a failure, not a wait.
    connectionTimeoutMillis: 1_000,
    query_timeout: 2_000,
    // Before that, so that the server gives up too: it would keep the connection that waits.
    statement_timeout: 1_900,
  });

  constructor() {
    // Of a connection that is idle; a query that needs one tells by itself.
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
