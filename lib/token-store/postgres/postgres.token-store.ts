import { BerbixConfigurationError, BerbixStoreError } from '../../errors/index.js';
import {
  BerbixTokenStore,
  type Lease,
  type SeenRecord,
  type StoredRecord,
} from '../berbix-token-store.js';
import { StoreAnswers } from '../store-answer.js';
import { refusalOf, storeFailure } from '../store-failure.js';
import { PAGE_SIZE, statementsFor } from './statements.js';
import { createStatements, DEFAULT_TABLE, quoted } from './table.js';

/** What a store needs of a `Pool` or `Client` of `pg`, or of a PGlite; or of what you wrap to look so. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** The options of a {@link PostgresTokenStore}. */
export interface PostgresTokenStoreOptions {
  /** The table, with its schema if need be: `app.berbix_tokens`. `berbix_tokens` by default. */
  table?: string | undefined;
}

interface Row {
  key: string;
  version: number;
  fence: number;
  value: string | null;
  note: string | null;
  now: number;
  leased_for_ms: number;
  lease_until: number;
}

/** SQLSTATEs of a table that is not there, or is another one. */
const NO_SUCH_TABLE = new Set(['42P01', '42703']);

/**
 * What a step gets where the sessions' default is REPEATABLE READ or SERIALIZABLE and somebody else
 * was faster, or of a deadlock. The step alone was the transaction, and was rolled back.
 */
const ROLLED_BACK = new Set(['40001', '40P01']);

/** How often a step is tried: each time at least one of those who compete for a record is done. */
const ATTEMPTS = 20;

/** What two sessions get that create the same table at the same moment, `IF NOT EXISTS` or not. */
const CREATED_MEANWHILE = new Set(['23505', '42P07', '42710']);

/**
 * Keeps tokens in PostgreSQL 11 or later. Each step is one statement that leaves nothing in the
 * session, so that any pool will do, and PgBouncer in transaction mode. The table is made by
 * {@link createTable}, or by a migration with what {@link PostgresTokenStore.sql} gives; never by
 * itself.
 *
 * Give it a pool on the primary, never a client inside a transaction: a step that is rolled back
 * later was confirmed before. Set `connectionTimeoutMillis` and `query_timeout` of the pool, so that
 * a server that does not answer is a failure, and `statement_timeout` a little below, so that the
 * server gives up too. Leave `synchronous_commit` on, and the isolation at READ COMMITTED.
 *
 * Every failure is a BerbixStoreError with the SQLSTATE or the system's code as `reason`.
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
   * @throws {BerbixConfigurationError} for a client or a table name that cannot be used
   */
  constructor(client: PostgresClient, { table = DEFAULT_TABLE }: PostgresTokenStoreOptions = {}) {
    super();
    if (typeof client?.query !== 'function') {
      throw new BerbixConfigurationError(
        'PostgresTokenStore needs a client with query(text, values), such as a Pool of pg.',
      );
    }
    this.#client = client;
    this.#table = table;
    this.#statements = statementsFor(quoted(table));
  }

  /**
   * The SQL that makes the table, for a migration. `nestjs-berbix token-table` prints it.
   *
   * @throws {BerbixConfigurationError} for a table name that cannot be used
   */
  static sql(table: string = DEFAULT_TABLE): string {
    return `${createStatements(table).join('\n')}\n`;
  }

  /**
   * Makes the table if it is not there; several replicas may do so at once. Needs CREATE on the
   * schema, also where the table is there.
   */
  async createTable(): Promise<void> {
    for (const statement of createStatements(this.#table)) await this.#create(statement);
  }

  /** Whether the table is there with its columns, and the client gives numbers as numbers. */
  override async check(): Promise<void> {
    const [row] = await this.#run(this.#statements.check);
    new StoreAnswers(this.description).record(row && recordIn(row));
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const [row] = await this.#run(this.#statements.load, key);
    return row && recordIn(row);
  }

  async lease(
    key: string,
    seen: SeenRecord,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    // A record that is there has a version or a fence.
    const [row] =
      seen.version === 0 && seen.fence === 0
        ? await this.#run(this.#statements.firstLease, key, ttlMs, note)
        : await this.#run(this.#statements.lease, key, ttlMs, note, seen.version, seen.fence);
    return row && { fence: row.fence, now: row.lease_until - ttlMs };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const [row] =
      version === 0
        ? await this.#run(this.#statements.firstCommit, key, value)
        : await this.#run(this.#statements.commit, key, value, version);
    return row?.version;
  }

  async release(key: string, seen: SeenRecord, note: string): Promise<boolean> {
    const rows = await this.#run(this.#statements.release, key, note, seen.version, seen.fence);
    return rows.length > 0;
  }

  /** Also removes some of the records that were forgotten, or left empty, more than a day ago. */
  async forget(key: string, seen: SeenRecord): Promise<boolean> {
    const rows = await this.#run(this.#statements.forget, key, seen.version, seen.fence);
    return rows.length > 0;
  }

  async swap(key: string, expected: string, value: string): Promise<boolean> {
    const rows = await this.#run(this.#statements.swap, key, expected, value);
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
      const code = refusalOf(error);
      if (code === undefined || !NO_SUCH_TABLE.has(code)) {
        throw storeFailure(this.description, error);
      }
      throw new BerbixStoreError(
        `The table ${this.#table} is missing, or is not as createTable() makes it. Call createTable() of PostgresTokenStore once, or add to your migrations what "npx nestjs-berbix token-table" prints.`,
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
      if (attempts === 1 || !ROLLED_BACK.has(refusalOf(error) ?? '')) throw error;
      return this.#query(statement, values, attempts - 1);
    }
  }

  async #create(statement: string, attempts = 5): Promise<void> {
    try {
      await this.#client.query(statement);
    } catch (error) {
      if (attempts > 1 && CREATED_MEANWHILE.has(refusalOf(error) ?? '')) {
        return this.#create(statement, attempts - 1);
      }
      throw storeFailure(this.description, error);
    }
  }
}

function recordIn(row: Row): StoredRecord {
  return {
    version: row.version,
    fence: row.fence,
    value: row.value ?? undefined,
    note: row.note ?? undefined,
    leasedForMs: row.leased_for_ms,
    now: row.now,
  };
}
