import { BerbixConfigurationError } from '../../errors/index.js';
import { PostgresTokenStore } from '../../token-store/postgres/index.js';
import { migrateTable, tableVersion } from '../../token-store/postgres/migration.js';
import { DEFAULT_TABLE, TABLE_VERSION } from '../../token-store/postgres/table.js';
import { parseFlags, SWITCH, TEXT } from '../parse-flags.js';
import { openPostgres } from './store-connection.js';
import { readStoreTarget } from './store-target.js';

const TABLE_USAGE = `Usage: nestjs-berbix table sql [--table NAME]
       nestjs-berbix table status --postgres URL [--table NAME]
       nestjs-berbix table migrate --postgres URL [--table NAME]

The table of a PostgresTokenStore.

Actions:
  sql      write the SQL that creates the table, for a migration of your own
  status   tell the version of the table; exit with 1 if it is missing or old
  migrate  create the table, or bring it to the current version

Options:
  --postgres URL  such as postgres://user@host:5432/database; needs pg, which also
                  reads PGPASSWORD
  --table NAME    the name of the table, with an optional schema; berbix_tokens by
                  default
  --help          show this help
`;

const OPTIONS = { postgres: TEXT, table: TEXT, help: SWITCH };

/**
 * `nestjs-berbix table`: the SQL, the version or the migration of the table in PostgreSQL.
 *
 * @returns 0 on success, 1 if the table is not current or PostgreSQL fails, 2 for invalid flags
 */
export async function tableCommand([action = '--help', ...args]: string[]): Promise<number> {
  const parsed = parseFlags(action === '--help' ? [action] : args, OPTIONS);
  if ('problem' in parsed) return invalid(parsed.problem);
  const { help, postgres, table = DEFAULT_TABLE } = parsed.flags;
  if (help) return print(TABLE_USAGE);
  try {
    if (action === 'sql') {
      return postgres === undefined
        ? print(PostgresTokenStore.sql(table))
        : invalid('--postgres is only for status and migrate.');
    }
    if (action !== 'status' && action !== 'migrate') {
      return invalid('The action must be sql, status or migrate.');
    }
    return await onServer(action, postgres, table);
  } catch (error) {
    if (error instanceof BerbixConfigurationError) return invalid(error.message);
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function onServer(
  action: 'status' | 'migrate',
  postgres: string | undefined,
  table: string,
): Promise<number> {
  if (postgres === undefined) return invalid(`${action} needs --postgres.`);
  const found = readStoreTarget({ postgres, table });
  if ('problem' in found) return invalid(found.problem);
  const { client, close } = await openPostgres(postgres, table);
  try {
    const before = await tableVersion(client, table);
    // A newer table is left as it is.
    if (action === 'status' || before > TABLE_VERSION) return reportVersion(table, before);
    await migrateTable(client, table);
    return before === 0
      ? print(`Created the table ${table}, version ${TABLE_VERSION}.\n`)
      : reportVersion(table, TABLE_VERSION);
  } finally {
    await close();
  }
}

const MIGRATE = 'Run table migrate with the same options.';

function reportVersion(table: string, version: number): number {
  if (version === TABLE_VERSION) return print(`The table ${table} has version ${version}.\n`);
  process.stderr.write(
    version === 0
      ? `There is no table ${table}. ${MIGRATE}\n`
      : version < TABLE_VERSION
        ? `The table ${table} has version ${version}; this package uses ${TABLE_VERSION}. ${MIGRATE}\n`
        : `The table ${table} has version ${version}, which is newer than this package (${TABLE_VERSION}). Update nestjs-berbix.\n`,
  );
  return 1;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function invalid(problem: string): number {
  process.stderr.write(`${problem}\n\n${TABLE_USAGE}`);
  return 2;
}
