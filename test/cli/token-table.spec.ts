import { describe, expect, it } from '@jest/globals';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { tokenTableCommand } from '../../lib/cli/token-table.command.js';
import { sharedPglite, uniqueTable } from '../support/servers.js';
import { runCommand } from './run-command.support.js';

const run = (...args: string[]) => runCommand(tokenTableCommand, args);

describe('nestjs-berbix token-table', () => {
  it('writes the SQL of the table', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(PostgresTokenStore.sql());
    expect(stdout).toContain('"berbix_tokens"');
  });

  it('writes what a store can use, for a table of another name, also twice', async () => {
    const table = `public.${uniqueTable()}`;
    const { stdout } = await run('--table', table);
    const database = await sharedPglite();
    await database.exec(stdout + stdout);
    const store = new PostgresTokenStore(database, { table });
    await expect(store.commit('key', 0, 'value')).resolves.toBe(1);
  });

  it('explains itself, also where the flags are wrong', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: nestjs-berbix token-table/);
    for (const [flags, message] of [
      [['--tabel', 'x'], /^Unknown option '--tabel'/],
      [['--table', 'x; DROP TABLE y'], /^table must be a name such as berbix_tokens/],
    ] as const) {
      const wrong = await run(...flags);
      expect(wrong).toMatchObject({ code: 2, stdout: '' });
      expect(wrong.stderr).toMatch(message);
      expect(wrong.stderr).toContain(help.stdout);
    }
  });
});
