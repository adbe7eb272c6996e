import { BerbixConfigurationError } from '../errors/index.js';
import { checkFunction, checkInteger, onlyKnown } from '../options/index.js';
import type { LoadTokens } from '../records/index.js';
import type { BerbixTokens } from '../values/index.js';

/** A refresh token by which the API has replaced another one. */
export interface BerbixRotatedTokens {
  readonly tokens: BerbixTokens;
  /** The superseded refresh token. */
  readonly previousRefreshToken: string;
  /** Undefined if it is not known. */
  readonly customerUid: string | undefined;
}

/** Where tokens come from and how they are kept fresh. */
export interface BerbixTokenOptions {
  /**
   * Called when the store has nothing for a transaction or customer, or its refresh token is dead.
   * Return a refresh token, or tokens, from your own table; undefined if there are none. It may take
   * two thirds of `totalTimeoutMs`. Callers share the answer, so it does not run in the async context
   * of any of them.
   */
  loadTokens?: LoadTokens | undefined;

  /**
   * Called when the API has replaced a refresh token, before anyone gets the new tokens. Use it if
   * you keep refresh tokens in your own table. It may be called twice for the same token. If it
   * fails, or takes more than two thirds of `totalTimeoutMs`, nobody gets the tokens until a later
   * call succeeds. It does not run in the async context of any caller.
   */
  onRotation?: ((rotated: BerbixRotatedTokens) => Promise<void> | void) | undefined;

  /** How tokens are kept fresh. The defaults suit the API as it is documented. */
  freshness?: BerbixFreshnessOptions | undefined;
}

/** How tokens are kept fresh. */
export interface BerbixFreshnessOptions {
  /**
   * Whether an exchange replaces the refresh token.
   *
   * - `none`: it does not. This is how Berbix is documented.
   * - `strict`: it does, and the previous token is dead immediately.
   * - `{ graceMs }`: it does, and the previous token stays valid for `graceMs` milliseconds, which
   *   must be more than `leaseMs` and `totalTimeoutMs` together.
   *
   * A replaced token is detected and saved in any case. This option decides what happens after a
   * crash during an exchange. With `strict`, such a crash may lose the transaction: callers are
   * told to retry within `leaseMs`, and after that, that it is lost.
   * @default 'none'
   */
  rotation?: 'none' | 'strict' | { graceMs: number } | undefined;

  /**
   * Milliseconds that a lease lasts. While a replica makes an exchange, or begins or forgets the
   * verification of a customer, its lease keeps the others from doing the same. It must be longer
   * than an exchange (`totalTimeoutMs`) and the longest pause of a process. Change it by at most a
   * factor of two per deployment, also if the change comes from `totalTimeoutMs`: a replica ends a
   * lease that is more than twice as long as its own.
   * @default totalTimeoutMs + 15000
   */
  leaseMs?: number | undefined;

  /**
   * Maximum number of cached transactions per process. Lookups by customer and lookups by
   * transaction each have a cache of this size.
   * @default 10000
   */
  cacheSize?: number | undefined;
}

/** The options, validated and with defaults. */
export interface FreshnessSettings {
  rotation: 'none' | 'strict' | { graceMs: number };
  leaseMs: number;
  cacheSize: number;
  /** Milliseconds for a call and an exchange. */
  totalTimeoutMs: number;
  /** Milliseconds for a hook; less than `totalTimeoutMs`, so that the error can name the hook. */
  hookTimeoutMs: number;
  /** Maximum number of concurrent exchanges. */
  connections: number;
}

/** The share of `totalTimeoutMs` that a hook may take. */
const HOOK_SHARE = 2 / 3;

/** Milliseconds of a lease for saving after the exchange, and for pauses of the process. */
const LEASE_RESERVE_MS = 15_000;

/**
 * Validates the options and fills in the defaults.
 *
 * @param limits of the HTTP client
 * @throws {BerbixConfigurationError} that names the option and says what to do
 */
export function freshnessSettings(
  options: BerbixFreshnessOptions = {},
  limits: Pick<FreshnessSettings, 'totalTimeoutMs' | 'connections'>,
): FreshnessSettings {
  onlyKnown<BerbixFreshnessOptions>('freshness', options, {
    rotation: true,
    leaseMs: true,
    cacheSize: true,
  });
  const { totalTimeoutMs } = limits;
  const settings = {
    rotation: checkRotation(options.rotation),
    leaseMs: checkLease(options.leaseMs, totalTimeoutMs),
  };
  checkGrace(settings, totalTimeoutMs);
  return {
    ...limits,
    ...settings,
    hookTimeoutMs: Math.ceil(totalTimeoutMs * HOOK_SHARE),
    cacheSize: checkInteger('freshness.cacheSize', options.cacheSize, 10_000, 1, Infinity),
  };
}

/** @throws {BerbixConfigurationError} if a hook is not a function */
export function checkHooks(hooks: Pick<BerbixTokenOptions, 'loadTokens' | 'onRotation'>): void {
  for (const name of ['loadTokens', 'onRotation'] as const) checkFunction(name, hooks[name]);
}

function checkRotation(
  value: BerbixFreshnessOptions['rotation'] = 'none',
): FreshnessSettings['rotation'] {
  if (value === 'none' || value === 'strict') return value;
  if (typeof value === 'object' && value !== null) {
    onlyKnown<{ graceMs: number }>('freshness.rotation', value, { graceMs: true });
    return {
      graceMs: checkInteger('freshness.rotation.graceMs', value.graceMs, undefined, 1, Infinity),
    };
  }
  throw new BerbixConfigurationError(
    "freshness.rotation must be 'none', 'strict' or { graceMs: milliseconds }.",
  );
}

/**
 * After a crash, the exchange is repeated when the lease has ended, and must still end within the
 * grace.
 */
function checkGrace(
  { rotation, leaseMs }: Pick<FreshnessSettings, 'rotation' | 'leaseMs'>,
  totalTimeoutMs: number,
): void {
  if (typeof rotation !== 'object' || rotation.graceMs > leaseMs + totalTimeoutMs) return;
  throw new BerbixConfigurationError(
    `freshness.rotation.graceMs (${rotation.graceMs}) must be more than leaseMs (${leaseMs}) and totalTimeoutMs (${totalTimeoutMs}) together, or the exchange of a replica that died cannot be made again within it. Lower freshness.leaseMs and totalTimeoutMs, or set rotation to 'strict'.`,
  );
}

function checkLease(value: unknown, totalTimeoutMs: number): number {
  const ms = checkInteger('freshness.leaseMs', value, totalTimeoutMs + LEASE_RESERVE_MS);
  if (ms > totalTimeoutMs) return ms;
  throw new BerbixConfigurationError(
    'freshness.leaseMs must be more than totalTimeoutMs, or two replicas may make the same exchange.',
  );
}
