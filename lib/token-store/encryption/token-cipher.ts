import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { BerbixStoreError } from '../../errors/index.js';
import type { BerbixEncryptionOptions } from './encryption.options.js';
import { checkedEncryption } from './encryption.validation.js';
import { OwnKeyRing, type KeyRing } from './key-ring.js';
import { ProvidedKeyRing } from './provided-key-ring.js';
import {
  FORMAT,
  IV_BYTES,
  parsePlaintext,
  parseSealed,
  sealedText,
  TAG_BYTES,
  unknownForm,
  type RecordCipher,
  type SealedParts,
} from './sealed-text.js';

const ALGORITHM = 'aes-256-gcm';
const TAG = { authTagLength: TAG_BYTES };

/**
 * The only sealed field of a record. Another one would need another name, so that they cannot be
 * swapped.
 */
const FIELD = 'value';

/** What messages call the settings of the encryption. */
export interface EncryptionSettings {
  readonly keys: string;
  readonly acceptPlaintext: string;
}

const MODULE_OPTIONS: EncryptionSettings = {
  keys: 'the option encryption',
  acceptPlaintext: 'encryption.acceptPlaintext',
};

/**
 * Seals the values of one account with AES-256-GCM. A sealed value opens only with the same key id,
 * in the same account and under the same record key (I13). Only the key that the value names is
 * tried.
 *
 * Each account has a key of its own, derived from the configured one with HKDF-SHA256: with random
 * nonces, one key is safe for 2^32 values.
 */
export class TokenCipher implements RecordCipher {
  readonly #ring: KeyRing;
  readonly #account: string;
  readonly #acceptPlaintext: boolean;
  readonly #settings: EncryptionSettings;
  /** By the key from which they were derived. */
  readonly #subkeys = new WeakMap<KeyObject, KeyObject>();

  /**
   * @param account the configured name
   * @param settings where the options come from, for messages
   * @throws {BerbixConfigurationError} for invalid options
   */
  constructor(
    options: BerbixEncryptionOptions,
    account: string,
    settings: EncryptionSettings = MODULE_OPTIONS,
  ) {
    const encryption = checkedEncryption(options);
    this.#ring =
      encryption.keys === undefined
        ? new ProvidedKeyRing(encryption.keyProvider)
        : new OwnKeyRing(encryption.keys, encryption.current);
    this.#account = account;
    this.#acceptPlaintext = encryption.acceptPlaintext;
    this.#settings = settings;
  }

  /**
   * Seals a text for one record, with the current key.
   *
   * @throws {BerbixStoreError} (as a rejection) if the key provider fails; nothing else can fail
   */
  async seal(key: string, text: string): Promise<string> {
    const { id, key: master } = await this.#ring.current();
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#subkey(master), iv, TAG);
    cipher.setAAD(this.#context(id, key));
    const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return sealedText({ keyId: id, iv, ciphertext, tag: cipher.getAuthTag() });
  }

  /**
   * The text that was sealed for this record.
   *
   * @throws {BerbixStoreError} (as a rejection) if the value was altered or moved, if its key is
   * unknown, or if it is plaintext although `acceptPlaintext` is off; `retryable` only if the key
   * provider fails
   */
  async open(key: string, sealed: string): Promise<string> {
    const parts = parseSealed(sealed);
    if (parts === undefined) return this.#openClear(sealed);
    const master = await this.#ring.byId(parts.keyId);
    if (master === undefined) {
      throw new BerbixStoreError(
        `A stored value is sealed with the key "${parts.keyId}", which ${this.#settings.keys} does not have. Add this key. Remove an old key only after nestjs-berbix re-encrypt has replaced it in all values.`,
      );
    }
    return this.#decipher(parts, this.#subkey(master), this.#context(parts.keyId, key));
  }

  /** Whether a value claims to be sealed with the current key; only `open` verifies it. */
  async isCurrent(sealed: string): Promise<boolean> {
    return parseSealed(sealed)?.keyId === (await this.#ring.current()).id;
  }

  #openClear(stored: string): string {
    const text = parsePlaintext(stored);
    if (text === undefined) throw unknownForm();
    if (this.#acceptPlaintext) return text;
    throw new BerbixStoreError(
      `A stored value is not encrypted, and ${this.#settings.acceptPlaintext} is not set. Set it while a store moves from plaintext to encryption; otherwise, somebody else has written the value.`,
    );
  }

  #decipher({ keyId, iv, ciphertext, tag }: SealedParts, subkey: KeyObject, context: Buffer) {
    const decipher = createDecipheriv(ALGORITHM, subkey, iv, TAG);
    decipher.setAAD(context).setAuthTag(tag);
    try {
      const text = decipher.update(ciphertext);
      // Verifies the tag; with GCM, no text is left for it.
      decipher.final();
      return text.toString();
    } catch {
      throw new BerbixStoreError(
        `A stored value cannot be decrypted with the key "${keyId}": it was changed, or moved from another record, or this id is now another key.`,
      );
    }
  }

  /** The additional authenticated data. A JSON array of strings is unambiguous. */
  #context(keyId: string, key: string): Buffer {
    return Buffer.from(JSON.stringify([FORMAT, keyId, this.#account, key, FIELD]));
  }

  #subkey(master: KeyObject): KeyObject {
    let subkey = this.#subkeys.get(master);
    if (subkey === undefined) {
      const purpose = JSON.stringify(['nestjs-berbix', FORMAT, this.#account]);
      subkey = createSecretKey(Buffer.from(hkdfSync('sha256', master, '', purpose, 32)));
      this.#subkeys.set(master, subkey);
    }
    return subkey;
  }
}
