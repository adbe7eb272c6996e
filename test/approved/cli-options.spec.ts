import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { SANDBOX_FLAGS } from '../../lib/cli/sandbox.flags.js';
import type { BerbixSandboxOptions } from '../../lib/sandbox/options.js';
import { resolveSettings } from '../../lib/sandbox/resolve-settings.js';
import { SETTINGS } from '../../lib/sandbox/settings.js';
import { temporaryDirectory } from '../support/directories.js';
import { expectApproved } from './support/approved.js';
import { Terminal } from './support/terminal.js';

/** A value of each kind, at the edges of what options allow. */
const VALUES: readonly unknown[] = [
  [-1, 0, 1, 1.5, 3650, 3651, 65_535, 65_536, 3_600_000, 3_600_001],
  [315_360_000, 315_360_001, Number.MAX_SAFE_INTEGER, 2 ** 53, Infinity, Number.NaN],
  [true, false, {}, [], '', '1', 'true', 'two words', 'word', 'a_B.c~d+e/f=g-0', 'a:b'],
  ['secret_test_', 'secret_test_a', 'secret_live_a', 'secret_test_a,b', 'Secret_test_a'],
  ['omit', 'echo', 'rotate', 'photo', 'barcode', 'barcode-or-photo', 'none', 'basic'],
  ['liveness', '127.0.0.1', '0.0.0.0', '::1', '[::1]', '127.0.0', 'localhost', 'http://a'],
  ['http://a/', 'https://a:1', 'http://a/b', 'http://u@a', 'http://:p@a', 'ftp://a', 'http://'],
  ['http://[::1]:1', 'http://a_b', 'http://a!', 'HTTP://A', 'http://a?b', 'http://a#b'],
  ['-----BEGIN CERTIFICATE-----', '----BEGIN', { id_expired: 'reject' }, { id_2: 'x', a: 'y' }],
  [{ ID: 'x' }, { 'a-b': 'x' }, { a: '' }, { a: 1 }, { a: 'x', b: null }, ['x']],
].flat();

/** `{ webhooks: { finished: { url } } }` */
function nested(path: string, value: unknown): object {
  return path
    .split('.')
    .reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

/** The value of an option after the checks, which another option may need to pass. */
function settingOf(path: string, value: unknown): unknown {
  const settings = resolveSettings(nested(path, value));
  const place = path.replace(/^webhooks\.(finished|status)\.(url|secret)$/, 'webhooks.$2s.$1');
  return place.split('.').reduce<unknown>((object, name) => Object(object)[name], settings);
}

function problemOf(resolve: () => unknown): string | undefined {
  try {
    resolve();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'none');
}

/** Its default, the accepted values, and why the others are refused. */
function describeOption(path: string): string {
  const refused = new Map<string, string[]>();
  const accepted = VALUES.flatMap((value) => {
    const problem = problemOf(() => settingOf(path, value));
    if (problem === undefined) {
      const [given, used] = [shown(value), shown(settingOf(path, value))];
      return [given === used ? given : `${given}, used as ${used}`];
    }
    refused.set(problem, [...(refused.get(problem) ?? []), shown(value)]);
    return [];
  });
  const [usual, ...others] = refused;
  const standard = shown(settingOf(path, undefined)).replace(/\w{32}(?="$)/, '{random}');
  return [
    `${path}: ${standard} by default`,
    ...accepted.map((value) => `  takes ${value}`),
    ...others.map(([problem, values]) => `  refuses ${values.join(', ')}: ${problem}`),
    `  refuses all others: ${usual?.[0]}`,
    '',
  ].join('\n');
}

describe('the options of the sandbox', () => {
  it('accept the right values', () => {
    const parts = Object.keys(SETTINGS).map(describeOption);
    expectApproved('cli/sandbox-options.txt', parts.join('\n'));
  });

  it('have the right names', () => {
    const wrong: object[] = [
      [{ prot: 1 }, { port: 1, webhooks: { urls: [] } }, { webhooks: 1 }, { webhooks: [] }],
      [{ webhooks: { finished: { uri: 'http://a' } } }, { webhooks: { status: { kind: 1 } } }],
      [{ webhooks: { status: 'http://a' } }, { webhooks: { finished: [] } }],
    ].flat();
    const lines = wrong.map((options) => {
      const problem = problemOf(() => resolveSettings(options as BerbixSandboxOptions));
      return `${JSON.stringify(options)}\n  ${problem}\n`;
    });
    expectApproved('cli/sandbox-option-names.txt', lines.join('\n'));
  });

  it('are explained by the command', async () => {
    const directory = temporaryDirectory();
    const [list, noJson] = [join(directory, 'list.json'), join(directory, 'no.json')];
    writeFileSync(list, '[]');
    writeFileSync(noJson, '{');
    const terminal = new Terminal().name('directory', directory);
    await terminal.run(['sandbox', '--help']);
    for (const { name, sets } of SANDBOX_FLAGS) {
      if (typeof sets === 'boolean') continue;
      // Any other text is the path of a directory.
      const text = name === 'data' ? '' : 'no value';
      const values = 'json' in sets || 'file' in sets ? [list, noJson, '/nowhere'] : [text];
      for (const value of values) await terminal.run(['sandbox', `--${name}`, value]);
    }
    await terminal.run(['sandbox', '--port', '']);
    await terminal.run(['sandbox', '--port', '1e3']);
    await terminal.run(['sandbox', '--tls=true']);
    await terminal.run(['sandbox', '--prot', '1']);
    await terminal.run(['sandbox', 'start']);
    await terminal.run(['sandbox', '--port']);
    expectApproved('cli/sandbox-flags.txt', terminal.text);
  });
});
