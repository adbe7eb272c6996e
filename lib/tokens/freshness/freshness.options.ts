import { BerbixConfigurationError } from '../../errors/index.js';
import { checkInteger, onlyKnown } from '../../http/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';

/** Whose tokens: those of a transaction, or of a customer's current transaction. */
export type TransactionRef = { transactionId: string } | { customerUid: string };

/** A refresh token that the API has put in place of another. */
export interface RotatedTokens {
  readonly tokens: BerbixTokens;
  /** The refresh token that is no good any more. */
  readonly previousRefreshToken: string;
  /** Where it is known. */
  readonly customerUid: string | undefined;
}

/** Where tokens come from and how they are kept fresh. */
export interface BerbixTokenOptions {
  /**
   * Asked when the store knows nothing of a transaction or customer: a refresh token, or tokens, from a table of your own;
   * undefined when there is none. It runs in the async context of no caller, since callers share what
   * it answers.
   */
  loadTokens?: ((owner: TransactionRef) => Promise<BerbixTokens | string | undefined>) | undefined;

  /**
   * Called when the API has replaced a refresh token, before anyone gets the new tokens: for those who keep
   * refresh tokens in a table of their own. It may come twice for the same token; where it fails,
   * nobody gets the tokens until it was called again and succeeded. It runs in the async context of no
   * caller.
   */
  onRotation?: ((rotated: RotatedTokens) => Promise<void> | void) | undefined;

  /** The fine print. */
  freshness?: BerbixFreshnessOptions | undefined;
}

/** How tokens are kept fresh. */
export interface BerbixFreshnessOptions {
  /**
   * What the API does with refresh tokens. Berbix is documented as leaving them as they are: `none`.
   * `strict`: an exchange replaces it, and the one before is dead immediately. `{ graceMs }`: the one
   * before stays good for so many milliseconds. A replaced token is noticed and kept in any case;
   * this decides what is done after a crash in the middle of an exchange. With `strict`, such a crash may
   * lose the transaction: callers are told to come back within `leaseMs`, and then that it is lost.
   * `graceMs` must be more than `leaseMs` and `totalTimeoutMs` together.
   * @default 'none'
   */
  rotation?: 'none' | 'strict' | { graceMs: number } | undefined;

  /**
   * Milliseconds for which a replica that makes an exchange, or begins or forgets the verification of
   * a customer, keeps the others from doing so too; longer than an exchange (`totalTimeoutMs`) and
   * the longest pause of a process. Change it by at most a factor of two per deployment, also where
   * `totalTimeoutMs` changes it: a lease of more than twice this time is ended.
   * @default totalTimeoutMs + 15000
   */
  leaseMs?: number | undefined;

  /**
   * How many transactions are kept in the memory of a process; as many again where they are asked
   * for by customer and by transaction.
   * @default 10000
   */
  cacheSize?: number | undefined;
}

/** The same, checked and complete. */
export interface FreshnessSettings {
  rotation: 'none' | 'strict' | { graceMs: number };
  leaseMs: number;
  cacheSize: number;
  /** Milliseconds for a call and an exchange. */
  totalTimeoutMs: number;
  /** Milliseconds for a function of the application: less, so that its callers learn what was too slow. */
  hookTimeoutMs: number;
  /** Exchanges at once. */
  connections: number;
}

const HOOK_SHARE = 2 / 3;

/** Time for what comes after an exchange, and for a process that is held up. */
const LEASE_RESERVE_MS = 15_000;

/**
 * Checks the options and fills in the defaults.
 *
 * @param limits of the HTTP client
 * @throws {BerbixConfigurationError} that names the option and says what to do
 */
export function freshnessSettings(
  options: BerbixFreshnessOptions = {},
  limits: Pick<FreshnessSettings, 'totalTimeoutMs' | 'connections'>,
): FreshnessSettings {
  onlyKnown('freshness', options, [
    'rotation',
    'leaseMs',
    'cacheSize',
  ] satisfies (keyof BerbixFreshnessOptions)[]);
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

/** @throws {BerbixConfigurationError} when what is to be called cannot be */
export function checkHooks(hooks: Pick<BerbixTokenOptions, 'loadTokens' | 'onRotation'>): void {
  for (const name of ['loadTokens', 'onRotation'] as const) {
    if (hooks[name] === undefined || typeof hooks[name] === 'function') continue;
    throw new BerbixConfigurationError(`${name} must be a function.`);
  }
}

/** Whether an exchange is made again where only its answer may be lost. */
export function mayRepeat(
  rotation: FreshnessSettings['rotation'],
  totalTimeoutMs: number,
): boolean {
  return typeof rotation === 'object' ? rotation.graceMs > totalTimeoutMs : rotation === 'none';
}

function checkRotation(
  value: BerbixFreshnessOptions['rotation'] = 'none',
): FreshnessSettings['rotation'] {
  if (value === 'none' || value === 'strict') return value;
  if (typeof value === 'object' && value !== null) {
    onlyKnown('freshness.rotation', value, ['graceMs']);
    return {
      graceMs: checkInteger('freshness.rotation.graceMs', value.graceMs, undefined, 1, Infinity),
    };
  }
  throw new BerbixConfigurationError(
    "freshness.rotation must be 'none', 'strict' or { graceMs: milliseconds }.",
  );
}

/** After a crash the exchange is repeated once the lease has ended, and must still end within the grace. */
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
