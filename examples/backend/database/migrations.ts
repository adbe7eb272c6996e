import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import type { Database } from './database.js';

/** In the order in which they were added; one that has run anywhere is never changed. */
const MIGRATIONS: readonly string[] = [
  // How it stands with each customer: what the application wants to know, and no token.
  `CREATE TABLE IF NOT EXISTS customer_verifications (
     customer_uid   text PRIMARY KEY,
     transaction_id text NOT NULL,
     status         text NOT NULL,
     updated_at     timestamptz NOT NULL DEFAULT now()
   );`,
  // The refresh tokens, sealed: the same that `nestjs-berbix token-table` prints.
  PostgresTokenStore.sql(),
];

/** Any number; that of other locks in the same database has to be another one. */
const LOCK = 4_711;

/**
 * Brings the tables up to date, one instance at a time. In production your migration tool does this
 * before the deployment.
 */
export async function migrate(database: Database): Promise<void> {
  await database.query(
    `DO $$ BEGIN PERFORM pg_advisory_xact_lock(${LOCK}); ${MIGRATIONS.join('\n')} END $$`,
  );
}
