import { readFileSync } from 'node:fs';
import { SandboxOptionError } from '../sandbox/errors/sandbox-option.error.js';
import type {
  ApiOnlyDocument,
  ApiOnlySelfie,
  BerbixSandboxOptions,
  RefreshTokenMode,
} from '../sandbox/sandbox.options.js';
import { resolveSettings } from '../sandbox/sandbox.settings.js';
import type { SandboxWebhooksOptions } from '../sandbox/webhooks/webhook.options.js';
import { parseFlags, SWITCH, TEXT, type FlagValues } from './parse-flags.js';

/** What `nestjs-berbix sandbox --help` shows. */
export const SANDBOX_USAGE = `Usage: nestjs-berbix sandbox [options]

Starts a local Berbix, and prints how to reach it.

Options:
  --port N                 port for HTTP; a free one by default
  --host ADDRESS           IP address to listen on; 127.0.0.1 by default. Any other
                           address opens the sandbox to the network: 0.0.0.0 is for a
                           container whose ports are published to 127.0.0.1 only
  --public-url URL         URL by which others reach it, such as http://berbix:4010
                           from another container; used in links and in the output
  --tls                    listen for HTTPS too; needs @peculiar/x509
  --tls-port N             port for HTTPS; a free one by default
  --token-ttl SECONDS      lifetime of access and client tokens; 3600 by default
  --refresh-token MODE     what an exchange does with the refresh token:
                           omit (the default), echo or rotate
  --rotation-grace SECONDS how long a rotated refresh token still works; 0 by default
  --api-secret SECRET      API secret of test mode
  --live-api-secret SECRET API secret of live mode
  --new-secrets            replace the secrets, which are generated once for each
                           user and kept from start to start
  --large-ids              ids above 2^53, which JavaScript numbers cannot hold
  --api-only-document KIND document that API-only transactions ask for: photo (the
                           default), barcode or barcode-or-photo
  --api-only-selfie KIND   selfie that they ask for: none (the default), basic or
                           liveness
  --no-facial-recognition  refuse consents_to_automated_facial_recognition, as Berbix
                           does unless an account asks for it
  --images                 links to placeholder images in results
  --action-map FILE        JSON file with an action for each flag, such as
                           {"id_expired": "reject"}
  --retention-days DAYS    when transactions are purged; 30 by default
  --test-completion-limit N
                           refuse to create test transactions once N were completed
                           within four hours; no limit by default
  --webhook-finished URL   where to send the webhook for a finished verification
  --webhook-finished-secret SECRET
                           secret that signs it
  --webhook-status URL     where to send the webhook for a determined action
  --webhook-status-secret SECRET
                           secret that signs it
  --data DIR               keep transactions and secrets in this directory for the
                           next run; needs @electric-sql/pglite
  --json                   print one line of JSON when ready, instead of text
  --quiet                  do not print requests and failed webhooks, which get one
                           line each on standard error otherwise
  --help                   show this help
`;

/** What to do. */
export interface SandboxRun {
  options: BerbixSandboxOptions;
  json: boolean;
  quiet: boolean;
  newSecrets: boolean;
}

/** Help, or what is wrong with the flags, or what to do. */
export type SandboxFlags = { help: true } | { problem: string } | SandboxRun;

const FLAGS: Record<string, string> = {
  port: '--port',
  host: '--host',
  publicUrl: '--public-url',
  tlsPort: '--tls-port',
  tokenTtlSeconds: '--token-ttl',
  refreshToken: '--refresh-token',
  rotationGraceSeconds: '--rotation-grace',
  apiSecret: '--api-secret',
  liveApiSecret: '--live-api-secret',
  largeIds: '--large-ids',
  apiOnlyDocument: '--api-only-document',
  apiOnlySelfie: '--api-only-selfie',
  facialRecognition: '--no-facial-recognition',
  images: '--images',
  actionMap: '--action-map',
  retentionDays: '--retention-days',
  testCompletionLimit: '--test-completion-limit',
  dataDir: '--data',
  'webhooks.finished.url': '--webhook-finished',
  'webhooks.finished.secret': '--webhook-finished-secret',
  'webhooks.status.url': '--webhook-status',
  'webhooks.status.secret': '--webhook-status-secret',
};

