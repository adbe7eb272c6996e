import type { SandboxMode } from '../auth/authorization.js';
import { importOptional } from '../http/packages.js';
import { SandboxOptionError } from '../options.js';
import {
  type CompletedTransaction,
  isCompleted,
  type Transaction,
  type TransactionFilter,
  TransactionStore,
} from '../transactions/transaction.js';
import type { PendingWebhook, PendingWebhooks } from '../webhooks/webhook.js';
import { codeOf, DataDirectory } from './data-directory.js';
import type { SandboxIdentity, SandboxStorage } from './storage.js';

/** The used part of PGlite. */
export interface Database {
  query<Row>(sql: string, values?: unknown[]): Promise<{ rows: Row[] }>;
  exec(sql: string): Promise<unknown>;
  transaction<Result>(
    work: (database: Pick<Database, 'query'>) => Promise<Result>,
  ): Promise<Result>;
  close(): Promise<void>;
}

type Pglite = typeof import('@electric-sql/pglite');

/**
 * Loads PostgreSQL for this process, only when needed.
 *
 * @throws {Error} that says what to install if `@electric-sql/pglite` is missing
 */
export function loadPglite(load: () => Promise<Pglite> = importPglite): Promise<Pglite> {
  return importOptional(
    '@electric-sql/pglite',
    load,
    'to keep its data',
    'start it without a data directory',
  );
}

async function importPglite(): Promise<Pglite> {
  return import('@electric-sql/pglite');
}

/**
 * Each entry upgrades the schema by one version; a released one never changes. The column `content`
 * is `json`, since `jsonb` cannot store `\u0000`.
 */
const MIGRATIONS = [
  `CREATE TABLE identity (
     only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
     content json NOT NULL
   );
   CREATE TABLE transactions (
     id text PRIMARY KEY,
     mode text NOT NULL,
     completed_at double precision,
     id_number text,
     content json NOT NULL
   );
   CREATE INDEX ON transactions (mode, id_number);
   CREATE INDEX ON transactions (mode, completed_at);`,
  `CREATE TABLE pending_webhooks (id text PRIMARY KEY, content json NOT NULL);`,
  // Not by the operators of JSON, which fail for a text with \u0000 in it.
  `ALTER TABLE transactions ADD created_at double precision, ADD customer_uid text;
   UPDATE transactions SET
     created_at = substring(content::text FROM '"createdAt":([-+.0-9e]+)')::double precision,
     customer_uid = substring(content::text FROM '"customerUid":("(?:[^"\\\\]|\\\\.)*")');
   CREATE INDEX ON transactions (created_at);`,
];

