/** The part of a query result that the backend needs. */
export interface QueryResult<Row> {
  rows: Row[];
}

/**
 * The PostgreSQL database of the backend, and its injection token. Queries have the form of those
 * of a `Pool` of `pg`, so the token store of nestjs-berbix can use it too.
 */
export abstract class Database {
  /** Where the data is, for the output of the demo. */
  abstract readonly location: string;

  /** @param values for `$1`, `$2`, …; never a part of the SQL */
  abstract query<Row>(sql: string, values?: unknown[]): Promise<QueryResult<Row>>;
}
