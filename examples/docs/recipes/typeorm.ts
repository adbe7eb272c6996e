import type { PostgresClient } from 'nestjs-berbix/postgres';
import type { DataSource } from 'typeorm';

/** Lets a PostgresTokenStore work over the connections of TypeORM. */
export function overTypeOrm(dataSource: DataSource): PostgresClient {
  return {
    async query(text, values) {
      // `dataSource.query` gives an UPDATE another shape than a SELECT; a structured result has one.
      // 'master': never a read replica. A runner of its own: never inside somebody's transaction.
      const runner = dataSource.createQueryRunner('master');
      try {
        const { records } = await runner.query(text, values, true);
        return { rows: records ?? [] };
      } finally {
        await runner.release();
      }
    },
  };
}
