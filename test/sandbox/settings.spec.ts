import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  parseSandboxFlags,
  SANDBOX_FLAGS,
  SANDBOX_USAGE,
  signatureOf,
} from '../../lib/cli/sandbox.flags.js';
import type { BerbixSandboxOptions } from '../../lib/sandbox/options.js';
import { resolveSettings } from '../../lib/sandbox/resolve-settings.js';
import { type SettingFlag, SETTINGS } from '../../lib/sandbox/settings.js';
import { temporaryDirectory } from '../support/directories.js';

const ACTION_MAP = { id_expired: 'reject' };
const actionMapFile = join(temporaryDirectory(), 'actions.json');
writeFileSync(actionMapFile, JSON.stringify(ACTION_MAP));

const nullFile = join(temporaryDirectory(), 'null.json');
writeFileSync(nullFile, 'null');

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

  it('has no actions if the file of the action map has none, rather than the default', () => {
    const run = parseSandboxFlags(['--action-map', nullFile]);
    expect(run).toHaveProperty('options.actionMap', {});
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

describe('the options', () => {
  it('have the secrets of the last run, unless others are given', () => {
    const stored = {
      apiSecret: 'secret_test_a',
      liveApiSecret: 'secret_live_b',
      webhookSecrets: { finished: 'whs_c', status: 'whs_d' },
    };
    const own = { liveApiSecret: 'secret_live_own', webhooks: { status: { secret: 'whs_own' } } };
    expect(resolveSettings(own, stored)).toMatchObject({
      apiSecret: 'secret_test_a',
      liveApiSecret: 'secret_live_own',
      webhooks: { secrets: { finished: 'whs_c', status: 'whs_own' } },
    });
  });

  it('have the defaults that are documented', () => {
    const { apiSecret, liveApiSecret, webhooks, ...settings } = resolveSettings();
    expect(settings).toEqual({
      port: 0,
      host: '127.0.0.1',
      publicUrl: undefined,
      tls: false,
      tlsPort: 0,
      tokenTtlSeconds: 3600,
      refreshToken: 'omit',
      rotationGraceSeconds: 0,
      largeIds: false,
      apiOnlyDocument: 'photo',
      apiOnlySelfie: 'none',
      facialRecognition: true,
      images: false,
      actionMap: {
        id_blocked: 'reject',
        id_blocked_possible: 'reject',
        id_photocopy_detected: 'reject',
        id_under_18: 'reject',
      },
      retentionDays: 30,
      testCompletionLimit: Infinity,
      dataDir: undefined,
    });
    expect(apiSecret).toMatch(/^secret_test_\w{32}$/);
    expect(liveApiSecret).toMatch(/^secret_live_\w{32}$/);
    const secret = expect.stringMatching(/^whs_test_\w{32}$/);
    expect(webhooks).toEqual({
      urls: { finished: undefined, status: undefined },
      secrets: { finished: secret, status: secret },
      retryDelayMs: 1000,
      timeoutMs: 10_000,
      ca: undefined,
      insecure: false,
    });
  });

  const HIGHEST: BerbixSandboxOptions[] = [
    { port: 65_535 },
    { tlsPort: 65_535 },
    { tokenTtlSeconds: 315_360_000 },
    { rotationGraceSeconds: 315_360_000, refreshToken: 'rotate' },
    { retentionDays: 3650 },
    { testCompletionLimit: Number.MAX_SAFE_INTEGER },
    { webhooks: { retryDelayMs: 3_600_000 } },
    { webhooks: { timeoutMs: 3_600_000 } },
  ];

  it.each(HIGHEST)('may be as high as %j, and no higher', (options) => {
    expect(resolveSettings(options)).toMatchObject(options);
    const higher = JSON.parse(
      JSON.stringify(options).replaceAll(/\d+/g, (digits) => `${Number(digits) + 1}`),
    ) as BerbixSandboxOptions;
    expect(() => resolveSettings(higher)).toThrow('must be a whole number from');
  });

  it('have a public URL without a slash at the end', () => {
    expect(resolveSettings({ publicUrl: 'http://berbix:4010/' }).publicUrl).toBe(
      'http://berbix:4010',
    );
  });
});

function valueOf(sets: SettingFlag['sets'], argument: string): unknown {
  if (typeof sets === 'boolean') return sets;
  if ('json' in sets) return ACTION_MAP;
  if ('file' in sets) return CA;
  return 'number' in sets ? Number(argument) : argument;
}
