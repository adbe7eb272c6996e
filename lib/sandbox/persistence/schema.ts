import type { Database } from './database.js';

/**
 * Each entry leads from one version to the next; what has been released is never changed. The column
 * `content` is `json`, not `jsonb`, which knows no `\u0000`.
 */
const MIGRATIONS = [
  `CREATE TABLE identity (
     only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
     content json NOT NULL
   );
   CREATE TABLE transactions (
     id text PRIMARY KEY,
     mode text NOT NULL,
     completed_at double precision,
     id_number text,
     content json NOT NULL
   );
   CREATE INDEX ON transactions (mode, id_number);
   CREATE INDEX ON transactions (mode, completed_at);`,
  `CREATE TABLE pending_webhooks (id text PRIMARY KEY, content json NOT NULL);`,
];

/** @throws {NewerSchemaError} for a database that a later version has written */
export async function migrate(database: Database): Promise<void> {
  await database.exec('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
  const { rows } = await database.query<{ version: number }>('SELECT version FROM schema_version');
  const version = rows[0]?.version ?? 0;
  if (version > MIGRATIONS.length) throw new NewerSchemaError();
  for (const [index, migration] of MIGRATIONS.slice(version).entries()) {
    await database.exec(
      `BEGIN; ${migration}; DELETE FROM schema_version;
       INSERT INTO schema_version VALUES (${version + index + 1}); COMMIT`,
    );
  }
}

/** The database is of a later version than this program. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}
