import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { OnApplicationShutdown } from '@nestjs/common';
import { DataDirectory } from './data-directory.js';
import { Database, type QueryResult } from './database.js';

/** PostgreSQL inside this process, so that nothing has to be installed for the example. */
export class PgliteDatabase extends Database implements OnApplicationShutdown {
  private constructor(
    private readonly pglite: PGlite,
    private readonly directory: DataDirectory,
  ) {
    super();
  }

  /** Stores its data in the directory, or in one beside it if another process uses that. */
  static async open(preferred: string): Promise<PgliteDatabase> {
    const directory = DataDirectory.claim(preferred);
    try {
      return new PgliteDatabase(await PGlite.create(join(directory.path, 'postgres')), directory);
    } catch {
      directory.release();
      throw new Error(
        `The database in ${directory.path} cannot be opened. Remove that directory to start over.`,
      );
    }
  }

  get location(): string {
    return this.directory.path;
  }

  query<Row>(sql: string, values?: unknown[]): Promise<QueryResult<Row>> {
    return this.pglite.query<Row>(sql, values);
  }

  /** Nest calls it when no request is in flight any more. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.pglite.closed) await this.pglite.close();
    this.directory.release();
  }
}
