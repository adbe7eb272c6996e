import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { BerbixSandboxOptions } from '../sandbox/options.js';
import { resolveSettings } from '../sandbox/resolve-settings.js';
import type { SandboxSettings } from '../sandbox/settings.js';
import type { WebhookKind } from '../wire/index.js';

/** Only the current user has access. */
const PRIVATE = 0o600;

/** All options that are secrets. */
export type SandboxSecrets = Required<
  Pick<BerbixSandboxOptions, 'apiSecret' | 'liveApiSecret' | 'webhooks'>
>;

/** Secrets, and a message if they cannot be stored, or differ from those of the last start. */
export interface KeptSecrets {
  secrets: SandboxSecrets;
  problem?: string;
}

/** Generates new secrets. */
export function newSecrets(): SandboxSecrets {
  return secretsOf(undefined).secrets;
}

/**
 * The secrets of this user's sandboxes, the same at each start, so that a pasted `.env` stays valid.
 * They are generated, since everybody would know a constant.
 */
export function keptSecrets(path = secretsPath()): KeptSecrets {
  const text = path === undefined ? undefined : read(path);
  const { secrets, replaced } = secretsOf(text);
  if (replaced.length === 0) return { secrets };
  const saved = save(path, secrets);
  if (saved.problem !== undefined || text === undefined) return saved;
  const problem = `${path} has no usable ${replaced.join(', ')}, so the sandbox has new ones. Copy the lines that it prints into your .env again.`;
  return { secrets, problem };
}

/** Replaces the secrets of this user. */
export function renewSecrets(path = secretsPath()): KeptSecrets {
  return save(path, newSecrets());
}

/** The options with these secrets, except for those that they have already. */
export function withSecrets(
  options: BerbixSandboxOptions,
  secrets: SandboxSecrets | undefined,
): BerbixSandboxOptions {
  if (secrets === undefined) return options;
  const { webhooks = {} } = options;
  return {
    ...options,
    apiSecret: options.apiSecret ?? secrets.apiSecret,
    liveApiSecret: options.liveApiSecret ?? secrets.liveApiSecret,
    webhooks: {
      ...webhooks,
      finished: { ...secrets.webhooks.finished, ...setMembers(webhooks.finished) },
      status: { ...secrets.webhooks.status, ...setMembers(webhooks.status) },
    },
  };
}

/** Without the members of flags that were not given. */
function setMembers(webhook: object | undefined): object {
  const members = Object.entries(webhook ?? {});
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** The text of the file; undefined if it cannot be read and made private. */
function read(path: string): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      // By its descriptor, since the path may lead to another file by now.
      if ((fstatSync(file).mode & 0o077) !== 0) fchmodSync(file, PRIVATE);
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function save(path: string | undefined, secrets: SandboxSecrets): KeptSecrets {
  try {
    if (path === undefined) throw new Error('this user has no home directory');
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    replace(path, `${JSON.stringify(secrets, undefined, 2)}\n`);
    return { secrets };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const where = path === undefined ? '' : ` in ${path}`;
    return {
      secrets,
      problem: `The secrets cannot be kept${where} (${code ?? message}); the next start will have new ones.`,
    };
  }
}

/** Renames a complete draft, since another sandbox may read the file. Follows no link. */
function replace(path: string, text: string): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: PRIVATE, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * Checks each secret separately, and generates the invalid and missing ones.
 *
 * @returns the secrets, and the names of the generated ones
 */
function secretsOf(text: string | undefined): { secrets: SandboxSecrets; replaced: string[] } {
  const { apiSecret, liveApiSecret, webhooks } = parse(text);
  const replaced: string[] = [];
  const settle = (name: string, given: unknown, options: BerbixSandboxOptions): SandboxSettings => {
    try {
      if (given !== undefined && given !== null) return resolveSettings(options);
    } catch {
      // It is invalid.
    }
    replaced.push(name);
    return resolveSettings();
  };
  const webhook = (kind: WebhookKind): { secret: string } => {
    const secret = webhooks?.[kind]?.secret;
    const settings = settle(`${kind} webhook secret`, secret, { webhooks: { [kind]: { secret } } });
    return { secret: settings.webhooks.secrets[kind] };
  };
  const secrets = {
    apiSecret: settle('API secret', apiSecret, { apiSecret }).apiSecret,
    liveApiSecret: settle('live API secret', liveApiSecret, { liveApiSecret }).liveApiSecret,
    webhooks: { finished: webhook('finished'), status: webhook('status') },
  };
  return { secrets, replaced };
}

/** Any part may be missing, if somebody has edited the file. */
function parse(text: string | undefined): BerbixSandboxOptions {
  try {
    return (JSON.parse(text ?? 'null') as BerbixSandboxOptions | null) ?? {};
  } catch {
    return {};
  }
}

/** The file for the state of a user. [XDG Base Directory Specification] */
function secretsPath(): string | undefined {
  const directory = stateDirectory();
  return directory && join(directory, 'nestjs-berbix', 'sandbox-secrets.json');
}

function stateDirectory(): string | undefined {
  const { XDG_STATE_HOME: stated = '', LOCALAPPDATA: local } = process.env;
  if (isAbsolute(stated)) return stated;
  if (process.platform === 'win32') return local;
  try {
    return join(homedir(), '.local', 'state');
  } catch {
    // A container may run as a user without an entry in /etc/passwd.
    return undefined;
  }
}
