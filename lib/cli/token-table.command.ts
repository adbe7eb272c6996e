import { parseArgs } from 'node:util';
import { BerbixConfigurationError } from '../errors/index.js';
import { PostgresTokenStore } from '../token-store/postgres/index.js';

const TOKEN_TABLE_USAGE = `Usage: nestjs-berbix token-table [options]

Writes the SQL that makes the table of a PostgresTokenStore, for a migration.

Options:
  --table NAME  as the store has it, with a schema if need be; berbix_tokens by default
  --help        show this
`;

/**
 * `nestjs-berbix token-table`: the table where PostgreSQL keeps tokens.
 *
 * @returns 0 when it is written, 2 for flags that cannot be used
 */
export async function tokenTableCommand(args: string[]): Promise<number> {
  try {
    const { table, help } = parseArgs({
      args,
      options: { table: { type: 'string' }, help: { type: 'boolean' } },
    }).values;
    process.stdout.write(help ? TOKEN_TABLE_USAGE : PostgresTokenStore.sql(table));
    return 0;
  } catch (error) {
    // Those of parseArgs have a code, and are for people.
    if (!(error instanceof BerbixConfigurationError) && !isFlagError(error)) throw error;
    process.stderr.write(`${error.message}\n\n${TOKEN_TABLE_USAGE}`);
    return 2;
  }
}

function isFlagError(error: unknown): error is Error {
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_');
}
