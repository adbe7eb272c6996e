import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import pg from 'pg';
import { tableCommand } from '../../lib/cli/store/table.command.js';
import { closeAfterTest } from '../support/closing.js';
import {
  POSTGRES_URL,
  describeOnPostgres,
  postgresPool,
  sharedPglite,
  uniqueTable,
} from '../support/servers.js';
import { runCommand } from './support/run-command.js';

const run = (...args: string[]) => runCommand(tableCommand, args);

describe('nestjs-berbix table', () => {
  it('writes the SQL of the table', async () => {
    const { code, stdout, stderr } = await run('sql');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(PostgresTokenStore.sql());
    expect(stdout).toContain('"berbix_tokens"');
  });

  it('writes SQL that works for a table with another name, even twice', async () => {
    const table = `public.${uniqueTable()}`;
    const { stdout } = await run('sql', '--table', table);
    const database = await sharedPglite();
    await database.exec(stdout + stdout);
    const store = new PostgresTokenStore(database, { table });
    await expect(store.commit('key', 0, 'value')).resolves.toBe(1);
  });

  it('shows its usage, even for invalid flags', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: nestjs-berbix table sql/);
    expect(await run()).toEqual(help);
    for (const [flags, message] of [
      [['sql', '--tabel', 'x'], /^Unknown option '--tabel'/],
      [['sql', '--table', 'x; DROP TABLE y'], /^table must be a name such as berbix_tokens/],
      [['sql', '--postgres', 'postgres://h/d'], /^--postgres is only for status and migrate\./],
      [['status'], /^status needs --postgres\./],
      [['migrate', '--postgres', 'h'], /^--postgres must be a URL/],
      [['drop', '--postgres', 'postgres://h/d'], /^The action must be sql, status or migrate\./],
    ] as const) {
      const wrong = await run(...flags);
      expect(wrong).toMatchObject({ code: 2, stdout: '' });
      expect(wrong.stderr).toMatch(message);
      expect(wrong.stderr).toContain(help.stdout);
    }
  });
});

describeOnPostgres('nestjs-berbix table on a server', () => {
  const pool = postgresPool();
  let table: string;
  const onServer = (action: string, url = POSTGRES_URL ?? '') =>
    run(action, '--postgres', url, '--table', table);

  beforeEach(() => {
    table = uniqueTable();
    closeAfterTest(() => pool.query(`DROP TABLE IF EXISTS "${table}"`));
  });

  it.each(['', '_EU'])('creates the table (name with %j), and prints its version', async (end) => {
    table += end;
    const missing = await onServer('status');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(
      /^There is no table .* Run table migrate with the same options\.$/m,
    );
    expect((await onServer('migrate')).stdout).toBe(`Created the table ${table}, version 1.\n`);
    const current = { code: 0, stdout: `The table ${table} has version 1.\n`, stderr: '' };
    expect(await onServer('migrate')).toEqual(current);
    const ended = jest.spyOn(pg.Pool.prototype, 'end');
    expect(await onServer('status')).toEqual(current);
    expect(ended).toHaveBeenCalledTimes(1);
    ended.mockRestore();
    await new PostgresTokenStore(pool, { table }).check();
  });

  it('can be run by several replicas at the same time', async () => {
    const stores = Array.from({ length: 4 }, () => new PostgresTokenStore(pool, { table }));
    await Promise.all([...stores.map((store) => store.createTable()), onServer('migrate')]);
    expect(await onServer('status')).toMatchObject({ code: 0 });
  });

  it('keeps the rows of a table that exists', async () => {
    const store = new PostgresTokenStore(pool, { table });
    await store.createTable();
    await store.commit('key', 0, 'value');
    const before = await store.load('key');
    expect(await onServer('migrate')).toMatchObject({ code: 0 });
    expect(await store.load('key')).toEqual({ ...before, now: expect.any(Number) });
  });

  it('names a schema that does not exist', async () => {
    table = `${uniqueTable()}.tokens`;
    const { code, stderr } = await onServer('migrate');
    const [schema] = table.split('.');
    const statement = `CREATE SCHEMA "${schema}"`;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `The schema ${schema} does not exist. Create it first: ${statement}\n`,
    });
    await pool.query(statement);
    closeAfterTest(() => pool.query(`DROP SCHEMA "${schema}" CASCADE`));
    expect(await onServer('migrate')).toMatchObject({ code: 0 });
  });

  it('does not change a table of a newer version', async () => {
    await onServer('migrate');
    await pool.query(`COMMENT ON TABLE ${table} IS 'nestjs-berbix table, version 17'`);
    for (const action of ['status', 'migrate']) {
      const { code, stderr } = await onServer(action);
      expect(code).toBe(1);
      expect(stderr).toMatch(/has version 17, which is newer than this package \(1\)\. Update/);
    }
  });

  it('tells users who may not create tables what to do', async () => {
    const role = `${table}_role`;
    const url = new URL(POSTGRES_URL ?? '');
    url.username = role;
    await pool.query(`CREATE ROLE ${role} LOGIN`);
    try {
      const { code, stderr } = await onServer('migrate', url.href);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^This user may not create or change .* table migrate.* table sql.* grant/,
      );
    } finally {
      await pool.query(`DROP ROLE ${role}`);
    }
  });
});
