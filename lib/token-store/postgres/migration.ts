import { creationFailure } from './creation-failure.js';
import type { PostgresClient } from './postgres.token-store.js';
import { createStatements, quoted } from './table.js';

/** Any number that no other program is likely to lock: "berbix" as bytes. */
const LOCK = 0x62_65_72_62_69_78;

/** The version of a table; 0 if there is none. */
export async function tableVersion(client: PostgresClient, table: string): Promise<number> {
  const { rows } = await client.query(
    `SELECT to_regclass($1) IS NOT NULL AS exists,
       obj_description(to_regclass($1), 'pg_class') AS comment`,
    [quoted(table)],
  );
  const [{ exists, comment }] = rows as [{ exists: boolean; comment: string | null }];
  if (!exists) return 0;
  // The first version has no comment.
  return Number(/^nestjs-berbix table, version (\d+)$/.exec(comment ?? '')?.[1] ?? 1);
}

/**
 * Brings a table to the current version, in one transaction; several replicas may do so
 * concurrently.
 *
 * @param client sends several statements in one query, as `pg` does
 * @throws {BerbixStoreError} (as a rejection) of {@link creationFailure}
 */
export async function migrateTable(client: PostgresClient, table: string): Promise<void> {
  // PostgreSQL runs the statements of one message as one transaction.
  const statements = [`SELECT pg_advisory_xact_lock(${LOCK});`, ...createStatements(table)];
  try {
    await client.query(statements.join('\n'));
  } catch (error) {
    throw creationFailure(table, error);
  }
}