/** @throws {NewerSchemaError} if a newer version of this package wrote the database */
export async function migrate(database: Database): Promise<void> {
  await database.exec('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
  const { rows } = await database.query<{ version: number }>('SELECT version FROM schema_version');
  const version = rows[0]?.version ?? 0;
  if (version > MIGRATIONS.length) throw new NewerSchemaError();
  for (const [index, migration] of MIGRATIONS.slice(version).entries()) {
    await database.exec(
      `BEGIN; ${migration}; DELETE FROM schema_version;
       INSERT INTO schema_version VALUES (${version + index + 1}); COMMIT`,
    );
  }
}

/** A newer version of this package wrote the database. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** Stores each transaction as JSON, next to the columns that are searched. */
export class PostgresTransactionStore extends TransactionStore {
  constructor(private readonly database: Pick<Database, 'query'>) {
    super();
  }

  async add(transaction: Transaction): Promise<void> {
    await this.database.query(
      `INSERT INTO transactions (id, mode, completed_at, id_number, created_at, customer_uid, content)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      columnsOf(transaction),
    );
  }

  async find(id: string): Promise<Transaction | undefined> {
    const [transaction] = await this.#select<Transaction>('id = $1', [id]);
    return transaction;
  }

  async save(transaction: Transaction): Promise<void> {
    await this.database.query(
      `UPDATE transactions SET mode = $2, completed_at = $3, id_number = $4, created_at = $5,
         customer_uid = $6, content = $7
       WHERE id = $1`,
      columnsOf(transaction),
    );
  }

  async delete(id: string): Promise<void> {
    await this.database.query('DELETE FROM transactions WHERE id = $1', [id]);
  }

  list({ customerUid, state, createdAfter, limit }: TransactionFilter): Promise<Transaction[]> {
    return this.#select(
      `created_at > $1
       AND ($2::text IS NULL OR customer_uid = $2)
       AND ($3::boolean IS NULL OR (completed_at IS NOT NULL) = $3)
       ORDER BY created_at DESC, id DESC LIMIT $4`,
      [
        createdAfter,
        customerUid === undefined ? null : JSON.stringify(customerUid),
        state === undefined ? null : state === 'completed',
        limit,
      ],
    );
  }

  findByIdNumber(mode: SandboxMode, idNumber: string): Promise<CompletedTransaction[]> {
    return this.#select('mode = $1 AND id_number = $2', [mode, JSON.stringify(idNumber)]);
  }

  async completionTimes(mode: SandboxMode, after: number): Promise<number[]> {
    const { rows } = await this.database.query<{ completed_at: number }>(
      'SELECT completed_at FROM transactions WHERE mode = $1 AND completed_at > $2',
      [mode, after],
    );
    return rows.map((row) => row.completed_at);
  }

  async #select<Found extends Transaction>(condition: string, values: unknown[]): Promise<Found[]> {
    const { rows } = await this.database.query<{ content: Found }>(
      `SELECT content FROM transactions WHERE ${condition}`,
      values,
    );
    return rows.map(({ content }) => content);
  }
}

/** Texts as JSON, since text in PostgreSQL cannot contain NUL or half of a surrogate pair. */
function columnsOf(transaction: Transaction): unknown[] {
  const { id, mode, createdAt, customerUid } = transaction;
  const { completedAt, fields } = isCompleted(transaction) ? transaction.state : {};
  const idNumber = fields?.id_number === undefined ? null : JSON.stringify(fields.id_number);
  const uid = JSON.stringify(customerUid);
  return [id, mode, completedAt ?? null, idNumber, createdAt, uid, JSON.stringify(transaction)];
}

/** Stores the pending webhooks. */
export class PostgresPendingWebhooks implements PendingWebhooks {
  constructor(private readonly database: Database) {}

  async load(): Promise<PendingWebhook[]> {
    const { rows } = await this.database.query<{ content: PendingWebhook }>(
      'SELECT content FROM pending_webhooks',
    );
    return rows.map(({ content }) => content);
  }

  async add(webhook: PendingWebhook): Promise<void> {
    await this.database.query(
      'INSERT INTO pending_webhooks (id, content) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [webhook.id, JSON.stringify(webhook)],
    );
  }

  async delete(id: string): Promise<void> {
    await this.database.query('DELETE FROM pending_webhooks WHERE id = $1', [id]);
  }
}

/** Storage that outlives the sandbox: PostgreSQL in this process, with its files in a directory. */
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

  saveIdentity(identity: SandboxIdentity): Promise<void> {
    return saveIdentity(this.database, identity);
  }

  replace(transactions: readonly Transaction[], identity: SandboxIdentity): Promise<void> {
    return this.database.transaction(async (database) => {
      await database.query('DELETE FROM transactions');
      await database.query('DELETE FROM pending_webhooks');
      const store = new PostgresTransactionStore(database);
      for (const transaction of transactions) await store.add(transaction);
      await saveIdentity(database, identity);
    });
  }

  async close(): Promise<void> {
    await this.database.close();
    this.directory.release();
  }
}

async function saveIdentity(
  database: Pick<Database, 'query'>,
  identity: SandboxIdentity,
): Promise<void> {
  await database.query(
    `INSERT INTO identity (content) VALUES ($1)
     ON CONFLICT (only_one) DO UPDATE SET content = excluded.content`,
    [JSON.stringify(identity)],
  );
}

function problemOf(error: unknown): string {
  return error instanceof NewerSchemaError
    ? 'which a newer version of nestjs-berbix has written; use that one, or choose another directory'
    : `whose database cannot be opened (${codeOf(error)}); remove that directory to start over, or choose another`;
}
