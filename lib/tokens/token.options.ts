import {
  ClearText,
  TokenCipher,
  TokenVault,
  type BerbixEncryptionOptions,
  type BerbixTokenStore,
} from '../token-store/index.js';
import { storeTimeoutOf, type BerbixTokenOptions } from './freshness/index.js';

/** What the options of the module say of tokens. */
export interface BerbixTokenModuleOptions extends BerbixTokenOptions {
  /**
   * Where tokens are kept, for all replicas of the application.
   * @default new InMemoryTokenStore()
   */
  store?: BerbixTokenStore | undefined;

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
 * The records of an account, sealed as the options say.
 *
 * @throws {BerbixConfigurationError} that names the wrong option
 */
export function openVault(
  store: BerbixTokenStore,
  { account, encryption, freshness }: BerbixTokenAccountOptions,
): TokenVault {
  const cipher = encryption === undefined ? new ClearText() : new TokenCipher(encryption, account);
  return new TokenVault(store, cipher, account, storeTimeoutOf(freshness));
}
