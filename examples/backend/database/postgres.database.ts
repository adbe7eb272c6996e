import type { OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { Database, type QueryResult } from './database.js';
import { addressOf, codeOf } from './server.js';

/** A PostgreSQL server that all instances of the backend share. */
export class PostgresDatabase extends Database implements OnApplicationShutdown {
  private constructor(
    private readonly pool: pg.Pool,
    readonly location: string,
  ) {
    super();
  }

  /** @throws {Error} that says why the server cannot be used, without the password of the URL */
  static async open(url: string): Promise<PostgresDatabase> {
    const pool = new pg.Pool({
      connectionString: url,
      // Fail if the server does not answer, instead of waiting.
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
      // The server gives up too, just before this client does.
      statement_timeout: 4_900,
    });
    // Errors of idle connections; a query reports its own error.
    pool.on('error', () => {});
    const problem = await pool.query('SELECT 1').then(() => undefined, codeOf);
    if (problem === undefined) return new PostgresDatabase(pool, addressOf(url));
    await pool.end();
    throw new Error(`The PostgreSQL server of DATABASE_URL cannot be used (${problem}).`);
  }

  async query<Row>(sql: string, values?: unknown[]): Promise<QueryResult<Row>> {
    const { rows } = await this.pool.query(sql, values);
    return { rows };
  }

  /** Nest calls it when no request is in flight any more. */
  onApplicationShutdown(): Promise<void> {
    return this.pool.end();
  }
}
