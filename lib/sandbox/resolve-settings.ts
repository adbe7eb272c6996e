import { WEBHOOK_KINDS } from '../wire/index.js';
import { checkMembers } from './option-checks.js';
import { type BerbixSandboxOptions, SandboxOptionError } from './options.js';
import {
  type OptionPath,
  type SandboxSettings,
  type Setting,
  SETTINGS,
  type SettingValue,
  type WebhookSecrets,
} from './settings.js';

/** The secrets of the last run. */
export interface StoredSecrets {
  readonly apiSecret?: string;
  readonly liveApiSecret?: string;
  readonly webhookSecrets?: WebhookSecrets;
}

/**
 * Checks the options. Missing secrets are those of the last run, other missing options have their
 * defaults.
 *
 * @throws {SandboxOptionError} for an invalid value, and for an option that does not exist
 */
export function resolveSettings(
  options: BerbixSandboxOptions = {},
  stored: StoredSecrets = {},
): SandboxSettings {
  checkNames(options);
  const { apiSecret, liveApiSecret, webhookSecrets: secrets } = stored;
  const webhooks = {
    finished: { secret: secrets?.finished },
    status: { secret: secrets?.status },
  };
  const lastRun: BerbixSandboxOptions = { apiSecret, liveApiSecret, webhooks };
  const value = <Path extends OptionPath>(path: Path): SettingValue<Path> => {
    const setting: Setting<unknown> = SETTINGS[path];
    const used = valueAt(options, path) ?? valueAt(lastRun, path) ?? defaultOf(setting);
    return (used === undefined ? undefined : setting.check(used, path)) as SettingValue<Path>;
  };
  const names = Object.keys(SETTINGS).filter((path) => !path.includes('.')) as OptionPath[];
  const webhookSettings: SandboxSettings['webhooks'] = {
    urls: { finished: value('webhooks.finished.url'), status: value('webhooks.status.url') },
    secrets: {
      finished: value('webhooks.finished.secret'),
      status: value('webhooks.status.secret'),
    },
    retryDelayMs: value('webhooks.retryDelayMs'),
    timeoutMs: value('webhooks.timeoutMs'),
    ca: value('webhooks.ca'),
    insecure: value('webhooks.insecure'),
  };
  return {
    ...Object.fromEntries(names.map((name) => [name, value(name)])),
    webhooks: webhookSettings,
  } as SandboxSettings;
}

function defaultOf({ default: value }: Setting<unknown>): unknown {
  return typeof value === 'function' ? (value as () => unknown)() : value;
}

function valueAt(options: BerbixSandboxOptions, path: OptionPath): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (value as Record<string, unknown> | undefined)?.[name],
      options,
    );
}

/** Every object of options must have known members only. */
function checkNames(options: BerbixSandboxOptions): void {
  const known = membersOf('');
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SandboxOptionError(
      unknown,
      `is not known; the options of the sandbox are ${known.join(', ')}`,
    );
  }
  const webhooks = options.webhooks ?? {};
  checkMembers('webhooks', webhooks, membersOf('webhooks.'));
  for (const kind of WEBHOOK_KINDS) {
    checkMembers(`webhooks.${kind}`, webhooks[kind] ?? {}, membersOf(`webhooks.${kind}.`));
  }
}

/** The members of an object of options, by the table of settings. */
function membersOf(prefix: string): string[] {
  const paths = Object.keys(SETTINGS).filter((path) => path.startsWith(prefix));
  return [...new Set(paths.map((path) => path.slice(prefix.length).split('.')[0] ?? ''))];
}
