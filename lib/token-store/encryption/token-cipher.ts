import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { BerbixStoreError } from '../../errors/index.js';
import type { RecordCipher } from '../sealed-records.js';
import { unknownForm } from './plaintext-cipher.js';
import type { BerbixEncryptionOptions } from './encryption.options.js';
import { checkedEncryption } from './encryption.validation.js';
import { OwnKeyRing, type KeyRing } from './key-ring.js';
import { ProvidedKeyRing } from './provided-key-ring.js';
import {
  FORMAT,
  IV_BYTES,
  parseClear,
  parseSealed,
  sealedText,
  TAG_BYTES,
  type SealedParts,
} from './sealed-text.js';

const ALGORITHM = 'aes-256-gcm';
const TAG = { authTagLength: TAG_BYTES };

/** The only field that a record has sealed; another one gets another name, so that they cannot change places. */
const FIELD = 'value';

/**
 * Seals the values of one account with AES-256-GCM. What is sealed opens only with the same key id,
 * in the same account and under the same record key; one key is tried, that which the value names.
 *
 * Each account has a key of its own, made from the configured one with HKDF-SHA256: random nonces
 * are good for 2^32 values a key.
 */
export class TokenCipher implements RecordCipher {
  readonly #ring: KeyRing;
  readonly #account: string;
  readonly #acceptPlaintext: boolean;
  /** By the key that they were made from. */
  readonly #subkeys = new WeakMap<KeyObject, KeyObject>();

  /**
   * @param account its name as it is configured
   * @throws {BerbixConfigurationError} for options that cannot be used
   */
  constructor(options: BerbixEncryptionOptions, account: string) {
    const encryption = checkedEncryption(options);
    this.#ring =
      encryption.keys === undefined
        ? new ProvidedKeyRing(encryption.keyProvider)
        : new OwnKeyRing(encryption.keys, encryption.current);
    this.#account = account;
    this.#acceptPlaintext = encryption.acceptPlaintext;
  }

  /**
   * Seals a text for one record, with the current key.
   *
   * @throws {BerbixStoreError} (as a rejection) when the key provider fails; nothing else can go wrong
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
   * @throws {BerbixStoreError} (as a rejection) for a value that was altered or moved, whose key is
   * not known, or that is not encrypted although `acceptPlaintext` is off; `retryable` only when the key
   * provider fails
   */
  async open(key: string, sealed: string): Promise<string> {
    const parts = parseSealed(sealed);
    if (parts === undefined) return this.#openClear(sealed);
    const master = await this.#ring.byId(parts.keyId);
    if (master === undefined) {
      throw new BerbixStoreError(
        `A stored value is sealed with the key "${parts.keyId}", which encryption does not have. Give that key too; an old key can go once nothing is sealed with it (nestjs-berbix re-encrypt).`,
      );
    }
    return this.#decipher(parts, this.#subkey(master), this.#context(parts.keyId, key));
  }

  /** Whether a value is sealed with the current key, as it says; only `open` finds out whether that is true. */
  async isCurrent(sealed: string): Promise<boolean> {
    return parseSealed(sealed)?.keyId === (await this.#ring.current()).id;
  }

  #openClear(stored: string): string {
    const text = parseClear(stored);
    if (text === undefined) throw unknownForm();
    if (this.#acceptPlaintext) return text;
    throw new BerbixStoreError(
      'A stored value is not encrypted, and encryption.acceptPlaintext is off. While a store moves from clear text to encryption, set acceptPlaintext; otherwise somebody else has written the value.',
    );
  }

  #decipher({ keyId, iv, ciphertext, tag }: SealedParts, subkey: KeyObject, context: Buffer) {
    const decipher = createDecipheriv(ALGORITHM, subkey, iv, TAG);
    decipher.setAAD(context).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString();
    } catch {
      throw new BerbixStoreError(
        `A stored value does not open with the key "${keyId}": it was altered, or moved from another record, or that id stands for another key than before.`,
      );
    }
  }

  /** What is authenticated beside the text. A JSON array of strings can be read in one way only. */
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