/** The flag for an option of the sandbox. */
export function flagOf(option: string): string {
  return FLAGS[option] ?? option;
}

const OPTIONS = {
  port: TEXT,
  host: TEXT,
  'public-url': TEXT,
  tls: SWITCH,
  'tls-port': TEXT,
  'token-ttl': TEXT,
  'refresh-token': TEXT,
  'rotation-grace': TEXT,
  'api-secret': TEXT,
  'live-api-secret': TEXT,
  'large-ids': SWITCH,
  'api-only-document': TEXT,
  'api-only-selfie': TEXT,
  'no-facial-recognition': SWITCH,
  images: SWITCH,
  'action-map': TEXT,
  'retention-days': TEXT,
  'test-completion-limit': TEXT,
  data: TEXT,
  'webhook-finished': TEXT,
  'webhook-finished-secret': TEXT,
  'webhook-status': TEXT,
  'webhook-status-secret': TEXT,
  'new-secrets': SWITCH,
  json: SWITCH,
  quiet: SWITCH,
  help: SWITCH,
};

type Flags = FlagValues<typeof OPTIONS>;

/** Reads the flags and checks their values. */
export function parseSandboxFlags(args: string[]): SandboxFlags {
  const parsed = parseFlags(args, OPTIONS);
  if ('problem' in parsed) return parsed;
  const { flags } = parsed;
  if (flags.help) return { help: true };
  try {
    const options = optionsOf(flags);
    resolveSettings(options);
    const { json = false, quiet = false, 'new-secrets': renew = false } = flags;
    return { options, json, quiet, newSecrets: renew };
  } catch (error) {
    if (!(error instanceof SandboxOptionError)) throw error;
    return { problem: `${flagOf(error.option)} ${error.problem}.` };
  }
}

/** What was not given stays undefined, and gets its default where all callers get theirs. */
function optionsOf(flags: Flags): BerbixSandboxOptions {
  return {
    port: numberOf(flags.port),
    host: flags.host,
    publicUrl: flags['public-url'],
    tls: flags.tls,
    tlsPort: numberOf(flags['tls-port']),
    tokenTtlSeconds: numberOf(flags['token-ttl']),
    refreshToken: flags['refresh-token'] as RefreshTokenMode | undefined,
    rotationGraceSeconds: numberOf(flags['rotation-grace']),
    apiSecret: flags['api-secret'],
    liveApiSecret: flags['live-api-secret'],
    largeIds: flags['large-ids'],
    apiOnlyDocument: flags['api-only-document'] as ApiOnlyDocument | undefined,
    apiOnlySelfie: flags['api-only-selfie'] as ApiOnlySelfie | undefined,
    facialRecognition: flags['no-facial-recognition'] ? false : undefined,
    images: flags.images,
    actionMap: actionMapOf(flags['action-map']),
    retentionDays: numberOf(flags['retention-days']),
    testCompletionLimit: numberOf(flags['test-completion-limit']),
    dataDir: flags.data,
    webhooks: webhooksOf(flags),
  };
}

function webhooksOf(flags: Flags): SandboxWebhooksOptions | undefined {
  if (!Object.keys(flags).some((name) => name.startsWith('webhook-'))) return undefined;
  return {
    finished: { url: flags['webhook-finished'], secret: flags['webhook-finished-secret'] },
    status: { url: flags['webhook-status'], secret: flags['webhook-status-secret'] },
  };
}

/** What is in it is checked with all other options. */
function actionMapOf(file: string | undefined): BerbixSandboxOptions['actionMap'] {
  if (file === undefined) return undefined;
  try {
    // `null` would count as not given.
    return (JSON.parse(readFileSync(file, 'utf8')) as BerbixSandboxOptions['actionMap']) ?? {};
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'it is not JSON';
    throw new SandboxOptionError('actionMap', `is ${file}, which cannot be read (${reason})`);
  }
}

/** `Number('')` would be 0. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : NaN;
}
