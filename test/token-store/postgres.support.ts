import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { closeAfterTest } from '../support/services.js';
import { POSTGRES_URL, postgresPool, sharedPglite, uniqueTable } from '../support/servers.js';

/** A server where there is one, and PGlite otherwise. */
export async function anyClient(): Promise<PostgresClient> {
  if (POSTGRES_URL === undefined) return sharedPglite();
  const pool = postgresPool();
  closeAfterTest(() => pool.end());
  return pool;
}

/** A table for one test; its name is made by `uniqueTable`. */
export async function makeTable(client: PostgresClient, table = uniqueTable()) {
  const store = new PostgresTokenStore(client, { table });
  await store.createTable();
  closeAfterTest(() => client.query(`DROP TABLE ${table}`));
  return { store, table };
}
