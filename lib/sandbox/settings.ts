import { randomInt } from 'node:crypto';
import {
  API_SECRET_PREFIXES,
  DEFAULT_ACTION_MAP,
  TOKEN_LIFETIME_SECONDS,
  type WebhookKind,
} from '../wire/index.js';
import {
  actions,
  certificates,
  type Check,
  directory,
  ipAddress,
  limit,
  oneOf,
  origin,
  secret,
  trueOrFalse,
  webhookUrl,
  wholeNumber,
} from './option-checks.js';
import type {
  ApiOnlyDocument,
  ApiOnlySelfie,
  BerbixSandboxOptions,
  RefreshTokenMode,
  SandboxWebhooksOptions,
  WebhookOptions,
} from './options.js';

/** The name of an option, or its path if it is inside of `webhooks`. */
export type OptionPath =
  | Exclude<keyof BerbixSandboxOptions, 'webhooks'>
  | `webhooks.${Exclude<keyof SandboxWebhooksOptions, WebhookKind>}`
  | `webhooks.${WebhookKind}.${keyof WebhookOptions}`;

type OptionValue<Path extends OptionPath> = NonNullable<
  Path extends keyof BerbixSandboxOptions
    ? BerbixSandboxOptions[Path]
    : Path extends `webhooks.${WebhookKind}.${infer Name extends keyof WebhookOptions}`
      ? WebhookOptions[Name]
      : Path extends `webhooks.${infer Name extends keyof SandboxWebhooksOptions}`
        ? SandboxWebhooksOptions[Name]
        : never
>;

/** An option: its check, its default, and its flag on the command line. */
export interface Setting<Value> {
  readonly check: Check<Value>;
  /** A function makes a new value at each start. */
  readonly default: Value | undefined | (() => Value);
  /** Undefined if the option is only for programs. */
  readonly flag: SettingFlag | undefined;
}

/** A flag of `nestjs-berbix sandbox`. */
export interface SettingFlag {
  /** Without its dashes. */
  readonly name: string;
  /** Completes the line of the flag in the help and in docs/sandbox.md. */
  readonly help: string;
  /** The value that the flag sets, or the name of its argument and how to read it. */
  readonly sets:
    | boolean
    | { readonly text: string }
    | { readonly number: string }
    | { readonly json: string }
    | { readonly file: string };
}

/** The highest port. */
const MAX_PORT = 65_535;
/** Ten years, which a `Date` can always add. */
const MAX_SECONDS = 315_360_000;
const MAX_DAYS = MAX_SECONDS / 86_400;
/** A timer can wait for it. */
const HOUR_MS = 3_600_000;
/** Prefix of the secret in a test of the Go SDK. [sdk: go 0cf9881 berbix_test.go] */
const WEBHOOK_SECRET_PREFIX = 'whs_test_';

const ALPHANUMERICS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 32 characters, as after the prefix of real secrets. [3p: observed] */
function randomAlphanumerics(): string {
  return Array.from({ length: 32 }, () => ALPHANUMERICS[randomInt(ALPHANUMERICS.length)]).join('');
}

/**
 * All options. The checks, the flags of the command line, its help and the table in docs/sandbox.md
 * come from here; an option without an entry does not compile.
 */
