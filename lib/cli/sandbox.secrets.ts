import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { BerbixSandboxOptions } from '../sandbox/sandbox.options.js';
import { resolveSettings } from '../sandbox/sandbox.settings.js';

/** The options that are secrets, all of them given. */
export type SandboxSecrets = Required<
  Pick<BerbixSandboxOptions, 'apiSecret' | 'liveApiSecret' | 'webhooks'>
>;

/** Secrets, and a message if they cannot be kept. */
export interface KeptSecrets {
  secrets: SandboxSecrets;
  problem?: string;
}

/** Generates new ones. */
export function newSecrets(): SandboxSecrets {
  return secretsOf({});
}

/**
 * The secrets of the sandboxes of this user, so that what was pasted into an `.env` stays right from
 * start to start. They are made once, for this user alone: a constant would be known to everybody.
 */
export function keptSecrets(path = secretsPath()): KeptSecrets {
  return readSecrets(path) ?? renewSecrets(path);
}

/** Replaces the secrets of this user. */
export function renewSecrets(path = secretsPath()): KeptSecrets {
  const secrets = newSecrets();
  try {
    if (path === undefined) throw new Error('this user has no home directory');
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Renamed once complete: another sandbox may be reading it.
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, path);
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

/** Undefined if there are none, or none that can be used. */
function readSecrets(path: string | undefined): KeptSecrets | undefined {
  if (path === undefined) return undefined;
  try {
    return { secrets: secretsOf(JSON.parse(readFileSync(path, 'utf8')) as BerbixSandboxOptions) };
  } catch {
    return undefined;
  }
}

/** Checked as options are, and made where they are missing. */
function secretsOf({ apiSecret, liveApiSecret, webhooks }: BerbixSandboxOptions): SandboxSecrets {
  const settings = resolveSettings({
    ...(apiSecret !== undefined && { apiSecret }),
    ...(liveApiSecret !== undefined && { liveApiSecret }),
    ...(webhooks !== undefined && { webhooks }),
  });
  const { finished, status } = settings.webhooks.secrets;
  return {
    apiSecret: settings.apiSecret,
    liveApiSecret: settings.liveApiSecret,
    webhooks: { finished: { secret: finished }, status: { secret: status } },
  };
}

/** Where programs keep state of a user. [XDG Base Directory Specification] */
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
