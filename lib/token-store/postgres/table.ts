import { BerbixConfigurationError } from '../../errors/index.js';

/** The default name of the table. */
export const DEFAULT_TABLE = 'berbix_tokens';

/**
 * The version of the table that this package uses. A table has it in its comment, `nestjs-berbix
 * table, version 2`; the first version has no comment.
 */
export const TABLE_VERSION = 1;

/** Leaves room for the name of the index, which PostgreSQL would cut at 63 characters. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,47}$/;

/**
 * The quoted name of a table.
 *
 * @throws {BerbixConfigurationError} if it is not a plain name
 */
export function quoted(table: string): string {
  const parts = typeof table === 'string' ? table.split('.') : [];
  if (parts.length === 0 || parts.length > 2 || !parts.every((part) => NAME.test(part))) {
    throw new BerbixConfigurationError(
      'table must be a name such as berbix_tokens or app.berbix_tokens: letters, digits and _, at most 48 of them.',
    );
  }
  return parts.map((part) => `"${part}"`).join('.');
}

/**
 * The statements that create the table; running them again is harmless. The collation orders keys
 * by their bytes, so a page of them is one range of the index. The index of `remove_after` is
 * partial: expired records are found quickly, and changing any other record does not touch it.
 */
export function createStatements(table: string): string[] {
  const name = quoted(table);
  const index = `"${table.split('.').at(-1)}_remove_after"`;
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  key text COLLATE "C" PRIMARY KEY,
  version integer NOT NULL,
  lease_epoch integer NOT NULL,
  value text,
  note text,
  lease_until timestamptz,
  remove_after timestamptz
);`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${name} (remove_after) WHERE remove_after IS NOT NULL;`,
  ];
}
