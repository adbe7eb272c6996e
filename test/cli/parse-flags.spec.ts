import { describe, expect, it } from '@jest/globals';
import { openapiCommand } from '../../lib/cli/openapi.command.js';
import { parseFlags, SWITCH, TEXT } from '../../lib/cli/parse-flags.js';
import { reEncryptCommand } from '../../lib/cli/re-encrypt.command.js';
import { refreshCommand } from '../../lib/cli/refresh.command.js';
import { sandboxCommand } from '../../lib/cli/sandbox.command.js';
import { storeCommand } from '../../lib/cli/store/store.command.js';
import { tableCommand } from '../../lib/cli/store/table.command.js';
import { runCommand } from './support/run-command.js';

const OPTIONS = { table: TEXT, json: SWITCH };

describe('the flags of a command', () => {
  it('are parsed', () => {
    expect(parseFlags(['--json', '--table', 't'], OPTIONS)).toEqual({
      flags: { json: true, table: 't' },
    });
    expect(parseFlags([], OPTIONS)).toEqual({ flags: {} });
  });

  it.each<[string[], RegExp]>([
    [['--tabel', 't'], /^Unknown option '--tabel'\.$/],
    [['--tabel=HIDDENWORD'], /^Unknown option '--tabel'\.$/],
    [['-T'], /^Unknown option '-T'\.$/],
    [['--table'], /^Option '--table <value>' argument missing\.$/],
    [
      ['--table', '--json'],
      /^Option '--table' argument is ambiguous\. Write a value that begins with a dash as --table=<value>\.$/,
    ],
    [['--json=HIDDENWORD'], /^Option '--json' does not take an argument\.$/],
    [['HIDDENWORD'], /^Unexpected argument\. .*follow its flag\.$/],
    [['--json', 'HIDDEN. WORD'], /^Unexpected argument/],
    [['--table:postgres://u:HIDDENWORD@h/d'], /^There is an unknown option/],
    [['--json', '--HIDDEN_WORD'], /^There is an unknown option/],
    [['--HIDDEN1'], /^There is an unknown option/],
  ])('are refused with a sentence that quotes nothing: %j', (args, problem) => {
    const parsed = parseFlags(args, OPTIONS);
    expect(parsed).toEqual({ problem: expect.stringMatching(problem) });
    expect(JSON.stringify(parsed)).not.toContain('HIDDEN');
  });

  it.each([
    ['openapi', openapiCommand, []],
    ['re-encrypt', reEncryptCommand, []],
    ['refresh', refreshCommand, []],
    ['sandbox', sandboxCommand, []],
    ['store', storeCommand, ['stats']],
    ['table', tableCommand, ['sql']],
  ])('are refused the same way by %s', async (name, command, action) => {
    for (const secret of ['rt_HIDDENWORD', 'host=h password=HIDDENWORD', 'new:HIDDENWORD=']) {
      const { code, stdout, stderr } = await runCommand(command, [...action, secret]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^Unexpected argument/);
      expect(stderr).toMatch(new RegExp(`\\n(Usage:|See npx) nestjs-berbix ${name}`));
      expect(stderr).not.toContain('HIDDENWORD');
    }
  });
});
