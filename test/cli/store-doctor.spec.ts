import { beforeEach, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { storeCommand } from '../../lib/cli/store/store.command.js';
import { temporaryDirectory } from '../support/directories.js';
import {
  describeEachOn,
  describeOnPostgres,
  describeOnRedis,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  startRedis,
  uniquePrefix,
  uniqueTable,
} from '../support/servers.js';
import { runCommand } from './support/run-command.js';

const run = (args: string[]) => runCommand(storeCommand, args);

const SERVERS = [
  {
    name: 'PostgreSQL',
    open: async (): Promise<string[]> => {
      const { table } = await makeTable(postgresPool());
      return ['--postgres', POSTGRES_URL ?? '', '--table', table];
    },
  },
  {
    name: 'Redis',
    open: async (): Promise<string[]> => ['--redis', REDIS_URL ?? '', '--prefix', uniquePrefix()],
  },
];

describeEachOn(SERVERS)('nestjs-berbix store doctor, on $name', ({ open }) => {
  let args: string[];
  beforeEach(async () => {
    args = await open();
  });

  it('finds nothing wrong with a healthy server', async () => {
    const { stdout } = await run(['doctor', ...args]);
    const problems = stdout.match(/^(error|warning).*$/gm) ?? [];
    // The Redis of a development machine may not write to disk.
    expect(problems.filter((line) => !line.includes('appendonly'))).toEqual([]);
    expect(stdout).toMatch(/^ok +The store answers as an application expects\.$/m);
  });

  it.each([
    [3_600_000, /by 3[56]\d\d s\. Sync/],
    [-3_600_000, /by 3[56]\d\d s\. Sync/],
    [9_000, /by [5-9]\d? s\. Sync/],
  ])('finds a clock that differs by %d ms', async (ms, difference) => {
    const { now } = Date;
    const time = jest.spyOn(Date, 'now').mockImplementation(() => now.call(Date) + ms);
    try {
      const { stdout } = await run(['doctor', ...args]);
      expect(stdout).toMatch(/^warning +The clock of the server differs from the local one/m);
      expect(stdout).toMatch(difference);
    } finally {
      time.mockRestore();
    }
  });
});

describeOnPostgres('nestjs-berbix store doctor --postgres', () => {
  const table = uniqueTable();
  const role = `${table}_role`;
  const pool = postgresPool();

  const doctor = async (options = '', url = POSTGRES_URL ?? ''): Promise<string> => {
    const target = new URL(url);
    if (options !== '') target.searchParams.set('options', options);
    const { stdout } = await run(['doctor', '--postgres', target.href, '--table', table]);
    return stdout;
  };

  beforeEach(() => makeTable(pool, table));

  it.each([
    ['-c default_transaction_isolation=serializable', /^error +Under serializable,/m],
    ['-c default_transaction_isolation=repeatable\\ read', /^warning +Under repeatable read,/m],
    ['-c synchronous_commit=off', /^error +synchronous_commit is off:/m],
  ])('finds the setting %s', async (options, finding) => {
    expect(await doctor(options)).toMatch(finding);
  });

  // The server of the tests is not ours to configure.
  it.each<[string, object, RegExp, RegExp]>([
    [
      'does not wait for its disk',
      { fsync: 'off' },
      /^error +fsync is off: .* Set it to on for the server\.$/m,
      /^ok +fsync is on\.$/m,
    ],
    [
      'is a standby',
      { standby: true },
      /^error +This server is a standby, .* Use the address of the primary\.$/m,
      /^ok +This server is a primary\.$/m,
    ],
    [
      'is too old',
      { version: 100_023 },
      /^error +PostgreSQL is older than 11\. Upgrade it\.$/m,
      /^ok +PostgreSQL \d\d\.$/m,
    ],
  ])('finds a server that %s', async (_what, setting, problem, otherwise) => {
    const { query } = pg.Pool.prototype;
    const answer = jest.spyOn(pg.Pool.prototype, 'query').mockImplementation(async function (
      this: pg.Pool,
      ...args: unknown[]
    ) {
      const result = (await (query as Function).apply(this, args)) as pg.QueryResult;
      for (const row of result.rows) if ('fsync' in row) Object.assign(row, setting);
      return result;
    } as never);
    try {
      expect(await doctor()).toMatch(problem);
    } finally {
      answer.mockRestore();
    }
    expect(await doctor()).toMatch(otherwise);
  });

  it('finds a missing table and a missing privilege', async () => {
    await pool.query(`CREATE ROLE ${role} LOGIN`);
    await pool.query(`GRANT SELECT, INSERT ON ${table} TO ${role}`);
    const url = new URL(POSTGRES_URL ?? '');
    url.username = role;
    try {
      expect(await doctor('', url.href)).toMatch(
        /^error +This user may not UPDATE, DELETE\. Run: GRANT UPDATE, DELETE ON "/m,
      );
    } finally {
      await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
    await pool.query(`DROP TABLE ${table}`);
    expect(await doctor()).toMatch(/^error +The table .* is missing/m);
  });
});

describeOnRedis('nestjs-berbix store doctor --redis', () => {
  it('finds a server that evicts records and does not write to disk', async () => {
    const url = await startRedis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    const { code, stdout } = await run(['doctor', '--redis', url ?? '']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^error +maxmemory-policy is allkeys-lru:/m);
    expect(stdout).toMatch(/^error +appendonly is no:/m);
  });

  it('finds a server that may lose the last second', async () => {
    const flags = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
    const url = await startRedis(...flags, '--dir', temporaryDirectory());
    const { code, stdout } = await run(['doctor', '--redis', url ?? '']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning +appendonly is yes, and appendfsync is everysec:/m);
  });

  it('finds nothing wrong with one that waits for its disk, and prints JSON on request', async () => {
    const flags = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const url = await startRedis(...flags, '--dir', temporaryDirectory());
    const { code, stdout } = await run(['doctor', '--redis', url ?? '', '--json']);
    expect(code).toBe(0);
    const findings = stdout.trimEnd().split('\n');
    expect(findings.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(
      findings.map(() => 'ok'),
    );
    expect(findings).toContain(
      '{"level":"ok","what":"appendonly is yes, and appendfsync is always: pass durable: true."}',
    );
  });

  const unknown = 'cannot be read. Allow the user to run INFO, or ask your host.';

  it.each([
    ['redis_version:5.0.14\r\n', 'error', 'Redis is older than 6. Upgrade it.'],
    ['redis_version:6.0.0\r\n', 'ok', 'Redis 6.0.'],
    ['redis_version:10.1.0\r\n', 'ok', 'Redis 10.1.'],
    ['role:master\r\n', 'ok', 'This server is a primary.'],
    ['', 'warning', `The version of Redis ${unknown}`],
    ['', 'warning', `The role of this server ${unknown}`],
  ])('judges a server that says %j', async (answer, level, finding) => {
    const url = await startRedis();
    // The client itself passes a callback.
    const info = jest.spyOn(Redis.prototype, 'info').mockImplementation(async (...args) => {
      const callback: unknown = args.at(-1);
      if (typeof callback === 'function') callback(null, answer);
      return answer;
    });
    try {
      const { stdout } = await run(['doctor', '--redis', url ?? '']);
      expect(stdout).toContain(`${level.padEnd(8)}${finding}\n`);
    } finally {
      info.mockRestore();
    }
  });

  it('says which settings it may not read', async () => {
    const url = await startRedis('--rename-command', 'CONFIG', '');
    const { stdout } = await run(['doctor', '--redis', url ?? '']);
    expect(stdout).toMatch(/^warning +maxmemory-policy cannot be read\./m);
  });

  it('finds a replica', async () => {
    const primary = new URL((await startRedis()) ?? '');
    const url = await startRedis('--replicaof', '127.0.0.1', primary.port);
    const { code, stdout } = await run(['doctor', '--redis', url ?? '']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^error +This server is a replica,/m);
  });
});
