import { BerbixConfigurationError } from '../errors/index.js';
import type { EventBus } from '../events/index.js';
import { checkInteger } from '../options/index.js';
import type { BerbixTokenOptions } from '../renewal/index.js';
import {
  CheckedStore,
  PlaintextCipher,
  TokenCipher,
  SealedRecords,
  type BerbixEncryptionOptions,
  type BerbixTokenStore,
} from '../token-store/index.js';

/** The options of the module for tokens. */
export interface BerbixTokenModuleOptions extends BerbixTokenOptions {
  /**
   * Where tokens are stored, for all replicas of the application.
   * @default new InMemoryTokenStore()
   */
  store?: BerbixTokenStore | undefined;

  /**
   * Lets tokens be saved in the memory of a process in production (`NODE_ENV=production`), where the
   * next restart loses them. Without it, `remember()`, `begin()` and `reverify()` fail there with a
   * {@link BerbixConfigurationError}; nothing else needs it.
   * @default false
   */
  allowInMemoryStore?: boolean | undefined;

  /**
   * The time limit of a call to the store in milliseconds, for tokens, webhooks and verifications.
   * @default 1500
   */
  storeTimeoutMs?: number | undefined;

  /**
   * Encrypts stored tokens. Without it, a shared store has refresh tokens in plaintext, and a
   * warning at the start says so.
   */
  encryption?: BerbixEncryptionOptions | undefined;
}

/** The options of one account. */
export interface BerbixTokenAccountOptions extends Omit<BerbixTokenModuleOptions, 'store'> {
  account: string;
}

/**
 * The injection token of the options of one account; `Symbol.for`, so that two copies of this
 * package agree.
 */
export const BERBIX_TOKEN_OPTIONS = Symbol.for('berbix:token-options');

/**
 * The store of an account, with the time limit of the options for each call.
 *
 * @throws {BerbixConfigurationError} if it is not a store, or the limit is not a number of
 * milliseconds
 */
export function openStore(
  store: BerbixTokenStore,
  { storeTimeoutMs }: BerbixTokenAccountOptions,
  events: EventBus,
): CheckedStore {
  if (typeof store?.load !== 'function' || typeof store.commit !== 'function') {
    throw new BerbixConfigurationError(
      'store must be a BerbixTokenStore, such as new PostgresTokenStore(pool).',
    );
  }
  return new CheckedStore(store, checkInteger('storeTimeoutMs', storeTimeoutMs, 1_500), events);
}

/**
 * The records of an account, sealed according to the options.
 *
 * @throws {BerbixConfigurationError} that names the invalid option
 */
export function openRecords(
  store: CheckedStore,
  { account, encryption }: BerbixTokenAccountOptions,
): SealedRecords {
  const cipher =
    encryption === undefined ? new PlaintextCipher() : new TokenCipher(encryption, account);
  return new SealedRecords(store, cipher, account);
}
