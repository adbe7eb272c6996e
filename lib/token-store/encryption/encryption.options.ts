import type { KeyObject } from 'node:crypto';

/**
 * A key: 32 random bytes, as base64 text (`openssl rand -base64 32`), as bytes, or as a secret
 * `KeyObject`, which shows nothing when it is printed.
 */
export type BerbixEncryptionKey = string | Uint8Array | KeyObject;

/**
 * Keys that are kept elsewhere, in a KMS say, which unwraps them when they are asked for. What it
 * answers is kept: `current` for a minute, keys by their id as long as the application runs. A call
 * that takes longer than five seconds counts as failed. It runs in the async context of no caller.
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
  /** The key to seal with from now on, and its id. */
  current(): NamedEncryptionKey | Promise<NamedEncryptionKey>;
  /** The key with this id, also one that is not the current one any more; undefined if there is none. */
  byId(id: string): BerbixEncryptionKey | undefined | Promise<BerbixEncryptionKey | undefined>;
}

/** A key and what it is called: 1 to 64 letters, digits, hyphens and underscores. The id is no secret. */
export interface NamedEncryptionKey {
  readonly id: string;
  readonly key: BerbixEncryptionKey;
}

interface EncryptionSettings {
  /**
   * Whether values that are not encrypted are read, and sealed when they are written next: for the
   * days in which a store that began without encryption moves over. Off otherwise, since whoever
   * can write to the database could plant tokens of another person in clear text.
   * @default false
   */
  acceptPlaintext?: boolean | undefined;
}

/** Encryption with keys that the application has. */
export interface BerbixOwnKeys extends EncryptionSettings {
  /** Keys by their ids. Old ones stay until nothing is sealed with them; see `reencryptTokens`. */
  keys: Readonly<Record<string, BerbixEncryptionKey>>;
  /** The id of the key to seal with. */
  current: string;
  keyProvider?: undefined;
}

/** Encryption with keys that somebody else keeps. */
export interface BerbixProvidedKeys extends EncryptionSettings {
  keyProvider: BerbixKeyProvider;
  keys?: undefined;
  current?: undefined;
}

/**
 * How stored tokens are encrypted: AES-256-GCM, bound to account, record and key id. A value that
 * was altered or moved to another record is refused. Not prevented: that somebody who can write to
 * the database puts an older value back in the record that it comes from.
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
