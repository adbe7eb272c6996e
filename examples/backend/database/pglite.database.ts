import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { OnApplicationShutdown } from '@nestjs/common';
import { DataDirectory } from './data-directory.js';
import { type Answer, Database } from './database.js';

/** PostgreSQL inside this process, so that the example needs nothing installed. */
export class PgliteDatabase extends Database implements OnApplicationShutdown {
  private constructor(
    private readonly pglite: PGlite,
    private readonly directory: DataDirectory,
  ) {
    super();
  }

  /** Keeps its data in the directory, or in one beside it if another process uses that. */
  static async open(wanted: string): Promise<PgliteDatabase> {
    const directory = DataDirectory.claim(wanted);
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

  query<Row>(sql: string, values?: unknown[]): Promise<Answer<Row>> {
    return this.pglite.query<Row>(sql, values);
  }

  /** Nest calls it when no request is under way any more. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.pglite.closed) await this.pglite.close();
    this.directory.release();
  }
}
