/**
 * Tokens in PostgreSQL, over the client that the application has.
 *
 * @module nestjs-berbix/postgres
 */

export {
  fromDrizzle,
  fromKysely,
  fromPrisma,
  fromTypeOrm,
  type DrizzleDatabase,
  type KyselyDatabase,
  type PrismaDatabase,
  type TypeOrmDataSource,
} from './clients.js';
export {
  PostgresTokenStore,
  type PostgresClient,
  type PostgresTokenStoreOptions,
} from './postgres.token-store.js';
