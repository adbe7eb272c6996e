import { SandboxOptionError } from '../errors/sandbox-option.error.js';
import { DataDirectory } from './data-directory.js';
import type { Database } from './database.js';
import { loadPglite } from './pglite.js';
import { PostgresPendingWebhooks } from './postgres-pending-webhooks.js';
import { PostgresTransactionStore } from './postgres-transaction.store.js';
import type { SandboxIdentity, SandboxStorage } from './sandbox-storage.js';
import { migrate, NewerSchemaError } from './schema.js';

/** Outlives the run: a PostgreSQL in this process, with its files in a directory. */
export class PostgresStorage implements SandboxStorage {
  readonly transactions: PostgresTransactionStore;
  readonly pendingWebhooks: PostgresPendingWebhooks;

  private constructor(
    private readonly database: Database,
    private readonly directory: DataDirectory,
  ) {
    this.transactions = new PostgresTransactionStore(database);
    this.pendingWebhooks = new PostgresPendingWebhooks(database);
  }

  /**
   * @throws {SandboxOptionError} for a directory that cannot be used
   * @throws {Error} that says what to install if `@electric-sql/pglite` is missing
   */
  static async open(dataDir: string): Promise<PostgresStorage> {
    const { PGlite } = await loadPglite();
    const directory = DataDirectory.claim(dataDir);
    let database: Database | undefined;
    try {
      database = await PGlite.create(directory.database);
      await migrate(database);
      return new PostgresStorage(database, directory);
    } catch (error) {
      await database?.close();
      directory.release();
      throw new SandboxOptionError('dataDir', `is ${directory.path}, ${problemOf(error)}`);
    }
  }

  async loadIdentity(): Promise<SandboxIdentity | undefined> {
    const { rows } = await this.database.query<{ content: SandboxIdentity }>(
      'SELECT content FROM identity',
    );
    return rows[0]?.content;
  }

  async saveIdentity(identity: SandboxIdentity): Promise<void> {
    await this.database.query(
      `INSERT INTO identity (content) VALUES ($1)
       ON CONFLICT (only_one) DO UPDATE SET content = excluded.content`,
      [JSON.stringify(identity)],
    );
  }

  async close(): Promise<void> {
    await this.database.close();
    this.directory.release();
  }
}

function problemOf(error: unknown): string {
  return error instanceof NewerSchemaError
    ? 'which a newer version of nestjs-berbix has written; use that one, or choose another directory'
    : 'whose database cannot be opened; remove that directory to start over, or choose another';
}
