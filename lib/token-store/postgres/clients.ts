import { BerbixConfigurationError } from '../../errors/index.js';
import type { PostgresClient } from './postgres.token-store.js';

/** The part of a `DataSource` of TypeORM that {@link fromTypeOrm} uses. */
export interface TypeOrmDataSource {
  readonly options: { readonly type: string };
  createQueryRunner(mode: 'master'): {
    query(text: string, values: unknown[], structured: true): Promise<{ records?: unknown[] }>;
    release(): Promise<void>;
  };
}

/** The part of a database of Drizzle that {@link fromDrizzle} uses: the client beneath it. */
export interface DrizzleDatabase {
  /** The second is that of `postgres` (Postgres.js). */
  readonly $client:
    | PostgresClient
    | { unsafe(text: string, values: never[]): PromiseLike<unknown[]> };
}

/** The part of a `PrismaClient` that {@link fromPrisma} uses. */
export interface PrismaDatabase {
  /** Not called; the client of a transaction does not have it. */
  $connect(): Promise<unknown>;
  $queryRawUnsafe<Rows = unknown>(text: string, ...values: unknown[]): PromiseLike<Rows>;
}

/** The part of a `Kysely` that {@link fromKysely} uses. */
export interface KyselyDatabase {
  readonly isTransaction: boolean;
  withoutPlugins(): {
    /** With a query as `CompiledQuery.raw()` of Kysely makes it. */
    executeQuery(query: {
      readonly sql: string;
      readonly parameters: readonly unknown[];
      readonly query: {
        readonly kind: 'RawNode';
        readonly sqlFragments: readonly string[];
        readonly parameters: readonly never[];
      };
      readonly queryId: { readonly queryId: string };
    }): Promise<{ rows: unknown[] }>;
  };
}

/** Where Prisma puts the SQLSTATE: since version 7, and before. */
interface PrismaFailure {
  readonly meta?: {
    readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: string } };
    readonly code?: string;
  };
}

/**
 * Lets a `PostgresTokenStore` use the connections of TypeORM: those to the primary, and none that
 * is inside a transaction of the application.
 *
 * @param dataSource of type `postgres`; with `@nestjs/typeorm`, inject `DataSource`
 * @throws {BerbixConfigurationError} for anything else
 *
 * @example
 * ```ts
 * new PostgresTokenStore(fromTypeOrm(dataSource));
 * ```
 */
export function fromTypeOrm(dataSource: TypeOrmDataSource): PostgresClient {
  if (typeof dataSource?.createQueryRunner !== 'function') {
    throw new BerbixConfigurationError('fromTypeOrm needs a DataSource of TypeORM.');
  }
  if (dataSource.options?.type !== 'postgres') {
    throw new BerbixConfigurationError('fromTypeOrm needs a DataSource of type "postgres".');
  }
  return {
    async query(text, values = []) {
      // A new runner: `dataSource.query` returns a pair for an UPDATE, and may use a replica.
      const runner = dataSource.createQueryRunner('master');
      try {
        const { records = [] } = await runner.query(text, values, true);
        return { rows: records };
      } finally {
        await runner.release();
      }
    },
  };
}

/**
 * Lets a `PostgresTokenStore` use the client of Drizzle: a pool of `pg`, a PGlite, or `postgres`
 * (Postgres.js).
 *
 * @param db as `drizzle()` returns it; a transaction has no client of its own
 * @throws {BerbixConfigurationError} for anything else
 *
 * @example
 * ```ts
 * new PostgresTokenStore(fromDrizzle(db));
 * ```
 */
export function fromDrizzle(db: DrizzleDatabase): PostgresClient {
  const client = Object(Object(db).$client) as DrizzleDatabase['$client'];
  if ('unsafe' in client) {
    return {
      // "Unsafe" is text that may contain input. These are constants with placeholders.
      query: async (text, values = []) => ({ rows: await client.unsafe(text, values as never[]) }),
    };
  }
  if (typeof client.query === 'function') return client;
  throw new BerbixConfigurationError(
    'fromDrizzle needs the database that drizzle() returns, on node-postgres, PGlite or postgres-js, and not a transaction.',
  );
}

/**
 * Lets a `PostgresTokenStore` use the connections of Prisma 5 or later.
 *
 * @param prisma a `PrismaClient`, not the client of a transaction. With the extension for read
 * replicas, pass `prisma.$primary()`
 * @throws {BerbixConfigurationError} for anything else
 *
 * @example
 * ```ts
 * new PostgresTokenStore(fromPrisma(prisma));
 * ```
 */
export function fromPrisma(prisma: PrismaDatabase): PostgresClient {
  if (typeof prisma?.$queryRawUnsafe !== 'function' || typeof prisma.$connect !== 'function') {
    throw new BerbixConfigurationError(
      'fromPrisma needs a PrismaClient, and not the client of a transaction.',
    );
  }
  return {
    async query(text, values = []) {
      try {
        return { rows: await prisma.$queryRawUnsafe<unknown[]>(text, ...values) };
      } catch (error) {
        const { meta } = Object(error) as PrismaFailure;
        const code = meta?.driverAdapterError?.cause?.originalCode ?? meta?.code;
        // Prisma's own codes, such as P2010, look like those of PostgreSQL.
        throw Object.assign(new Error('A query of Prisma failed.'), { code });
      }
    },
  };
}

/**
 * Lets a `PostgresTokenStore` use the connections of Kysely. Its plugins, such as one that renames
 * columns, do not apply.
 *
 * @param db with the dialect of PostgreSQL; not a transaction
 * @throws {BerbixConfigurationError} for anything else
 *
 * @example
 * ```ts
 * new PostgresTokenStore(fromKysely(db));
 * ```
 */
export function fromKysely(db: KyselyDatabase): PostgresClient {
  if (typeof db?.withoutPlugins !== 'function' || db.isTransaction) {
    throw new BerbixConfigurationError('fromKysely needs a Kysely, and not a transaction.');
  }
  const plain = db.withoutPlugins();
  return {
    query: (text, values = []) =>
      plain.executeQuery({
        sql: text,
        parameters: values,
        query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
        queryId: { queryId: 'nestjs-berbix' },
      }),
  };
}
