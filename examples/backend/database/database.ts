/** What PostgreSQL answers; of more there is no need. */
export interface Answer<Row> {
  rows: Row[];
}

/**
 * The PostgreSQL of the backend, and the injection token for it. It is asked as a `Pool` of `pg` is, so
 * that the token store of nestjs-berbix takes it too.
 */
export abstract class Database {
  /** Where the data is, for people. */
  abstract readonly location: string;

  /** @param values for `$1`, `$2`, …; never a part of the SQL */
  abstract query<Row>(sql: string, values?: unknown[]): Promise<Answer<Row>>;
}
