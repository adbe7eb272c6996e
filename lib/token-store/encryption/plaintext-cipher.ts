import { BerbixStoreError } from '../../errors/index.js';
import {
  plaintextValue,
  parsePlaintext,
  parseSealed,
  unknownForm,
  type RecordCipher,
} from './sealed-text.js';

/**
 * Replaces {@link TokenCipher} if no encryption is configured: values stay in plaintext, and are
 * marked so.
 */
export class PlaintextCipher implements RecordCipher {
  /** @param setting where keys would come from, for messages */
  constructor(private readonly setting = 'the option encryption') {}

  async seal(_key: string, text: string): Promise<string> {
    return plaintextValue(text);
  }

  /**
   * @throws {BerbixStoreError} (as a rejection) for a sealed value, or one that this package did
   * not write
   */
  async open(_key: string, stored: string): Promise<string> {
    const text = parsePlaintext(stored);
    if (text !== undefined) return text;
    const sealed = parseSealed(stored);
    if (sealed === undefined) throw unknownForm();
    throw new BerbixStoreError(
      `A stored value is sealed with the key "${sealed.keyId}", but ${this.setting} is not set. Set it, with this key among its keys.`,
    );
  }
}
