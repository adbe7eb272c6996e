import type { KeyObject } from 'node:crypto';

/**
 * A key: 32 random bytes, as base64 text (`openssl rand -base64 32`), as bytes, or as a secret
 * `KeyObject`, which does not show the key when it is printed.
 */
export type BerbixEncryptionKey = string | Uint8Array | KeyObject;

/**
 * Provides keys that are kept elsewhere, such as in a KMS that unwraps them on request. Answers are
 * cached: the current key for a minute, keys by id while the application runs. A call that takes
 * longer than five seconds counts as failed. Calls do not run in the async context of any caller.
 *
 * @example
 * ```ts
 * class KmsKeys implements BerbixKeyProvider {
 *   async current() {
 *     const { id, wrapped } = await this.wrappedKeys.newest();
 *     return { id, key: await this.kms.decrypt(wrapped) };
 *   }
 *   async byId(id: string) {
 *     const wrapped = await this.wrappedKeys.find(id);
 *     return wrapped && this.kms.decrypt(wrapped);
 *   }
 * }
 * ```
 */
export interface BerbixKeyProvider {
  /** The key with which values are sealed, and its id. */
  current(): BerbixNamedKey | Promise<BerbixNamedKey>;
  /** The key with this id, which need not be the current one; undefined if there is none. */
  byId(id: string): BerbixEncryptionKey | undefined | Promise<BerbixEncryptionKey | undefined>;
}

/** A key and its id: 1 to 64 letters, digits, hyphens and underscores. The id is not a secret. */
export interface BerbixNamedKey {
  readonly id: string;
  readonly key: BerbixEncryptionKey;
}

interface EncryptionSettings {
  /**
   * Whether to read values that are not encrypted; they are sealed when they are next written. Turn
   * it on only while you migrate an unencrypted store: anyone who can write to the database could
   * plant another person's tokens in plaintext.
   * @default false
   */
  acceptPlaintext?: boolean | undefined;
}

/** Encryption with keys of the application. */
export interface BerbixOwnKeys extends EncryptionSettings {
  /** Keys by id. Keep an old key until no value is sealed with it; see `reencryptTokens`. */
  keys: Readonly<Record<string, BerbixEncryptionKey>>;
  /** The id of the key with which values are sealed. */
  current: string;
  keyProvider?: undefined;
}

/** Encryption with the keys of a provider. */
export interface BerbixProvidedKeys extends EncryptionSettings {
  keyProvider: BerbixKeyProvider;
  keys?: undefined;
  current?: undefined;
}

/**
 * How stored tokens are encrypted: with AES-256-GCM, bound to account, record and key id. A value
 * that was altered or moved to another record is refused. It does not prevent someone who can write
 * to the database from restoring an older value of the same record.
 *
 * @example
 * ```ts
 * encryption: {
 *   keys: { 'k2026-01': process.env.OLD_KEY, 'k2026-07': process.env.NEW_KEY },
 *   current: 'k2026-07',
 * }
 * ```
 */
export type BerbixEncryptionOptions = BerbixOwnKeys | BerbixProvidedKeys;
