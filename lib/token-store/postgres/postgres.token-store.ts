import { BerbixConfigurationError, BerbixStoreError } from '../../errors/index.js';
import { onlyKnown } from '../../options/index.js';
import {
  BerbixTokenStore,
  type Lease,
  type RecordRevision,
  type StoredRecord,
} from '../berbix-token-store.js';
import { StoreAnswers } from '../store-answer.js';
import { serverCode, storeFailure } from '../store-failure.js';
import { creationFailure } from './creation-failure.js';
import { PAGE_SIZE, statementsFor } from './statements.js';
import { createStatements, DEFAULT_TABLE, quoted } from './table.js';

/**
 * The part of a `Pool` or `Client` of `pg`, or of a PGlite, that the store uses; you may wrap
 * another client.
 */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** The options of a {@link PostgresTokenStore}. */
export interface PostgresTokenStoreOptions {
  /** The table, optionally with its schema: `app.berbix_tokens`. `berbix_tokens` by default. */
  table?: string | undefined;
}

interface Row {
  key: string;
  version: number;
  lease_epoch: number;
  value: string | null;
  note: string | null;
  now: number;
  lease_until: number | null;
}

/** SQLSTATEs of a missing table or column. */
const NO_SUCH_TABLE = new Set(['42P01', '42703']);

/**
 * SQLSTATEs of a lost race under REPEATABLE READ or SERIALIZABLE, and of a deadlock. The step was
 * the whole transaction and was rolled back, so it can be repeated.
 */
const ROLLED_BACK = new Set(['40001', '40P01']);

/**
 * Maximum number of attempts of a step: in each round, at least one of the competitors succeeds.
 */
const ATTEMPTS = 20;

/** SQLSTATEs if two sessions create the same table concurrently, even with `IF NOT EXISTS`. */
const CREATED_MEANWHILE = new Set(['23505', '42P07', '42710']);

/**
 * Stores tokens in PostgreSQL 11 or later. Each step is one statement that leaves no state in the
 * session, so any pool works, and PgBouncer in transaction mode. Create the table with {@link
 * createTable}, or with the SQL of {@link PostgresTokenStore.sql} in a migration; it is never
 * created automatically.
 *
 * Use a pool on the primary, never a client inside a transaction: that could roll back a confirmed
 * step later. Set `connectionTimeoutMillis` and `query_timeout` of the pool, so that a server that
 * does not answer is a failure, and `statement_timeout` a little lower, so that the server gives up
 * too. Leave `synchronous_commit` on, and the isolation at READ COMMITTED.
 *
 * Every failure is a BerbixStoreError with the SQLSTATE or the system error code as `reason`.
 *
 * @example
 * ```ts
 * const pool = new Pool({
 *   connectionString,
 *   connectionTimeoutMillis: 1_000,
 *   query_timeout: 2_000,
 *   statement_timeout: 1_900,
 * });
 * const store = new PostgresTokenStore(pool);
 * await store.createTable();
 * ```
 */
export class PostgresTokenStore extends BerbixTokenStore {
  readonly description = 'PostgreSQL';
  readonly shared = true;
  readonly durable = true;
  readonly #client: PostgresClient;
  readonly #table: string;
  readonly #statements: ReturnType<typeof statementsFor>;

  /**
   * @param client a `Pool` of `pg`, which the application opens and ends
   * @throws {BerbixConfigurationError} for an invalid client or invalid options
   */
  constructor(client: PostgresClient, options: PostgresTokenStoreOptions = {}) {
    super();
    if (typeof client?.query !== 'function') {
      throw new BerbixConfigurationError(
        'PostgresTokenStore needs a client with query(text, values), such as a Pool of pg.',
      );
    }
    onlyKnown<PostgresTokenStoreOptions>('PostgresTokenStore', options, { table: true });
    const { table = DEFAULT_TABLE } = options;
    this.#client = client;
    this.#table = table;
    this.#statements = statementsFor(quoted(table));
  }

  /**
   * The SQL that creates the table, for a migration. `nestjs-berbix table sql` prints it.
   *
   * @throws {BerbixConfigurationError} for an invalid table name
   */
  static sql(table: string = DEFAULT_TABLE): string {
    return `${createStatements(table).join('\n')}\n`;
  }

