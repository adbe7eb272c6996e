import { isBerbixError } from '../../errors/index.js';
import type { PostgresClient } from '../../token-store/postgres/index.js';
import { quoted } from '../../token-store/postgres/table.js';
import type { OpenedStore, RedisConnection } from './store-connection.js';

/** The result of one check. */
interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly what: string;
  /** What to do. */
  readonly advice?: string;
}

/** Milliseconds by which the clock of the server may differ from the local one without a warning. */
const CLOCK_SKEW_MS = 5_000;

/**
 * `store doctor`: checks the server for settings that lose tokens or make calls fail.
 *
 * @returns 0 without errors, warnings aside; else 1
 */
export async function checkStore(opened: OpenedStore, json: boolean): Promise<number> {
  const findings = [
    ...(opened.kind === 'postgres'
      ? await checkPostgres(opened.client, opened.table)
      : await checkRedis(opened.client)),
    await checkAnswers(opened),
  ];
  const lines = findings.map((finding) =>
    json
      ? JSON.stringify(finding)
      : `${finding.level.padEnd(8)}${[finding.what, finding.advice].filter(Boolean).join(' ')}`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
  return findings.some(({ level }) => level === 'error') ? 1 : 0;
}

/** The check that an application makes when it starts. */
async function checkAnswers({ store }: OpenedStore): Promise<Finding> {
  try {
    await store.check?.();
    return ok('The store answers as an application expects.');
  } catch (thrown) {
    if (!isBerbixError(thrown)) throw thrown;
    return { level: 'error', what: thrown.message };
  }
}

const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

async function checkPostgres(client: PostgresClient, name: string): Promise<Finding[]> {
  const table = quoted(name);
  const { rows } = await client.query(`
    SELECT current_setting('server_version_num')::integer AS version,
      pg_is_in_recovery() AS standby,
      current_setting('default_transaction_isolation') AS isolation,
      current_setting('fsync') AS fsync,
      current_setting('synchronous_commit') AS synchronous_commit,
      to_regclass('${table}') IS NOT NULL AS exists,
      (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`);
  const found = rows[0] as {
    version: number;
    standby: boolean;
    isolation: string;
    fsync: string;
    synchronous_commit: string;
    exists: boolean;
    now: number;
  };
  return [
    found.version >= 110_000
      ? ok(`PostgreSQL ${Math.floor(found.version / 10_000)}.`)
      : error('PostgreSQL is older than 11.', 'Upgrade it.'),
    found.standby
      ? error('This server is a standby, which takes no writes.', 'Use the address of the primary.')
      : ok('This server is a primary.'),
    isolationFinding(found.isolation),
    found.fsync === 'off'
      ? error(
          'fsync is off: a crash of the server loses confirmed refresh tokens.',
          'Set it to on for the server.',
        )
      : ok('fsync is on.'),
    found.synchronous_commit === 'off'
      ? error(
          'synchronous_commit is off: a crash of the server loses confirmed refresh tokens.',
          'Set it to on for the role of the application.',
        )
      : ok(`synchronous_commit is ${found.synchronous_commit}.`),
    clockFinding(found.now),
    ...(found.exists ? [await privilegesFinding(client, table)] : []),
  ];
}

function isolationFinding(isolation: string): Finding {
  if (isolation === 'read committed') return ok('The isolation level is read committed.');
  const advice = 'Set default_transaction_isolation to read committed for the role.';
  return isolation === 'serializable'
    ? error('Under serializable, steps on different records make each other fail.', advice)
    : { level: 'warning', what: `Under ${isolation}, steps are repeated more often.`, advice };
}

async function privilegesFinding(client: PostgresClient, table: string): Promise<Finding> {
  const { rows } = await client.query(
    `SELECT privilege FROM unnest($1::text[]) AS privilege
     WHERE NOT has_table_privilege('${table}', privilege)`,
    [PRIVILEGES],
  );
  const missing = (rows as { privilege: string }[]).map(({ privilege }) => privilege).join(', ');
  return missing === ''
    ? ok(`This user may ${PRIVILEGES.join(', ')}.`)
    : error(`This user may not ${missing}.`, `Run: GRANT ${missing} ON ${table} TO the user.`);
}

async function checkRedis(client: RedisConnection): Promise<Finding[]> {
  const [seconds, microseconds] = (await client.time()) as unknown as [string, string];
  const info = await client.info().catch(() => '');
  const version = /^redis_version:(\d+)\.(\d+)/m.exec(info);
  const role = /^role:(\w+)/m.exec(info)?.[1];
  return [
    version === null
      ? unknown('The version of Redis', 'INFO')
      : Number(version[1]) >= 6
        ? ok(`Redis ${version[1]}.${version[2]}.`)
        : error('Redis is older than 6.', 'Upgrade it.'),
    role === 'slave'
      ? error('This server is a replica, which takes no writes.', 'Use the address of the primary.')
      : role === undefined
        ? unknown('The role of this server', 'INFO')
        : ok('This server is a primary.'),
    ...(await settingFindings(client)),
    clockFinding(Number(seconds) * 1_000 + Number(microseconds) / 1_000),
  ];
}

async function settingFindings(client: RedisConnection): Promise<Finding[]> {
  const read = async (name: string): Promise<string | undefined> => {
    const answer = await client.config('GET', name).catch(() => []);
    return (answer as string[])[1];
  };
  const [policy, append, sync] = await Promise.all(
    ['maxmemory-policy', 'appendonly', 'appendfsync'].map(read),
  );
  const evicts = 'an evicted record is a lost refresh token.';
  return [
    policy === undefined
      ? unknown('maxmemory-policy', 'CONFIG GET')
      : policy === 'noeviction'
        ? ok('maxmemory-policy is noeviction.')
        : error(`maxmemory-policy is ${policy}: ${evicts}`, 'Set it to noeviction.'),
    append === undefined
      ? unknown('appendonly', 'CONFIG GET')
      : append === 'no'
        ? error(
            'appendonly is no: a crash loses the refresh tokens since the last snapshot.',
            'Set it to yes.',
          )
        : sync === 'always'
          ? ok('appendonly is yes, and appendfsync is always: pass durable: true.')
          : {
              level: 'warning',
              what: `appendonly is yes, and appendfsync is ${sync}: a crash may lose the last second.`,
              advice: 'Set appendfsync to always, or do not pass durable: true.',
            },
  ];
}

/** Times in records are the server's, so a difference does no harm by itself. */
function clockFinding(now: number): Finding {
  const skewMs = Math.abs(now - Date.now());
  if (skewMs < CLOCK_SKEW_MS) return ok('The clock of the server agrees with the local one.');
  return {
    level: 'warning',
    what: `The clock of the server differs from the local one by ${Math.round(skewMs / 1_000)} s.`,
    advice: 'Synchronize both with NTP.',
  };
}

function ok(what: string): Finding {
  return { level: 'ok', what };
}

function error(what: string, advice: string): Finding {
  return { level: 'error', what, advice };
}

function unknown(what: string, command: string): Finding {
  return {
    level: 'warning',
    what: `${what} cannot be read.`,
    advice: `Allow the user to run ${command}, or ask your host.`,
  };
}
