import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import type { Database } from './database.js';

/** In the order in which they were added. Never change one that has already run somewhere. */
const MIGRATIONS: readonly string[] = [
  // The status of each customer's verification, without any token.
  `CREATE TABLE IF NOT EXISTS customer_verifications (
     customer_uid   text PRIMARY KEY,
     transaction_id text NOT NULL,
     status         text NOT NULL,
     updated_at     timestamptz NOT NULL DEFAULT now()
   );`,
  // The encrypted refresh tokens; `nestjs-berbix table sql` prints the same SQL.
  PostgresTokenStore.sql(),
];

/** Any number that no other advisory lock in the database uses. */
const LOCK = 4_711;

/**
 * Brings the tables up to date, one instance at a time. In production, your migration tool does
 * this before a deployment.
 */
export async function migrate(database: Database): Promise<void> {
  await database.query(
    `DO $$ BEGIN PERFORM pg_advisory_xact_lock(${LOCK}); ${MIGRATIONS.join('\n')} END $$`,
  );
}