  /**
   * Creates the table if it does not exist; several replicas may call it concurrently. Needs the
   * CREATE privilege on the schema, even if the table exists.
   */
  async createTable(): Promise<void> {
    for (const statement of createStatements(this.#table)) await this.#create(statement);
  }

  /** Checks that the table has all columns, and that the client returns numbers as numbers. */
  override async check(): Promise<void> {
    const [row] = await this.#run(this.#statements.check);
    if (row === undefined) {
      throw new BerbixStoreError(
        'The client of PostgresTokenStore returned no row for a SELECT that always has one. If you wrap a client, return its rows, also for statements with RETURNING.',
      );
    }
    new StoreAnswers(this.description).record(recordIn(row));
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const [row] = await this.#run(this.#statements.load, key);
    return row && recordIn(row);
  }

  async lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    // An existing record has a version or a lease epoch above 0.
    const [row] =
      expected.version === 0 && expected.leaseEpoch === 0
        ? await this.#run(this.#statements.firstLease, key, String(ttlMs), note)
        : await this.#run(
            this.#statements.lease,
            key,
            String(ttlMs),
            note,
            expected.version,
            expected.leaseEpoch,
          );
    return row && { leaseEpoch: row.lease_epoch, now: (row.lease_until as number) - ttlMs };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const [row] =
      version === 0
        ? await this.#run(this.#statements.firstCommit, key, value)
        : await this.#run(this.#statements.commit, key, value, version);
    return row?.version;
  }

  async release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    const rows = await this.#run(
      this.#statements.release,
      key,
      note,
      expected.version,
      expected.leaseEpoch,
    );
    return rows.length > 0;
  }

  /** Also removes some records that were forgotten or left empty more than a day ago. */
  async forget(key: string, expected: RecordRevision): Promise<boolean> {
    const rows = await this.#run(
      this.#statements.forget,
      key,
      expected.version,
      expected.leaseEpoch,
    );
    return rows.length > 0;
  }

  async compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    const rows = await this.#run(this.#statements.compareAndSwap, key, expected, value);
    return rows.length > 0;
  }

  async keys(
    prefix: string,
    cursor?: string,
  ): Promise<{ keys: string[]; cursor: string | undefined }> {
    const rows = await this.#run(this.#statements.keys, prefix, cursor ?? null);
    const keys = rows.map(({ key }) => key);
    return { keys, cursor: keys.length < PAGE_SIZE ? undefined : keys.at(-1) };
  }

  async #run(statement: string, ...values: unknown[]): Promise<Row[]> {
    try {
      const { rows } = await this.#query(statement, values);
      if (Array.isArray(rows)) return rows as Row[];
      throw new BerbixStoreError(
        'The client of PostgresTokenStore must resolve to { rows: [...] }.',
      );
    } catch (error) {
      const code = serverCode(error);
      if (code === undefined || !NO_SUCH_TABLE.has(code)) {
        throw storeFailure(this.description, error);
      }
      throw new BerbixStoreError(
        `The table ${this.#table} is missing, or differs from the table of createTable(). Run "npx nestjs-berbix table migrate", call createTable(), or add the output of "npx nestjs-berbix table sql" to your migrations.`,
        {},
        code,
      );
    }
  }

  async #query(
    statement: string,
    values: unknown[],
    attempts = ATTEMPTS,
  ): Promise<{ rows: unknown[] }> {
    try {
      return await this.#client.query(statement, values);
    } catch (error) {
      if (attempts === 1 || !ROLLED_BACK.has(serverCode(error) ?? '')) throw error;
      return this.#query(statement, values, attempts - 1);
    }
  }

  async #create(statement: string, attempts = 5): Promise<void> {
    try {
      await this.#client.query(statement);
    } catch (error) {
      if (attempts > 1 && CREATED_MEANWHILE.has(serverCode(error) ?? '')) {
        return this.#create(statement, attempts - 1);
      }
      throw creationFailure(this.#table, error);
    }
  }
}

function recordIn(row: Row): StoredRecord {
  return {
    version: row.version,
    leaseEpoch: row.lease_epoch,
    value: row.value ?? undefined,
    note: row.note ?? undefined,
    leasedForMs: row.lease_until === null ? 0 : Math.max(0, row.lease_until - row.now),
    now: row.now,
  };
}
