import { BerbixStoreError } from '../../errors/index.js';
import { storeFailure } from '../store-failure.js';

/** How to get a table if the user of the application may not create one. */
const WITHOUT_DDL =
  'Run "npx nestjs-berbix table migrate" as a user who may create tables, let your own migrations run the output of "npx nestjs-berbix table sql", or grant this user CREATE on the schema.';

/** SQLSTATEs of a missing privilege and of a missing schema. */
const [NO_PRIVILEGE, NO_SCHEMA] = ['42501', '3F000'];

/** The error that says what to do if a table cannot be created. */
export function creationFailure(table: string, error: unknown): BerbixStoreError {
  const failure = storeFailure('PostgreSQL', error);
  const { reason } = failure;
  if (reason === NO_PRIVILEGE) {
    return new BerbixStoreError(
      `This user may not create or change the table ${table}. ${WITHOUT_DDL}`,
      {},
      reason,
    );
  }
  const [schema, inSchema] = table.split('.');
  // Without a schema in the name, none of the search_path exists.
  if (reason !== NO_SCHEMA || inSchema === undefined) return failure;
  return new BerbixStoreError(
    `The schema ${schema} does not exist. Create it first: CREATE SCHEMA "${schema}"`,
    {},
    reason,
  );
}
