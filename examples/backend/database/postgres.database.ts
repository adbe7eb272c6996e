import type { OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { type Answer, Database } from './database.js';
import { addressOf, codeOf } from './server.js';

/** A PostgreSQL server, which all instances of the backend share. */
export class PostgresDatabase extends Database implements OnApplicationShutdown {
  private constructor(
    private readonly pool: pg.Pool,
    readonly location: string,
  ) {
    super();
  }

  /** @throws {Error} that says why it cannot be used, without the password in the URL */
  static async open(url: string): Promise<PostgresDatabase> {
    const pool = new pg.Pool({
      connectionString: url,
      // A server that does not answer is a failure, not a wait.
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
      // The server gives up too, where this client no longer waits.
      statement_timeout: 4_900,
    });
    // Of a connection that is idle; a query that needs one tells by itself.
    pool.on('error', () => {});
    const problem = await pool.query('SELECT 1').then(() => undefined, codeOf);
    if (problem === undefined) return new PostgresDatabase(pool, addressOf(url));
    await pool.end();
    throw new Error(`The PostgreSQL server of DATABASE_URL cannot be used (${problem}).`);
  }

  async query<Row>(sql: string, values?: unknown[]): Promise<Answer<Row>> {
    const { rows } = await this.pool.query(sql, values);
    return { rows };
  }

  /** Nest calls it when no request is under way any more. */
  onApplicationShutdown(): Promise<void> {
    return this.pool.end();
  }
}
