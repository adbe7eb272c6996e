import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  parseSandboxFlags,
  SANDBOX_FLAGS,
  SANDBOX_USAGE,
  signatureOf,
} from '../../lib/cli/sandbox.flags.js';
import { type SettingFlag, SETTINGS } from '../../lib/sandbox/settings.js';
import { temporaryDirectory } from '../support/directories.js';

const ACTION_MAP = { id_expired: 'reject' };
const actionMapFile = join(temporaryDirectory(), 'actions.json');
writeFileSync(actionMapFile, JSON.stringify(ACTION_MAP));

const CA = '-----BEGIN CERTIFICATE-----\n';
const caFile = join(temporaryDirectory(), 'ca.pem');
writeFileSync(caFile, CA);

/** An argument for each flag that takes one, other than the default. */
const ARGUMENTS: Record<string, string> = {
  port: '4010',
  host: '0.0.0.0',
  'public-url': 'http://berbix:4010',
  'tls-port': '4011',
  'token-ttl': '60',
  'refresh-token': 'rotate',
  'rotation-grace': '5',
  'api-secret': 'secret_test_a',
  'live-api-secret': 'secret_live_a',
  'api-only-document': 'barcode',
  'api-only-selfie': 'basic',
  'action-map': actionMapFile,
  'retention-days': '7',
  'test-completion-limit': '3',
  'webhook-finished': 'http://localhost/finished',
  'webhook-finished-secret': 'one',
  'webhook-status': 'http://localhost/status',
  'webhook-status-secret': 'two',
  'webhook-ca': caFile,
  data: 'directory',
};

const OPTIONS = Object.entries(SETTINGS).flatMap(([path, { flag }]) =>
  flag === undefined ? [] : [[path, flag as SettingFlag] as const],
);

describe('the table of options', () => {
  it.each(OPTIONS)('has a flag that sets %s', (path, { name, sets }) => {
    const argument = ARGUMENTS[name] ?? '';
    const args = typeof sets === 'boolean' ? [`--${name}`] : [`--${name}`, argument];
    const needed = path === 'rotationGraceSeconds' ? ['--refresh-token', 'rotate'] : [];
    const run = parseSandboxFlags([...needed, ...args]);
    expect(run).toHaveProperty(['options', ...path.split('.')], valueOf(sets, argument));
  });

  it('has switches that turn something on, except one', () => {
    const switches = OPTIONS.filter(([, { sets }]) => typeof sets === 'boolean');
    expect(Object.fromEntries(switches.map(([, { name, sets }]) => [name, sets]))).toEqual({
      tls: true,
      images: true,
      'large-ids': true,
      'webhook-insecure': true,
      'no-facial-recognition': false,
    });
  });

  it('has an option for each flag, except those of the command alone', () => {
    const names = SANDBOX_FLAGS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const ofOptions = new Set(OPTIONS.map(([, { name }]) => name));
    expect(names.filter((name) => !ofOptions.has(name))).toEqual([
      'new-secrets',
      'open',
      'json',
      'quiet',
      'help',
    ]);
  });

  it('is in the usage of the command', () => {
    const help = SANDBOX_USAGE.replaceAll(/\s+/g, ' ');
    for (const flag of SANDBOX_FLAGS) expect(help).toContain(`${signatureOf(flag)} ${flag.help}`);
    for (const line of SANDBOX_USAGE.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is in docs/sandbox.md', () => {
    const text = readFileSync('docs/sandbox.md', 'utf8');
    const section = text.slice(text.indexOf('\n## Flags'), text.indexOf('\n## What it prints'));
    const rows = [...section.matchAll(/^\| `(--[^`]+)` +\| (.*?) +\|$/gm)];
    expect(rows.map(([, flag, help]) => `${flag}: ${help}`)).toEqual(
      SANDBOX_FLAGS.filter(({ name }) => name !== 'help').map(
        (flag) => `${signatureOf(flag)}: ${flag.help}`,
      ),
    );
  });
});

function valueOf(sets: SettingFlag['sets'], argument: string): unknown {
  if (typeof sets === 'boolean') return sets;
  if ('json' in sets) return ACTION_MAP;
  if ('file' in sets) return CA;
  return 'number' in sets ? Number(argument) : argument;
}
