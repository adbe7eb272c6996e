/** Keys per page. */
export const PAGE_SIZE = 500;

/**
 * A record without a value is removed a day after its last lease, or after it was forgotten. Not `1
 * day`, which is an hour shorter when daylight saving time begins in the session's time zone.
 */
const IN_A_DAY = `clock_timestamp() + interval '24 hours'`;

/**
 * The duration of a lease, which is passed as text: the engine of Prisma before version 7 sends the bits
 * of an integer also where PostgreSQL expects a float8, and the lease would end immediately.
 */
const FOR_THE_LEASE = `$2::text::float8 * interval '1 millisecond'`;

/**
 * One statement for each step, so that each is atomic on any connection, also behind a pooler.
 * Times use `clock_timestamp()`, since a statement may have waited for the row and `now()` is the
 * start of the transaction.
 *
 * @param table quoted
 */
export function statementsFor(table: string) {
  // `now()` does not change during a statement, so PostgreSQL can use the index; with
  // `clock_timestamp()` it would scan all of it. Locked records are in use; a later statement
  // removes them.
  const removingOld = `
    WITH old AS (
      DELETE FROM ${table} WHERE key IN (
        SELECT key FROM ${table} WHERE remove_after < now() AND key <> $1
        ORDER BY remove_after LIMIT 100 FOR UPDATE SKIP LOCKED
      )
    )`;
  const leased = `RETURNING lease_epoch, ${milliseconds('lease_until')} AS lease_until`;
  return {
    // Always one row, in the form of `load`; fails if a column is missing.
    check: `
      SELECT 0 AS version, 0 AS lease_epoch, NULL::text AS value, NULL::text AS note,
        ${milliseconds('clock_timestamp()')} AS now, NULL::float8 AS lease_until
      WHERE NOT EXISTS (
        SELECT key, version, lease_epoch, value, note, lease_until, remove_after FROM ${table}
        WHERE key IS NULL
      )`,
    // Without a subquery for the time, which would take as long to plan as all the rest.
    load: `
      SELECT version, lease_epoch, value, note, ${milliseconds('clock_timestamp()')} AS now,
        ${milliseconds('lease_until')} AS lease_until
      FROM ${table} WHERE key = $1`,
    firstLease: `${removingOld}
      INSERT INTO ${table} (key, version, lease_epoch, note, lease_until, remove_after)
      VALUES ($1, 0, 1, $3, clock_timestamp() + ${FOR_THE_LEASE}, ${IN_A_DAY})
      ON CONFLICT (key) DO NOTHING
      ${leased}`,
    lease: `
      UPDATE ${table} SET lease_epoch = lease_epoch + 1, note = $3,
        lease_until = clock_timestamp() + ${FOR_THE_LEASE},
        remove_after = CASE WHEN value IS NULL THEN ${IN_A_DAY} END
      WHERE key = $1 AND version = $4 AND lease_epoch = $5
        AND (lease_until IS NULL OR lease_until <= clock_timestamp())
      ${leased}`,
    firstCommit: `
      INSERT INTO ${table} AS record (key, version, lease_epoch, value) VALUES ($1, 1, 0, $2)
      ON CONFLICT (key) DO UPDATE SET version = 1, value = excluded.value, note = NULL,
        lease_until = NULL, remove_after = NULL
      WHERE record.version = 0
      RETURNING version`,
    commit: `
      UPDATE ${table} SET version = version + 1, value = $2, note = NULL,
        lease_until = NULL, remove_after = NULL
      WHERE key = $1 AND version = $3
      RETURNING version`,
    release: `
      UPDATE ${table} SET lease_until = NULL, note = $2
      WHERE key = $1 AND version = $3 AND lease_epoch = $4
      RETURNING key`,
    forget: `${removingOld}
      UPDATE ${table} SET version = version + 1, lease_epoch = lease_epoch + 1, value = NULL, note = NULL,
        lease_until = NULL, remove_after = ${IN_A_DAY}
      WHERE key = $1 AND version = $2 AND lease_epoch = $3
      RETURNING key`,
    compareAndSwap: `UPDATE ${table} SET value = $3 WHERE key = $1 AND value = $2 RETURNING key`,
    keys: `
      SELECT key FROM ${table}
      WHERE value IS NOT NULL AND starts_with(key, $1) AND ($2::text IS NULL OR key > $2)
      ORDER BY key LIMIT ${PAGE_SIZE}`,
  };
}

/**
 * A time in milliseconds since 1970, as a float8, which drivers return as a number. `extract` would
 * compute it as a numeric, which takes much longer.
 */
function milliseconds(time: string): string {
  return `date_part('epoch', ${time}) * 1000`;
}
