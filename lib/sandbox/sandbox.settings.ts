import { randomInt } from 'node:crypto';
import { API_SECRET_PREFIXES, TOKEN_LIFETIME_SECONDS } from '../wire/index.js';
import { SandboxOptionError } from './errors/sandbox-option.error.js';
import type { BerbixSandboxOptions, RefreshTokenMode } from './sandbox.options.js';

/** The options with every value checked and every default filled in. */
export type SandboxSettings = Readonly<Required<BerbixSandboxOptions>>;

/** Injection token of {@link SandboxSettings}. */
export const SANDBOX_SETTINGS = Symbol.for('nestjs-berbix:sandbox-settings');

const REFRESH_TOKEN_MODES: ReadonlySet<RefreshTokenMode> = new Set(['omit', 'echo', 'rotate']);
const HIGHEST_PORT = 65_535;
/** Ten years: far more than anybody needs, and far from what a `Date` cannot hold. */
const MOST_SECONDS = 315_360_000;
const ALPHANUMERICS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Checks the options and fills in what is missing.
 *
 * @throws {SandboxOptionError} for a value that cannot be used and for an option that does not exist
 */
export function resolveSettings(options: BerbixSandboxOptions = {}): SandboxSettings {
  const settings: SandboxSettings = {
    port: wholeNumber(options, 'port', 0, 0, HIGHEST_PORT),
    tls: flag(options, 'tls'),
    tlsPort: wholeNumber(options, 'tlsPort', 0, 0, HIGHEST_PORT),
    tokenTtlSeconds: wholeNumber(
      options,
      'tokenTtlSeconds',
      TOKEN_LIFETIME_SECONDS,
      1,
      MOST_SECONDS,
    ),
    refreshToken: refreshTokenMode(options.refreshToken),
    rotationGraceSeconds: wholeNumber(options, 'rotationGraceSeconds', 0, 0, MOST_SECONDS),
    apiSecret: secret(options, 'apiSecret', API_SECRET_PREFIXES.test),
    liveApiSecret: secret(options, 'liveApiSecret', API_SECRET_PREFIXES.live),
    largeIds: flag(options, 'largeIds'),
  };
  refuseUnknown(options, settings);
  return settings;
}

function wholeNumber(
  options: BerbixSandboxOptions,
  name: 'port' | 'tlsPort' | 'tokenTtlSeconds' | 'rotationGraceSeconds',
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

function flag(options: BerbixSandboxOptions, name: 'tls' | 'largeIds'): boolean {
  const value: unknown = options[name] ?? false;
  if (typeof value !== 'boolean') throw new SandboxOptionError(name, 'must be true or false');
  return value;
}

function refreshTokenMode(value: RefreshTokenMode = 'omit'): RefreshTokenMode {
  if (!REFRESH_TOKEN_MODES.has(value)) {
    throw new SandboxOptionError('refreshToken', "must be 'omit', 'echo' or 'rotate'");
  }
  return value;
}

/** The value is not part of the message: somebody may have passed a real secret. */
function secret(
  options: BerbixSandboxOptions,
  name: 'apiSecret' | 'liveApiSecret',
  prefix: string,
): string {
  const value: unknown = options[name] ?? prefix + randomAlphanumerics();
  // A colon would end the user part of Basic authentication, and a header holds visible ASCII only.
  if (typeof value !== 'string' || !value.startsWith(prefix) || !/^[!-9;-~]+$/.test(value)) {
    throw new SandboxOptionError(
      name,
      `must begin with ${prefix} and have no spaces, colons or letters beyond ASCII`,
    );
  }
  return value;
}

/** 32 of them, as behind the prefix of real secrets. [3p: observed] */
function randomAlphanumerics(): string {
  return Array.from({ length: 32 }, () => ALPHANUMERICS[randomInt(ALPHANUMERICS.length)]).join('');
}

function refuseUnknown(options: BerbixSandboxOptions, settings: SandboxSettings): void {
  const unknown = Object.keys(options).find((name) => !(name in settings));
  if (unknown !== undefined) {
    const known = Object.keys(settings).join(', ');
    throw new SandboxOptionError(unknown, `is not an option of the sandbox; it has ${known}`);
  }
}
