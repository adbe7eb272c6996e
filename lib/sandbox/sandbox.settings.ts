import { isIP } from 'node:net';
import { API_SECRET_PREFIXES, TOKEN_LIFETIME_SECONDS } from '../wire/index.js';
import { SandboxOptionError } from './errors/sandbox-option.error.js';
import { isPastable, PASTABLE_CHARACTERS } from './pastable.js';
import { randomAlphanumerics } from './random.js';
import type {
  ApiOnlyDocument,
  ApiOnlySelfie,
  BerbixSandboxOptions,
  RefreshTokenMode,
} from './sandbox.options.js';
import { LOOPBACK } from './server/host-names.js';
import { DEFAULT_ACTION_MAP, isFlag } from './transactions/default-action-map.js';
import {
  resolveWebhooks,
  type WebhookSecrets,
  type WebhookSettings,
} from './webhooks/webhook.settings.js';

/** The options with every value checked and every default filled in. */
export type SandboxSettings = Readonly<
  Required<Omit<BerbixSandboxOptions, 'dataDir' | 'publicUrl' | 'webhooks'>>
> & {
  readonly dataDir: string | undefined;
  readonly publicUrl: string | undefined;
  readonly webhooks: WebhookSettings;
};

/** The secrets of the run before. */
export interface KeptSecrets {
  readonly apiSecret?: string;
  readonly liveApiSecret?: string;
  readonly webhookSecrets?: WebhookSecrets;
}

/** Injection token of {@link SandboxSettings}. */
export const SANDBOX_SETTINGS = Symbol.for('nestjs-berbix:sandbox-settings');

const REFRESH_TOKEN_MODES: readonly RefreshTokenMode[] = ['omit', 'echo', 'rotate'];
const DOCUMENTS: readonly ApiOnlyDocument[] = ['photo', 'barcode', 'barcode-or-photo'];
const SELFIES: readonly ApiOnlySelfie[] = ['none', 'basic', 'liveness'];
const HIGHEST_PORT = 65_535;
/** Ten years: far more than anybody needs, and far from what a `Date` cannot hold. */
const MOST_SECONDS = 315_360_000;
const MOST_DAYS = MOST_SECONDS / 86_400;

/**
 * Checks the options and fills in what is missing, first of all with what was kept.
 *
 * @throws {SandboxOptionError} for a value that cannot be used and for an option that does not exist
 */
export function resolveSettings(
  options: BerbixSandboxOptions = {},
  kept: KeptSecrets = {},
): SandboxSettings {
  const settings: SandboxSettings = {
    port: wholeNumber(options, 'port', 0, 0, HIGHEST_PORT),
    host: host(options),
    publicUrl: publicUrl(options),
    tls: flag(options, 'tls'),
    tlsPort: wholeNumber(options, 'tlsPort', 0, 0, HIGHEST_PORT),
    tokenTtlSeconds: wholeNumber(
      options,
      'tokenTtlSeconds',
      TOKEN_LIFETIME_SECONDS,
      1,
      MOST_SECONDS,
    ),
    refreshToken: oneOf(options, 'refreshToken', REFRESH_TOKEN_MODES),
    rotationGraceSeconds: wholeNumber(options, 'rotationGraceSeconds', 0, 0, MOST_SECONDS),
    apiSecret: secret(options, kept, 'apiSecret', API_SECRET_PREFIXES.test),
    liveApiSecret: secret(options, kept, 'liveApiSecret', API_SECRET_PREFIXES.live),
    largeIds: flag(options, 'largeIds'),
    apiOnlyDocument: oneOf(options, 'apiOnlyDocument', DOCUMENTS),
    apiOnlySelfie: oneOf(options, 'apiOnlySelfie', SELFIES),
    facialRecognition: flag(options, 'facialRecognition', true),
    images: flag(options, 'images'),
    actionMap: actionMap(options),
    retentionDays: wholeNumber(options, 'retentionDays', 30, 1, MOST_DAYS),
    testCompletionLimit: testCompletionLimit(options),
    dataDir: dataDir(options),
    webhooks: resolveWebhooks(options.webhooks, kept.webhookSecrets),
  };
  refuseUnknown(options, settings);
  refuseIdleGrace(settings);
  return settings;
}

