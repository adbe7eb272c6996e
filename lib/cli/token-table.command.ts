import { BerbixConfigurationError } from '../errors/index.js';
import { PostgresTokenStore } from '../token-store/postgres/index.js';
import { parseFlags, SWITCH, TEXT } from './parse-flags.js';

const TOKEN_TABLE_USAGE = `Usage: nestjs-berbix token-table [options]

Writes the SQL that creates the table of a PostgresTokenStore, for a migration.

Options:
  --table NAME  name of the table, perhaps with a schema; berbix_tokens by default
  --help        show this help
`;

/**
 * `nestjs-berbix token-table`: the table where PostgreSQL keeps tokens.
 *
 * @returns 0 when it is written, 2 for flags that cannot be used
 */
export async function tokenTableCommand(args: string[]): Promise<number> {
  const parsed = parseFlags(args, { table: TEXT, help: SWITCH });
  if ('problem' in parsed) return refused(parsed.problem);
  const { table, help } = parsed.flags;
  try {
    process.stdout.write(help ? TOKEN_TABLE_USAGE : PostgresTokenStore.sql(table));
    return 0;
  } catch (error) {
    if (error instanceof BerbixConfigurationError) return refused(error.message);
    throw error;
  }
}

function refused(problem: string): number {
  process.stderr.write(`${problem}\n\n${TOKEN_TABLE_USAGE}`);
  return 2;
}