export const SETTINGS = {
  port: {
    check: wholeNumber(0, MAX_PORT),
    default: 0,
    flag: { name: 'port', sets: { number: 'N' }, help: 'port for HTTP; a free one by default' },
  },
  host: {
    check: ipAddress,
    default: '127.0.0.1',
    flag: {
      name: 'host',
      sets: { text: 'ADDRESS' },
      help: 'IP address to listen on; 127.0.0.1 by default. Any other address opens the sandbox to the network: 0.0.0.0 is for a container whose ports are published to 127.0.0.1 only',
    },
  },
  publicUrl: {
    check: origin,
    default: undefined,
    flag: {
      name: 'public-url',
      sets: { text: 'URL' },
      help: 'URL by which others reach it, such as http://berbix:4010 from another container; used in links and in the output',
    },
  },
  tls: {
    check: trueOrFalse,
    default: false,
    flag: { name: 'tls', sets: true, help: 'listen for HTTPS too; needs @peculiar/x509' },
  },
  tlsPort: {
    check: wholeNumber(0, MAX_PORT),
    default: 0,
    flag: {
      name: 'tls-port',
      sets: { number: 'N' },
      help: 'port for HTTPS; a free one by default',
    },
  },
  tokenTtlSeconds: {
    check: wholeNumber(1, MAX_SECONDS),
    default: TOKEN_LIFETIME_SECONDS,
    flag: {
      name: 'token-ttl',
      sets: { number: 'SECONDS' },
      help: `lifetime of access and client tokens; ${TOKEN_LIFETIME_SECONDS} by default`,
    },
  },
  refreshToken: {
    check: oneOf<RefreshTokenMode>('omit', 'echo', 'rotate'),
    default: 'omit',
    flag: {
      name: 'refresh-token',
      sets: { text: 'MODE' },
      help: 'what an exchange does with the refresh token: omit it (the default, as Berbix documents), echo it, or rotate it',
    },
  },
  rotationGraceSeconds: {
    check: wholeNumber(0, MAX_SECONDS),
    default: 0,
    flag: {
      name: 'rotation-grace',
      sets: { number: 'SECONDS' },
      help: 'how long a rotated refresh token still works; 0 by default',
    },
  },
  apiSecret: {
    check: secret(API_SECRET_PREFIXES.test),
    default: () => API_SECRET_PREFIXES.test + randomAlphanumerics(),
    flag: { name: 'api-secret', sets: { text: 'SECRET' }, help: 'API secret of test mode' },
  },
  liveApiSecret: {
    check: secret(API_SECRET_PREFIXES.live),
    default: () => API_SECRET_PREFIXES.live + randomAlphanumerics(),
    flag: { name: 'live-api-secret', sets: { text: 'SECRET' }, help: 'API secret of live mode' },
  },
  largeIds: {
    check: trueOrFalse,
    default: false,
    flag: {
      name: 'large-ids',
      sets: true,
      help: 'ids above 2^53, which JavaScript numbers cannot hold',
    },
  },
  apiOnlyDocument: {
    check: oneOf<ApiOnlyDocument>('photo', 'barcode', 'barcode-or-photo'),
    default: 'photo',
    flag: {
      name: 'api-only-document',
      sets: { text: 'KIND' },
      help: 'document that API-only transactions ask for: photo (the default), barcode or barcode-or-photo',
    },
  },
  apiOnlySelfie: {
    check: oneOf<ApiOnlySelfie>('none', 'basic', 'liveness'),
    default: 'none',
    flag: {
      name: 'api-only-selfie',
      sets: { text: 'KIND' },
      help: 'selfie that API-only transactions ask for: none (the default), basic or liveness',
    },
  },
  facialRecognition: {
    check: trueOrFalse,
    default: true,
    flag: {
      name: 'no-facial-recognition',
      sets: false,
      help: 'refuse consents_to_automated_facial_recognition, as Berbix does unless an account asks for it',
    },
  },
  images: {
    check: trueOrFalse,
    default: false,
    flag: { name: 'images', sets: true, help: 'links to placeholder images in results' },
  },
  actionMap: {
    check: actions,
    default: DEFAULT_ACTION_MAP,
    flag: {
      name: 'action-map',
      sets: { json: 'FILE' },
      help: 'JSON file with an action for each flag, such as {"id_expired": "reject"}',
    },
  },
  retentionDays: {
    check: wholeNumber(1, MAX_DAYS),
    default: 30,
    flag: {
      name: 'retention-days',
      sets: { number: 'DAYS' },
      help: 'when transactions are purged; 30 by default',
    },
  },
  testCompletionLimit: {
    check: limit(1),
    default: Infinity,
    flag: {
      name: 'test-completion-limit',
      sets: { number: 'N' },
      help: 'refuse to create test transactions once N were completed within four hours; no limit by default',
    },
  },
  'webhooks.finished.url': {
    check: webhookUrl,
    default: undefined,
    flag: {
      name: 'webhook-finished',
      sets: { text: 'URL' },
      help: 'where to send the webhook for a finished verification',
    },
  },
  'webhooks.finished.secret': {
    check: secret(),
    default: () => WEBHOOK_SECRET_PREFIX + randomAlphanumerics(),
    flag: {
      name: 'webhook-finished-secret',
      sets: { text: 'SECRET' },
      help: 'secret that signs the finished webhook',
    },
  },
  'webhooks.status.url': {
    check: webhookUrl,
    default: undefined,
    flag: {
      name: 'webhook-status',
      sets: { text: 'URL' },
      help: 'where to send the webhook for a determined action',
    },
  },
  'webhooks.status.secret': {
    check: secret(),
    default: () => WEBHOOK_SECRET_PREFIX + randomAlphanumerics(),
    flag: {
      name: 'webhook-status-secret',
      sets: { text: 'SECRET' },
      help: 'secret that signs the status webhook',
    },
  },
  'webhooks.retryDelayMs': { check: wholeNumber(1, HOUR_MS), default: 1000, flag: undefined },
  'webhooks.timeoutMs': { check: wholeNumber(1, HOUR_MS), default: 10_000, flag: undefined },
  'webhooks.ca': {
    check: certificates,
    default: undefined,
    flag: {
      name: 'webhook-ca',
      sets: { file: 'FILE' },
      help: 'PEM file of CA certificates to trust for https: URLs of webhooks, in addition to the default ones',
    },
  },
  'webhooks.insecure': {
    check: trueOrFalse,
    default: false,
    flag: {
      name: 'webhook-insecure',
      sets: true,
      help: 'send webhooks to https: URLs without checking the certificate; anyone on the network path can then read and change them',
    },
  },
  dataDir: {
    check: directory,
    default: undefined,
    flag: {
      name: 'data',
      sets: { text: 'DIR' },
      help: 'keep transactions, pending webhooks and secrets in this directory for the next run; needs @electric-sql/pglite',
    },
  },
} satisfies { readonly [Path in OptionPath]: Setting<OptionValue<Path>> };

/** What an option becomes: its checked value, or `undefined` if it has no default. */
export type SettingValue<Path extends OptionPath> =
  | ReturnType<(typeof SETTINGS)[Path]['check']>
  | Extract<(typeof SETTINGS)[Path]['default'], undefined>;

/** The secret of each webhook. */
export type WebhookSecrets = Readonly<Record<WebhookKind, string>>;

/** The checked options of the webhooks, with their defaults. */
export interface WebhookSettings {
  readonly urls: Readonly<Partial<Record<WebhookKind, string>>>;
  readonly secrets: WebhookSecrets;
  readonly retryDelayMs: number;
  readonly timeoutMs: number;
  readonly ca: string | undefined;
  readonly insecure: boolean;
}

/** The checked options, with their defaults. */
export type SandboxSettings = {
  readonly [Path in Extract<OptionPath, keyof BerbixSandboxOptions>]: SettingValue<Path>;
} & { readonly webhooks: WebhookSettings };

/** Injection token of {@link SandboxSettings}. */
export const SANDBOX_SETTINGS = Symbol.for('nestjs-berbix:sandbox-settings');
