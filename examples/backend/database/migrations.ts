import type { Database } from './database.js';

/** In the order in which they were added; one that has run anywhere is never changed. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS verifications (
     customer_uid   text PRIMARY KEY,
     transaction_id text,
     refresh_token  text NOT NULL,
     created_at     timestamptz NOT NULL DEFAULT now(),
     updated_at     timestamptz NOT NULL DEFAULT now()
   )`,
];

/** Brings the tables up to date. In production your migration tool does this before the deployment. */
export async function migrate(database: Database): Promise<void> {
  for (const sql of MIGRATIONS) await database.query(sql);
}
