import { BerbixConfigurationError } from '../errors/index.js';
import { checkInteger } from '../http/index.js';
import {
  CheckedStore,
  PlaintextCipher,
  TokenCipher,
  SealedRecords,
  type BerbixEncryptionOptions,
  type BerbixTokenStore,
} from '../token-store/index.js';
import type { BerbixTokenOptions } from './freshness/index.js';

/** What the options of the module say of tokens. */
export interface BerbixTokenModuleOptions extends BerbixTokenOptions {
  /**
   * Where tokens are kept, for all replicas of the application.
   * @default new InMemoryTokenStore()
   */
  store?: BerbixTokenStore | undefined;

  /**
   * Milliseconds for one call to the store: for tokens, webhooks and verifications alike.
   * @default 1500
   */
  storeTimeoutMs?: number | undefined;

  /** Encrypts what is stored. Without it a shared store holds refresh tokens in clear, and a warning says so at the start. */
  encryption?: BerbixEncryptionOptions | undefined;
}

/** The same, and the name of the account. */
export interface BerbixTokenAccountOptions extends Omit<BerbixTokenModuleOptions, 'store'> {
  account: string;
}

/** Where the options of one account are found; `Symbol.for`, so that two copies of this package agree. */
export const BERBIX_TOKEN_OPTIONS = Symbol.for('berbix:token-options');

/**
 * The store of an account, each call with the time limit of the options.
 *
 * @throws {BerbixConfigurationError} when it is not a store, or the limit is not a number of milliseconds
 */
export function openStore(
  store: BerbixTokenStore,
  { storeTimeoutMs }: BerbixTokenAccountOptions,
): CheckedStore {
  if (typeof store?.load !== 'function' || typeof store.commit !== 'function') {
    throw new BerbixConfigurationError(
      'store must be a BerbixTokenStore, such as new PostgresTokenStore(pool).',
    );
  }
  return new CheckedStore(store, checkInteger('storeTimeoutMs', storeTimeoutMs, 1_500));
}

/**
 * The records of an account, sealed as the options say.
 *
 * @throws {BerbixConfigurationError} that names the wrong option
 */
export function openRecords(
  store: CheckedStore,
  { account, encryption }: BerbixTokenAccountOptions,
): SealedRecords {
  const cipher =
    encryption === undefined ? new PlaintextCipher() : new TokenCipher(encryption, account);
  return new SealedRecords(store, cipher, account);
}
