import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import type { Pool } from 'pg';

/** A store over the pool that Drizzle has; `tx` of a transaction has none, so that it cannot be given by mistake. */
export function storeOverDrizzle(
  db: NodePgDatabase & { $client: Pool },
  table?: string,
): PostgresTokenStore {
  return new PostgresTokenStore(db.$client, { table });
}