function wholeNumber(
  options: BerbixSandboxOptions,
  name:
    | 'port'
    | 'tlsPort'
    | 'tokenTtlSeconds'
    | 'rotationGraceSeconds'
    | 'retentionDays'
    | 'testCompletionLimit',
  fallback: number,
  least: number,
  most: number,
): number {
  const value = options[name] ?? fallback;
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new SandboxOptionError(name, `must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function flag(
  options: BerbixSandboxOptions,
  name: 'tls' | 'largeIds' | 'facialRecognition' | 'images',
  fallback = false,
): boolean {
  const value: unknown = options[name] ?? fallback;
  if (typeof value !== 'boolean') throw new SandboxOptionError(name, 'must be true or false');
  return value;
}

/** One of the values; the first is the default. */
function oneOf<Value extends string>(
  options: BerbixSandboxOptions,
  name: 'refreshToken' | 'apiOnlyDocument' | 'apiOnlySelfie',
  values: readonly Value[],
): Value {
  const value = values.find((candidate) => candidate === (options[name] ?? values[0]));
  if (value !== undefined) return value;
  const quoted = values.map((candidate) => `'${candidate}'`);
  throw new SandboxOptionError(
    name,
    `must be ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
  );
}

function actionMap(options: BerbixSandboxOptions): Readonly<Record<string, string>> {
  const map: unknown = options.actionMap ?? DEFAULT_ACTION_MAP;
  if (!isActionMap(map)) {
    throw new SandboxOptionError(
      'actionMap',
      "must be an object of flags and actions, such as { id_expired: 'reject' }",
    );
  }
  return { ...map };
}

function isActionMap(map: unknown): map is Record<string, string> {
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return false;
  return Object.entries(map).every(
    ([name, action]) => isFlag(name) && typeof action === 'string' && action !== '',
  );
}

function testCompletionLimit(options: BerbixSandboxOptions): number {
  if ((options.testCompletionLimit ?? Infinity) === Infinity) return Infinity;
  return wholeNumber(options, 'testCompletionLimit', 0, 1, Number.MAX_SAFE_INTEGER);
}

function host({ host: value = LOOPBACK }: BerbixSandboxOptions): string {
  if (typeof value === 'string' && isIP(value) !== 0) return value;
  throw new SandboxOptionError('host', 'must be an IP address, such as 0.0.0.0 in a container');
}

/** Without a path: the pages of the sandbox link to each other from the root. */
function publicUrl({ publicUrl: value }: BerbixSandboxOptions): string | undefined {
  if (value === undefined) return undefined;
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isOrigin = url && `${url.origin}/` === url.href && /^https?:$/.test(url.protocol);
  // URLs may have other characters in a host name; DNS names of servers do not.
  if (isOrigin && /^[\w.-]+$|^\[[\da-f:]+\]$/.test(url.hostname)) return url.origin;
  throw new SandboxOptionError(
    'publicUrl',
    'must be a URL of http or https without a path, such as http://berbix:4010',
  );
}

function dataDir({ dataDir: value }: BerbixSandboxOptions): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new SandboxOptionError('dataDir', 'must be the path of a directory');
}

/** The value is not part of the message: somebody may have passed a real secret. */
function secret(
  options: BerbixSandboxOptions,
  kept: KeptSecrets,
  name: 'apiSecret' | 'liveApiSecret',
  prefix: string,
): string {
  const value: unknown = options[name] ?? kept[name] ?? prefix + randomAlphanumerics();
  if (isPastable(value) && value.startsWith(prefix)) return value;
  throw new SandboxOptionError(
    name,
    `must begin with ${prefix} and consist of ${PASTABLE_CHARACTERS}`,
  );
}

/** A test of what happens in the grace would show nothing. */
function refuseIdleGrace({ refreshToken, rotationGraceSeconds }: SandboxSettings): void {
  if (rotationGraceSeconds > 0 && refreshToken !== 'rotate') {
    throw new SandboxOptionError(
      'rotationGraceSeconds',
      "needs the refresh token mode 'rotate': in the others no token is replaced",
    );
  }
}

function refuseUnknown(options: BerbixSandboxOptions, settings: SandboxSettings): void {
  const unknown = Object.keys(options).find((name) => !(name in settings));
  if (unknown !== undefined) {
    const known = Object.keys(settings).join(', ');
    throw new SandboxOptionError(unknown, `is not an option of the sandbox; it has ${known}`);
  }
}
