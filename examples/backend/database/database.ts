/**
 * The PostgreSQL of the backend, and the injection token for it. `query` is that of `pg` reduced to
 * the rows, so for a real server this is all there is to write:
 *
 * ```ts
 * query = async (sql, values) => (await this.pool.query(sql, values)).rows;
 * ```
 */
export abstract class Database {
  /** Where the data is, for people. */
  abstract readonly location: string;

  /** @param values for `$1`, `$2`, …; never a part of the SQL */
  abstract query<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
}
